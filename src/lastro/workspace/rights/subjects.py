"""Persons in a workspace: where they stand, in every dataset whose contract names its subject.

A search reads the subjects' columns and hands nothing out: it tells datasets, columns and counts. A dataset that cannot
be searched is told with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.model.access import Act
from lastro.model.errors import LastroError, NotPermitted
from lastro.model.subject import Person, Sought, Stands
from lastro.model.text import _
from lastro.privacy.canonical import OWN

if TYPE_CHECKING:
    from lastro.governance.finding import Aside
    from lastro.governance.sought import Known, Rows
    from lastro.privacy.vault import Vault
    from lastro.workspace.workspace import Workspace


PURPOSE = "subject-request"
"""The purpose by which policies know what is done at a person's own request."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A person that was searched for, with what tells their rows in each dataset."""

    person: Person
    sought: Sought
    rows: dict[str, Rows]
    asides: dict[str, Aside | None]


def permit(
    workspace: Workspace, stands: Iterable[Stands], *acts: Act, columns: Callable[[Stands], Sequence[str]]
) -> None:
    """Refuses whoever may not do any one of these things with the columns of these datasets, where access control is
    on; a refusal is in the ledger. A person's request is a basis of its own: no purpose of the contract is needed.
    Raises `NotPermitted`.
    """
    from lastro.model.access import Asked, Reach
    from lastro.policy.decide import decide
    from lastro.workspace.access import admission

    if not admission.is_on(workspace):
        return
    who, known = admission.principal(workspace), admission.policies(workspace)
    for each in stands:
        dataset, head = workspace.dataset(each.dataset), workspace.table(each.dataset).head()
        resource = admission.resource(dataset, tuple(columns(each)))
        asked = [decide(Asked(who, act, PURPOSE), resource, known) for act in acts]
        if any(all(one.reach is Reach.CLEAR and not one.rows for one in access.columns) for access in asked):
            continue
        if head is not None:
            workspace.ledger.refused(head, acts[0])
        raise NotPermitted(
            _("{name} may not {action} what {dataset} keeps about a person").format(
                name=who.name, action=acts[0], dataset=each.dataset
            ),
            do=_("let a policy permit it for the purpose {purpose}; see lastro policy explain {dataset}").format(
                purpose=PURPOSE, dataset=each.dataset
            ),
            state=_("nothing was shown and nothing was changed"),
        )


def values(sought: Sought) -> dict[str, Any]:  # Any: values for `report.json_values`
    """What a search came to, as plain values."""
    found = [
        {
            "dataset": each.dataset,
            "columns": each.columns,
            "rows": each.rows,
            "newest": each.newest,
            "versions": {str(number): rows for number, rows in each.versions.items()},
            "set_aside": each.quarantined,
            "collected": each.lost,
        }
        for each in sought.found
    ]
    return {
        "kind": sought.kind,
        "found": found,
        "searched": [each.dataset for each in sought.stands],
        "not_searched": sought.skipped,
        "linked": sought.linked,
        "shared": sought.shared,
        "vault_entries": sought.entries,
    }


def find(workspace: Workspace, asked: str) -> Sought:
    """Where a person stands, and how many rows there are; no value. Raises `UsageError`, `UnknownName`, `Corrupted`,
    `NotPermitted`.
    """
    return search(workspace, asked).sought


def search(workspace: Workspace, asked: str) -> Searched:
    """Searches every dataset for a person. That somebody is there is told to those who may read, export, reveal or
    erase the columns that name them. Raises as `find` does.
    """
    from lastro.governance import finding
    from lastro.governance.sought import Rows, about, where_to_look

    known, keys = tuple(known_of(workspace)), workspace.vault
    kinds = {each.personal.subject.kind for each in known if each.personal.subject is not None}
    person = finding.identify(keys, asked, kinds)
    places, skipped = where_to_look(known, [each.kind for each in person.names], about)
    rows, asides, stands = {}, {}, []
    for name in dict.fromkeys(place.dataset for place in places):
        rows[name] = Rows.of(person, [each for each in places if each.dataset == name])
        asides[name] = _aside(workspace, name, rows[name], keys)
        tables = (workspace.table(name), workspace.table(f"{name}.quarantine"))
        stands.append(finding.sought(name, tables, workspace.engine(), rows[name], asides[name]))
    permit(workspace, stands, Act.EXPORT, Act.READ, Act.REVEAL, Act.ERASE, columns=lambda each: each.columns)
    token = person.asked.token
    entries = sum(not each.kind.startswith(OWN) for each in keys.entries(token)) if token is not None else 0
    linked = tuple(each.kind for each in person.linked)
    sought = Sought(person.asked.kind, tuple(stands), skipped, linked, person.shared, entries)
    return Searched(person, sought, rows, asides)


def _aside(workspace: Workspace, name: str, rows: Rows, keys: Vault) -> Aside | None:
    from lastro.governance.finding import Aside

    dataset = workspace.dataset(name)
    return Aside.of(rows, dataset.contract().plan(), keys) if dataset.has_contract() else None


def known_of(workspace: Workspace) -> Iterator[Known]:
    """What is known of each dataset before it is searched."""
    from lastro.governance.sought import Known
    from lastro.model.personal import Personal
    from lastro.model.reference import Reference

    for name in workspace.datasets():
        dataset = workspace.dataset(name)
        try:
            personal = dataset.contract().personal if dataset.has_contract() else Personal()
            head = dataset.table.head()
            if head is None:
                yield Known(name, personal)
                continue
            origin = head.origin
            made_from = {
                column: [(str(each[0]), str(each[1])) for each in pairs] for column, pairs in origin.columns.items()
            }
            upstream = tuple(Reference.parse(each.split(" ")[0]).name for each in origin.inputs)
            yield Known(name, personal, head.schema.names, made_from, upstream)
        except LastroError as error:
            yield Known(name, Personal(), fault=error.what)

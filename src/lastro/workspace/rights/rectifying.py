"""Putting right what is wrong about a person in a dataset. See `governance.rectify`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lastro.governance import rectify as law
from lastro.model.access import Act
from lastro.model.errors import UsageError
from lastro.model.rectified import Rectified
from lastro.model.text import _
from lastro.workspace.access.admission import refuse_forbidden
from lastro.workspace.audit.documents import Document
from lastro.workspace.dataset import run_id
from lastro.workspace.rights import subject_requests, subjects
from lastro.workspace.rights.erasing import finish_first

if TYPE_CHECKING:
    from lastro.model.version import VersionInfo
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.rights.subjects import Searched
    from lastro.workspace.workspace import Workspace


def rectify(
    workspace: Workspace,
    who: str,
    name: str,
    values: Mapping[str, str | None],
    *,
    basis: str = "",
    request: str | None = None,
) -> Rectified:
    """Puts values of a person's rows right. Raises `UsageError`, `UnknownName`, `DataRefused`, `Locked`, `Corrupted`,
    `WriteFailed`.
    """
    dataset = workspace.dataset(name)
    if not values:
        raise UsageError(_("nothing was said that is to be put right"), do=_("write --set COLUMN=VALUE"))
    if dataset.entry.derived:
        raise UsageError(
            _("{name} is derived from other datasets").format(name=name),
            do=_("put the value right in those, then build it: lastro build {name}").format(name=name),
        )
    refuse_forbidden(dataset, Act.INGEST)
    finish_first(workspace)
    found, head = subjects.search(workspace, who), dataset.table.head()
    stands = next((each for each in found.sought.stands if each.dataset == name), None)
    if stands is None or head is None or not stands.rows:
        raise law.nobody(name)
    ground = _ground(dataset, found, head)
    corrections = law.Corrections(dict(values))
    law.check(ground, head, corrections)
    rows = law.judged(ground, head, corrections)
    known = subject_requests.taken_up(workspace, request, "rectification", basis)
    made, vaulted = _done(workspace, dataset, ground, head, corrections)
    workspace.ledger.rectified(made, corrections.columns, rows, request=known.id)
    answered = subject_requests.answer(workspace, known.id, "rectified")
    ordinary = set(corrections.columns) - set(vaulted)
    earlier = tuple(number for number in stands.versions if number < made.number) if ordinary else ()
    return Rectified(
        name,
        corrections.columns,
        vaulted,
        rows,
        made.reference,
        made.digest,
        workspace.clock(),
        answered,
        earlier,
        stands.quarantined,
        _derived(workspace, name) if ordinary else (),
        tuple(each for each in workspace.settings.organisation.parties if not each.datasets or name in each.datasets),
        _exports(workspace, name),
    )


def receipt(found: Rectified) -> Document:
    """The receipt, to be written as Markdown, HTML or JSON; without a value."""
    from lastro.report.documents import rectification as report

    return Document(
        "rectification",
        report.rectification_title(),
        report.rectification_verdict(found),
        report.rectification(found),
        values(found),
    )


def values(found: Rectified) -> dict[str, Any]:  # Any: values for `report.json_values`
    """The receipt as plain values."""
    return {**asdict(found), "request": found.request.id}


def _ground(dataset: Dataset, found: Searched, head: VersionInfo) -> law.Ground:
    target = dataset.target()
    return law.Ground(
        dataset.table,
        target.plan,
        dataset.contract().personal,
        target.engine,
        found.rows[dataset.name],
        target.withheld_of(head.schema),
    )


def _done(
    workspace: Workspace, dataset: Dataset, ground: law.Ground, head: VersionInfo, corrections: law.Corrections
) -> tuple[VersionInfo, tuple[str, ...]]:
    """The version that is the newest then, and the columns whose value was put right in the vault."""
    keys, made = workspace.vault, head
    tokens = law.in_vault(ground, head, keys, corrections)
    rest = {name: value for name, value in corrections.values.items() if name not in tokens}
    if rest:
        protect = dataset.target().protect
        made, _rows = law.rectified(ground, law.Corrections(rest), protect=protect, run=run_id())
        dataset.enter(made)
    for column, token in tokens.items():
        if not keys.rectify(token, corrections.values[column] or ""):
            raise UsageError(
                _("the vault knows the new value of {column} by another token").format(column=column),
                do=_("somebody changed it meanwhile; do it again"),
                state=_("{reference} is the newest version").format(reference=made.reference),
            )
    return made, tuple(tokens)


def _derived(workspace: Workspace, name: str) -> tuple[str, ...]:
    """The datasets whose newest version is made from this one."""
    found = []
    for each in workspace.datasets():
        head = workspace.table(each).head()
        if head is not None and any(one.partition("@")[0] == name for one in head.origin.inputs):
            found.append(each)
    return tuple(found)


def _exports(workspace: Workspace, name: str) -> tuple[Any, ...]:  # Any: `model.dossier.Access`
    from lastro.workspace.audit.dossier import accesses

    events = (event for _number, event in workspace.ledger.events(dataset=name) if event.action == "export")
    return tuple(event for event in accesses(events) if not event.purpose.startswith("subject-"))

"""The package of a person: their rows, a document in English and Portuguese, and a manifest. See
`governance.subject_export`.

Rules:

1. What is in the package is in the ledger before the package has its name: one event for each dataset, without a value.
2. Somebody of whom nothing is kept gets a package, too, that says so and what was searched: that is an answer.
3. The document says who received and read the data by their kind, not by name: whoever works for the controller is no
   recipient (GDPR 4(9), 29). Names of those are in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.access import Act
from lastro.model.subject import Request, Sought, Stands
from lastro.model.text import LANGUAGES, speaking
from lastro.workspace.rights import subject_requests, subjects

if TYPE_CHECKING:
    from lastro.governance.subject_export import Holder, Revealing, WrittenFile
    from lastro.model.version import VersionInfo
    from lastro.privacy.vault import Vault
    from lastro.workspace.rights.subjects import Searched
    from lastro.workspace.workspace import Workspace

OUTCOME_FOUND, OUTCOME_NOTHING = "exported", "nothing kept"


@dataclass(frozen=True, slots=True)
class Exported:
    """A package for a person: where it lies, what is in it, and which request it answers."""

    folder: Path
    request: Request
    sought: Sought
    files: tuple[WrittenFile, ...]
    others: int
    """Values that name other people, which stayed tokens."""

    @property
    def rows(self) -> int:
        """Rows of datasets that are in it, those set aside included; each counts once."""
        return sum(each.rows for each in self.files if each.path.endswith(".jsonl"))

    def to_dict(self) -> dict[str, Any]:  # Any: values for `report.json_values`
        """The answer as plain values; none of the person's."""
        return {
            "folder": self.folder,
            "request": self.request.id,
            "rows": self.rows,
            "others": self.others,
            "files": self.files,
            **subjects.values(self.sought),
        }


def export(
    workspace: Workspace,
    asked: str,
    to: Path,
    *,
    basis: str = "",
    request: str | None = None,
    every_version: bool = False,
) -> Exported:
    """Writes the package of a person into a new folder.

    `request` is the id of a registered request that this answers; without one, one that came today is entered. Raises
    `UsageError`, `UnknownName`, `Corrupted`, `WriteFailed`, `NotPermitted`.
    """
    from lastro.governance import subject_export as package

    to = to.absolute()
    package.refuse_place(to, workspace.root)
    found = subjects.search(workspace, asked)
    subjects.permit(workspace, found.sought.found, Act.EXPORT, columns=partial(_columns, workspace))
    known = subject_requests.taken_up(workspace, request, "access", basis)
    keys = workspace.vault
    names = found.person.names
    own, kinds = frozenset(each.token for each in names if each.token), frozenset(each.kind for each in names)
    revealing = package.Revealing(keys, own, kinds)
    with package.package(to, workspace=workspace.root) as (folder, finish):
        files = tuple(_written(workspace, folder, found, keys, revealing, every_version=every_version))
        handed = list(_handed(workspace, found.sought, files))
        workspace.ledger.handed_out(handed, request=known.id, values=found.sought.entries)
        _documents(workspace, folder, found.sought, files, known)
        package.manifest(folder, _bound(workspace, found.sought, known), files)
        finish()
    others = sum(each.others for each in files if each.path.endswith(".jsonl"))
    outcome = OUTCOME_FOUND if found.sought.is_anywhere else OUTCOME_NOTHING
    answered = subject_requests.answer(workspace, known.id, outcome)
    return Exported(to, answered, found.sought, files, others)


def _written(
    workspace: Workspace, folder: Path, found: Searched, keys: Vault, revealing: Revealing, *, every_version: bool
) -> Iterator[WrittenFile]:
    from lastro.governance import subject_export as package

    for holder in _holders(workspace, found):
        yield from package.write(folder, holder, workspace.engine(), revealing, every_version=every_version)
    token = found.person.asked.token
    entries = keys.entries(token) if token is not None else ()
    if entries:
        yield package.write_entries(folder, entries, revealing)


def _columns(workspace: Workspace, stands: Stands) -> tuple[str, ...]:
    """All columns of the dataset, in whatever retained version that holds the person."""
    table = workspace.table(stands.dataset)
    infos = [table.version(number) for number in stands.versions] or [head for head in [table.head()] if head]
    return tuple(dict.fromkeys(name for info in infos for name in info.schema.names))


def _holders(workspace: Workspace, found: Searched) -> Iterator[Holder]:
    from lastro.governance.subject_export import Holder

    for stands in found.sought.found:
        name = stands.dataset
        tables = (workspace.table(name), workspace.table(f"{name}.quarantine"))
        yield Holder(stands, *tables, found.rows[name], found.asides[name])


def _handed(
    workspace: Workspace, sought: Sought, files: Sequence[WrittenFile]
) -> Iterator[tuple[VersionInfo, tuple[str, ...], int]]:
    """For the ledger: the newest version of each table of which rows are in the package, the columns, and how many."""
    for stands in sought.found:
        mine = [each for each in files if each.dataset == stands.dataset and each.path.endswith(".jsonl")]
        whole = [each for each in mine if each.columns]
        aside = [each for each in mine if not each.columns]
        columns = tuple(dict.fromkeys(name for each in whole for name in each.columns))
        for table, part, names in (
            (stands.dataset, whole, columns),
            (f"{stands.dataset}.quarantine", aside, ("record",)),
        ):
            head = workspace.table(table).head() if part else None
            if head is not None:
                yield head, names, sum(each.rows for each in part)


def _documents(
    workspace: Workspace, folder: Path, sought: Sought, files: Sequence[WrittenFile], request: Request
) -> None:
    """Writes the readable answer in every language, as Markdown and HTML."""
    from lastro.governance.subject_export import private
    from lastro.report.documents import subject as report
    from lastro.report.html import to_page
    from lastro.report.markdown import to_markdown
    from lastro.workspace.audit.dossier import dossier

    names = [each.dataset for each in sought.found]
    facts = dossier(workspace, names or workspace.datasets())
    told = report.Answer(sought, request, tuple((each.path, each.rows) for each in files))
    for language in LANGUAGES:
        with speaking(language):
            title, verdict, blocks = report.title(), report.verdict(told), report.answer(facts, told)
            stem = f"answer.{language.replace('_', '-')}"
            private(folder / f"{stem}.md", to_markdown(title, blocks, answer=verdict))
            private(folder / f"{stem}.html", to_page(title, blocks, answer=verdict))


def _bound(workspace: Workspace, sought: Sought, request: Request) -> dict[str, Any]:  # Any: JSON values
    """What the manifest says beside its files: versions with digests, and where the ledger stands."""
    from lastro.model import clock

    heads = [head for each in sought.found if (head := workspace.table(each.dataset).head()) is not None]
    ledger = workspace.ledger.head()
    return {
        "made": clock.to_text(workspace.clock()),
        "request": {"id": request.id, "right": request.right, "received": request.received.isoformat()},
        "versions": [{"reference": head.reference, "digest": head.digest} for head in heads],
        "ledger": None if ledger is None else asdict(ledger),
    }

"""Versions, opened: admitted at the gate, and told to the ledger and the active run before rows are handed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lastro.model.access import Act
from lastro.model.errors import LastroError, NotPermitted
from lastro.model.reference import Reference
from lastro.workspace.version import Version

if TYPE_CHECKING:
    from lastro.model.version import VersionInfo
    from lastro.workspace.access.handed import Opening, Pass
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace


def opened(workspace: Workspace, reference: str, *, act: Act = Act.READ, purpose: str | None = None) -> Version:
    """The version a reference means, for somebody who reads it, or to build from it.

    Raises `UnknownName`, `Expired`; when it is read, `NotPermitted`.
    """
    wanted = Reference.parse(reference)
    dataset = workspace.dataset(wanted.name)
    gate = WorkspaceGate(dataset, act, purpose)
    return Version(dataset.table.find(wanted.selector), dataset.table, workspace.engine(), gate=gate)


def measured(dataset: Dataset, selector: str) -> Version:
    """A version whose rows are counted and shown to nobody; who opens it asks first what may be told of which column.

    Raises `UnknownName`, `Expired`.
    """
    gate = WorkspaceGate(dataset, is_counting=True)
    return Version(dataset.find(selector), dataset.table, dataset.workspace.engine(), gate=gate)


def rows_shown(dataset: Dataset, info: VersionInfo, columns: Sequence[str]) -> None:
    """Tells the ledger that single rows are about to be shown: examples of a difference, failures of a check."""
    from lastro.workspace.access.admission import purpose_of
    from lastro.workspace.access.handed import Opening

    if dataset.workspace.settings.ledger_reads and columns:
        opening = Opening(tuple(columns), tuple(columns), None, {}, None, purpose_of(None))
        dataset.workspace.ledger.read(info, opening, run="", act=Act.READ)


def set_aside_shown(dataset: Dataset) -> None:
    """Tells the ledger that rows of the quarantine are about to be shown."""
    head = dataset.workspace.table(f"{dataset.name}.quarantine").head()
    if head is not None:
        rows_shown(dataset, head, ("record",))


@dataclass(frozen=True, slots=True)
class WorkspaceGate:
    """A dataset's gate. Implements `version.Gate`."""

    dataset: Dataset
    act: Act = Act.READ
    purpose: str | None = None
    is_counting: bool = False
    """True if rows are counted, and none is handed to anybody."""

    def admit(self, info: VersionInfo) -> Pass:
        """What may be read now."""
        from lastro.workspace.access.admission import admit
        from lastro.workspace.access.handed import FREE

        if self.is_counting:
            return FREE
        return admit(self.dataset, info, act=self.act, purpose=self.purpose)

    def reads(self, info: VersionInfo, opening: Opening) -> None:
        """Tells the ledger, then the active run, that columns of a version are about to be read."""
        from lastro.workspace.training.run import active, seen

        workspace = self.dataset.workspace
        if workspace.settings.ledger_reads:
            run = active()
            workspace.ledger.read(info, opening, run=run.id if run is not None else "", act=self.act)
        seen(info, opening=opening)

    def refuses(self, info: VersionInfo, error: NotPermitted) -> None:
        """Tells the ledger that somebody was refused; what befalls that rides along with the refusal."""
        workspace = self.dataset.workspace
        if not workspace.settings.ledger_reads:
            return
        try:
            workspace.ledger.refused(info, self.act)
        except LastroError as second:
            error.add_note(str(second))

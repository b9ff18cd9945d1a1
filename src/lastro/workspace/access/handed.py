"""What a reading hands out, as it was decided at the gate (`workspace.admission`); it goes along with a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.model.access import Access, Mask, Reach

if TYPE_CHECKING:
    from lastro.policy.consent import Consented

NAMED: ContextVar[str] = ContextVar("lastro_purpose", default="")
"""The purpose that a command line names."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a reading reads: `columns` are handed out, `read` those and what it takes to choose rows, under `where`."""

    columns: tuple[str, ...]
    read: tuple[str, ...]
    where: str | None
    masks: Mapping[str, Mask]
    consented: Consented | None
    purpose: str

    def over(self, reader: Any) -> Any:  # Any: pyarrow.RecordBatchReader
        """The rows as they may be handed out: those of people who consented, with masks."""
        from lastro.policy import masks

        kept = reader if self.consented is None else self.consented.over(reader, self.columns)
        return masks.over(kept, self.masks) if self.masks else kept

    @property
    def is_plain(self) -> bool:
        """True if the rows are handed out as they are stored."""
        return not self.masks and self.consented is None


@dataclass(frozen=True, slots=True)
class Pass:
    """What somebody may read of one version. Without `access` every column; `consented` says of whose rows."""

    purpose: str = ""
    access: Access | None = None
    consented: Consented | None = None

    def readable(self, names: Sequence[str]) -> tuple[str, ...]:
        """The columns that are read if none is named. Raises `NotPermitted`."""
        from lastro.policy.grant import readable

        return tuple(names) if self.access is None else readable(self.access)

    @property
    def masked(self) -> tuple[str, ...]:
        """The columns that are read masked."""
        return () if self.access is None else self.access.named(Reach.MASKED)

    def open(self, names: Sequence[str], columns: Sequence[str], where: str | None) -> Opening:
        """What a reading of these columns reads of a version that has those. Raises `NotPermitted`, `SqlRefused`."""
        from lastro.policy.grant import Grant, both, granted

        grant, conditions = Grant(tuple(columns)), [] if where is None else [where]
        if self.access is not None:
            from lastro.engine import columns_in

            spoken = () if where is None else columns_in(where, names, where="where")
            grant = granted(self.access, columns, condition=spoken)
            conditions = [*conditions, *grant.rows]
        read = grant.columns
        if self.consented is not None and self.consented.subject not in read:
            read = (*read, self.consented.subject)
        whole = where if len(conditions) < 2 and where is not None else both(conditions)
        return Opening(grant.columns, read, whole, grant.masks, self.consented, self.purpose)


FREE = Pass()
"""Everything, as it is stored."""

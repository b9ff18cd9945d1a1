"""What became of a correction: a receipt without a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lastro.model.dossier import Access, Party
from lastro.model.subject import Request


@dataclass(frozen=True, slots=True)
class Rectified:
    """`columns` of a person's rows in a dataset were put right.

    `vaulted` are those whose value was put right in the vault, so that every version tells it; the others stand in the
    version `made`, and `rows` rows of it. `earlier` are retained versions that keep the old value, `aside` rows that
    were set aside and keep it, `derived` datasets that are to be built again. `recipients` received the dataset or may
    have, `exports` are those that the ledger knows.
    """

    dataset: str
    columns: tuple[str, ...]
    vaulted: tuple[str, ...]
    rows: int
    made: str
    digest: str
    moment: datetime
    request: Request
    earlier: tuple[int, ...] = ()
    aside: int = 0
    derived: tuple[str, ...] = ()
    recipients: tuple[Party, ...] = ()
    exports: tuple[Access, ...] = ()

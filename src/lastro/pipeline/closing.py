"""Closing: which open rows of the quarantine a batch takes the place of.

Rules:

1. A row that counts (its batch is the key of a commit that the newest version is made of) is open until a mark closes
   it. A mark counts under the same rule: it is written before the commit that it names, and that commit alone makes it
   count. So rows and the marks of those that they replace come in one step, or not at all.
2. A reading that brings rows again (`upsert`, a history of changes) closes the open rows whose key it brings: a kept
   row is what was wanted, a refused one stands in the place of the former. Of a history with moments, only the same
   moment is the same row.
3. Corrected rows close those that they name, and no others: of two open rows of one key, one may be corrected.
4. Corrections of which no row is kept change no row of the dataset, and make no version of it. Their rows stand in the
   place of the former under the newest version's own key, in one commit of the quarantine.
5. What replaces everything needs no marks: rows set aside before it do not count.
6. A key whose column is protected by tokens stands in a record as its token, too, and is compared as such; cleaning
   that makes another identifier of it is passed over. One that is protected otherwise cannot be compared: its row comes
   again only if the same record is refused once more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.engine.protocol import QUARANTINE, Staged, StagedFile
from lastro.engine.scan import FileScan, Scan, StreamScan
from lastro.model import digest
from lastro.model.errors import SourceChanged
from lastro.model.personal import Method
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.text import _
from lastro.model.version import Mode, Origin, VersionInfo
from lastro.pipeline import corrections
from lastro.pipeline.aside import set_aside_alone
from lastro.pipeline.corrections import Address, Row
from lastro.pipeline.lineage import CORRECTIONS, lineage
from lastro.pipeline.target import Target
from lastro.privacy.token import LENGTH, PREFIX
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.store.table import Table
from lastro.transform import joining as plans

if TYPE_CHECKING:
    from lastro.privacy.vault import Vault

LABEL = "quarantine"
MARKS = "corrected"


@dataclass(frozen=True, slots=True)
class Corrections:
    """A file of corrected rows, as a source. `check_open` raises where a row that the file names is not open."""

    path: Path
    content: str
    check_open: Callable[[Sequence[Address]], None]
    was_refused: Callable[[], bool]
    """True if all of it was refused before, and nothing came since."""
    vault: Vault | None = None
    """What turns the file's tokens back into values, in memory; None where nothing is protected."""
    kind: str = LABEL

    @property
    def label(self) -> str:
        """How a person names it."""
        return f"{CORRECTIONS}{self.path.name}"

    def addresses(self) -> list[Address]:
        """Which rows its own take the place of. Raises `SourceBroken`, `SourceUnreachable`."""
        return corrections.addresses(self.path)

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """The corrected rows, once it is proven that they are open."""
        del cursor, mode
        form = corrections.format_of(self.path)
        if self.was_refused():
            yield Unchanged()
            return
        addresses = self.addresses()
        self._unchanged()
        self.check_open(addresses)
        scan: Scan = FileScan((self.path,), form)
        if self.vault is not None:
            scan = StreamScan(corrections.stream(self.path, self.vault), self.path.name, records=True)
        yield Opened(scan, self._unchanged, self.label)

    def _unchanged(self) -> Cursor:
        if digest_of(self.path) != self.content:
            raise SourceChanged(
                _("the corrected file changed while it was read"), where=str(self.path), do=_("replay it again")
            )
        return {"sha256": self.content}


def digest_of(path: Path) -> str:
    """The digest of a corrected file. Raises `SourceUnreachable`."""
    try:
        return digest.of_file(path)
    except OSError as error:
        raise corrections.unreadable(path, error) from error


def counting(table: Table) -> frozenset[str]:
    """The idempotency keys of the commits that the newest version is made of."""
    return frozenset(info.origin.idempotency_key for info in lineage(table))


def open_rows(target: Target, *, columns: Sequence[str] = QUARANTINE.names) -> Iterator[Row]:
    """The rows that count and are open, in the order in which they were set aside."""
    import pyarrow as pa

    head = target.quarantine.head()
    if head is None:
        return
    paths = target.quarantine.paths(head)
    stream = target.engine.open_rows(paths, counting(target.table), columns=columns)
    for batch in pa.RecordBatchReader.from_stream(stream):
        yield from batch.to_pylist()


def address(row: Row) -> Address:
    """Which row it is."""
    return row["batch"], row["source"], row["position"]


def closed_again(target: Target, mode: Mode, staged: Staged, folder: Path, key: str) -> Sequence[StagedFile]:
    """Marks, which count as of the commit `key`, for the open rows that a batch brings again (rule 2)."""
    head = target.quarantine.head()
    names = plans.staging_key(target.plan, mode, target.history)
    if head is None or not names or plans.reading(mode, target.history) is not Mode.UPSERT:
        return ()
    plan = dataclasses.replace(_of_tokens(target), primary_key=names)
    paths = target.quarantine.paths(head)
    return target.engine.again(paths, counting(target.table), staged, plan, folder, batch=key)


def _of_tokens(target: Target) -> Plan:
    """The plan that reads the keys of records in which tokens stand (rule 6)."""
    protect = target.protect
    methods = {} if protect is None else {each.column: each.method for each in protect.protections}
    columns = tuple(
        _of_token(column, is_token=methods[column.name] is Method.TOKEN) if column.name in methods else column
        for column in target.plan.columns
    )
    return dataclasses.replace(target.plan, columns=columns)


def _of_token(column: ColumnPlan, *, is_token: bool) -> ColumnPlan:
    cell = '"' + column.source.replace('"', '""') + '"'
    if not is_token:
        return dataclasses.replace(column, expression=f"CASE WHEN {cell} IS NULL THEN {cell} END")
    form = f"CASE WHEN substr({cell}, 1, {len(PREFIX)}) = '{PREFIX}' THEN substr({cell}, 1, {LENGTH})"
    return dataclasses.replace(column, expression=f"{form} ELSE {column.expression or cell} END")


def closed(addresses: Sequence[Address], folder: Path, key: str) -> Sequence[StagedFile]:
    """Marks, which count as of the commit `key`, for the rows at these places (rule 3)."""
    from lastro.engine.returned import marked

    return marked(addresses, key, folder, MARKS) if addresses else ()


def refused_again(
    target: Target, head: VersionInfo, staged: Staged, addresses: Sequence[Address], folder: Path, key: str
) -> None:
    """Puts corrected rows, none of which is kept, in the place of those that they name (rule 4)."""
    from lastro.engine.returned import readdressed

    counts_as = head.origin.idempotency_key
    own = key[-8:]  # files of one name may be refused again and again under one version
    rows = readdressed(staged.quarantined, counts_as, lambda source: f"{source} {own}", folder, "anew")
    marks = closed(addresses, folder, counts_as)
    origin = Origin(Mode.APPEND, refusal(key, head), source=LABEL, contract_digest=target.plan.contract_digest)
    set_aside_alone(target, (*rows, *marks), origin, counts_as)


def refusal(key: str, head: VersionInfo | None) -> str:
    """Under which key the quarantine holds the corrections `key`, all refused, of this newest version's."""
    return digest.of_parts([key, "refused", head.digest if head else ""])

"""Versions: what a dataset was at one moment, and how it came to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lastro.model.schema import Schema


class Mode(StrEnum):
    """How a batch changes a dataset.

    `append` adds rows, `overwrite` replaces all of them, `upsert` replaces those with an equal primary key and adds
    the rest. `snapshot` makes the table equal to the batch and touches only what differs, `scd2` keeps every state of a
    row with the time for which it held. `interval` replaces the rows whose column lies in one interval, and no others.
    `restore` makes an earlier version the newest again.
    """

    APPEND = "append"
    OVERWRITE = "overwrite"
    UPSERT = "upsert"
    SNAPSHOT = "snapshot"
    SCD2 = "scd2"
    INTERVAL = "interval"
    RESTORE = "restore"


LAW = "law:"
"""How the sources of versions begin that a law asked for – rows past their retention left, a row was corrected: they
bring no batch, and stand for nothing but themselves."""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The rows of one batch. `read == kept + quarantined`, always; a commit that breaks this is refused."""

    read: int
    kept: int
    quarantined: int

    @property
    def conserved(self) -> bool:
        """True if no row was lost and none doubled between source and commit."""
        return self.read == self.kept + self.quarantined


@dataclass(frozen=True, slots=True)
class RowChanges:
    """What became of the kept rows of a batch that was compared with the table, and of the table's own.

    A kept row was `inserted` where the table had none of its key, `updated` one that differed, was `unchanged`, or is
    `gone`: it only said that a row was deleted. `deleted` are stored rows that ended without a new one, `removed` all
    stored rows that are in no file any more (in a history, ended rows stay).
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    gone: int = 0
    deleted: int = 0
    removed: int = 0

    @property
    def any(self) -> bool:
        """True if the table is another afterwards."""
        return bool(self.inserted or self.updated or self.deleted or self.removed)

    def account_for(self, kept: int, added: int, replaced: int) -> bool:
        """True if no row was lost and none doubled: `kept` rows of the batch, `added` rows of new files, which hold
        what stays of the `replaced` rows of files that went.
        """
        of_batch = self.inserted + self.updated
        return kept == of_batch + self.unchanged + self.gone and added == of_batch + replaced - self.removed


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One immutable data file of a version: path relative to the table, bytes, digest and rows."""

    path: str
    size: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version came from: everything that makes it a pure function of its inputs.

    `idempotency_key` names the attempt: a second commit under the same key is the first one. `cursor` is the source's
    watermark, carried by the very commit that carries its rows. `inputs` are the references (with digests) of upstream
    versions, `findings` the rules' results as plain values.
    """

    mode: Mode
    idempotency_key: str
    source: str = ""
    cursor: dict[str, Any] = field(default_factory=dict)  # Any: JSON values, the source's own
    contract_digest: str = ""
    code_digest: str = ""
    engine: str = ""
    run: str = ""
    counts: RowCounts | None = None
    inputs: tuple[str, ...] = ()
    content: str = ""
    """Digest of what the batch brought; equal for two batches with the same rows: nothing new makes no version."""
    profile: dict[str, Any] = field(default_factory=dict)  # Any: JSON values, counts per column of the whole version
    findings: tuple[dict[str, Any], ...] = ()  # Any: JSON values
    more: bool = False
    """True if the reading went on after this batch: the next ingestion continues from `cursor`."""
    whole: bool = False
    """True if the batch of a history was everything that there was, so that rows set aside before it are past."""
    changes: RowChanges | None = None
    reconciliation: dict[str, Any] = field(default_factory=dict)  # Any: JSON values; what source and table counted
    amendment: dict[str, Any] = field(default_factory=dict)  # Any: JSON values
    """What Lastro changed in the contract for this batch, and the digest of the contract before; usually nothing."""
    made_of: dict[str, Any] = field(default_factory=dict)  # Any: JSON values
    """Of a derived version, beside `inputs`: the digest of the step's `code`, its `parameters`, and the `interval` that
    was made where it is made by intervals; else nothing."""
    columns: dict[str, Any] = field(default_factory=dict)  # Any: JSON values
    """Of a derived version, for each column: which `[dataset, column]`s of its `inputs` it comes from; nothing where
    that is not known."""
    cleaning: dict[str, Any] = field(default_factory=dict)  # Any: JSON values
    """What cleaning did to the batch, for each column that is cleaned: the counts of `model.cleaning`."""


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version of a dataset.

    `digest` covers the schema, every file's SHA-256, the origin and the parent's digest: one head digest pins the whole
    history. `rows` and `size` (bytes) are the whole version's, not the batch's. `files` are all files of the version.
    """

    dataset: str
    number: int
    digest: str
    parent: str | None
    committed: datetime
    schema: Schema
    rows: int
    size: int
    files: tuple[FileEntry, ...]
    origin: Origin
    generation: int = 0
    """The last erasure that took rows or their traces from this version; 0 if none did. `digest` stays the same."""

    @property
    def reference(self) -> str:
        """`name@number`."""
        return f"{self.dataset}@{self.number}"

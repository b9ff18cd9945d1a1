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
    the rest, `restore` makes an earlier version the newest again.
    """

    APPEND = "append"
    OVERWRITE = "overwrite"
    UPSERT = "upsert"
    RESTORE = "restore"


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

    @property
    def reference(self) -> str:
        """`name@number`."""
        return f"{self.dataset}@{self.number}"

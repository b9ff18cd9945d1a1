"""The manifest: what Lastro knows of one version, chained to its parent.

Rules:

1. A manifest is one JSON object, `{"digest": …, "manifest": record}`, in canonical form and ended by a newline.
   `digest` is the SHA-256 of the canonical record; a byte more, less or other is damage.
2. The record holds its parent's digest: one head digest pins the whole history.
3. It lists the files added and removed. Now and then (`is_listing_due`) it lists all files too, so that reading a
   version opens few manifests, and all manifests together stay linear in the number of versions.
4. Where rows were erased from a version, the record says what is left, the file names the generation, and `digest`
   stays the version's name: what proves such a record is the generation (`erasure.generations`).
5. A record is never re-encoded from typed values: what was read is what is digested, so that a later Lastro with more
   fields still proves an old record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lastro.model import clock, digest
from lastro.model.errors import Corrupted, StoreError
from lastro.model.schema import Schema
from lastro.model.text import _
from lastro.model.version import FileEntry, Mode, Origin, RowChanges, RowCounts, VersionInfo

FORMAT = 1
LISTING_EVERY = 64
"""At least so many manifests follow a full listing before the next; with many files more, see `is_listing_due`."""

_ADDED_LATER = frozenset({"more", "whole", "changes", "reconciliation", "amendment", "made_of", "columns", "cleaning"})
_CHANGES = ("inserted", "updated", "unchanged", "gone", "deleted", "removed")
Record = Mapping[str, Any]  # Any: JSON values; the fields stand in docs/format.md


@dataclass(frozen=True, slots=True)
class Manifest:
    """A record with its digest, and typed views of it."""

    record: Record
    digest: str
    generation: int = 0
    """The erasure that the record is of; 0 if nothing was ever erased from the version."""

    @classmethod
    def of(cls, record: Record) -> Manifest:
        """Digests a record. Raises `ValueError` if JSON cannot hold it."""
        return cls(record, digest.of_value(record))

    @property
    def number(self) -> int:
        """The version's number."""
        return int(self.record["number"])

    @property
    def parent(self) -> str | None:
        """The parent's digest, None for version 0."""
        parent = self.record["parent"]
        return None if parent is None else str(parent)

    @property
    def committed(self) -> datetime:
        """The commit time, in UTC; never before the parent's."""
        return clock.from_text(self.record["committed"])

    @property
    def schema(self) -> Schema:
        """The columns of this version."""
        return Schema.from_delta(json.dumps(self.record["schema"]))

    @property
    def origin(self) -> Origin:
        """Where the version came from."""
        return origin_of(self.record["origin"])

    @property
    def key(self) -> str:
        """The idempotency key."""
        return str(self.record["origin"]["idempotency_key"])

    @property
    def added(self) -> tuple[FileEntry, ...]:
        """The files this version brought."""
        return tuple(entry_of(value) for value in self.record["added"])

    @property
    def removed(self) -> tuple[FileEntry, ...]:
        """The files of the parent that this version no longer has."""
        return tuple(entry_of(value) for value in self.record["removed"])

    @property
    def listing(self) -> tuple[FileEntry, ...] | None:
        """All files of the version, where this manifest lists them."""
        files = self.record["files"]
        return None if files is None else tuple(entry_of(value) for value in files)

    @property
    def proof(self) -> str:
        """The digest of the record: the version's own until rows are erased from it."""
        return digest.of_value(self.record) if self.generation else self.digest

    def encode(self) -> bytes:
        """The manifest as it stands on disk."""
        generation = {"generation": self.generation} if self.generation else {}
        return digest.canonical({"digest": self.digest, **generation, "manifest": self.record}) + b"\n"


@dataclass(frozen=True, slots=True)
class State:
    """A version with all its files, in the order they were added."""

    manifest: Manifest
    files: Mapping[str, FileEntry]
    since_listing: int
    """How many manifests lie between this one and the last full listing; 0 if this one lists all."""

    def info(self) -> VersionInfo:
        """The version as the rest of Lastro sees it."""
        record = self.manifest.record
        return VersionInfo(
            dataset=record["dataset"],
            number=self.manifest.number,
            digest=self.manifest.digest,
            parent=self.manifest.parent,
            committed=self.manifest.committed,
            schema=self.manifest.schema,
            rows=record["rows"],
            size=record["size"],
            files=tuple(self.files.values()),
            origin=self.manifest.origin,
            generation=self.manifest.generation,
        )


def decode(content: bytes, *, dataset: str, number: int, where: str) -> Manifest:
    """Reads a manifest and proves its digest, save that of a record from which rows were erased: that is for its
    generation to prove. Raises `Corrupted`, or `StoreError` if a newer Lastro wrote it.
    """
    try:
        outer = json.loads(content)
        record, claimed = outer["manifest"], outer["digest"]
        newer, generation = int(record["lastro"]) > FORMAT, int(outer.get("generation", 0))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _damaged(where) from error
    if not generation and digest.of_value(record) != claimed:
        raise _damaged(where)
    if newer:
        raise StoreError(
            _("{dataset} was written by a newer Lastro").format(dataset=dataset),
            where=where,
            do=_("install a newer Lastro: pip install --upgrade lastro"),
        )
    manifest = Manifest(record, claimed, generation)
    if record["dataset"] != dataset or record["number"] != number or manifest.encode() != content:
        raise _damaged(where)
    return manifest


def advance(parent: State | None, manifest: Manifest) -> State:
    """The files after a version, given its parent's. Raises `Corrupted` if the two do not fit."""
    expected = None if parent is None else parent.manifest.digest
    where = f"{manifest.record['dataset']}@{manifest.number}"
    if manifest.parent != expected:
        raise Corrupted(
            _("version {number} does not continue its parent").format(number=manifest.number), where=where, do=_repair()
        )
    files = dict(parent.files) if parent else {}
    for entry in manifest.removed:
        if files.pop(entry.path, None) != entry:
            raise Corrupted(_("a version removes a file its parent does not have"), where=where, do=_repair())
    for entry in manifest.added:
        if entry.path in files:
            raise Corrupted(_("a version adds a file its parent has already"), where=where, do=_repair())
        files[entry.path] = entry
    listing = manifest.listing
    if listing is not None and listing != tuple(files.values()):
        raise Corrupted(_("a version's listing does not match its history"), where=where, do=_repair())
    return State(manifest, files, 0 if listing is not None or parent is None else parent.since_listing + 1)


def start(manifest: Manifest) -> State | None:
    """The state of a version from its own manifest alone, where that is possible: version 0 or a full listing."""
    listing = manifest.listing
    if listing is not None:
        return State(manifest, {entry.path: entry for entry in listing}, 0)
    return advance(None, manifest) if manifest.number == 0 else None


def is_listing_due(parent: State | None, files: int) -> bool:
    """True if the next manifest is to list all files: after 64 versions, with many files after a sixteenth of them."""
    return parent is not None and parent.since_listing + 1 >= max(LISTING_EVERY, files // 16)


def entry_of(value: Mapping[str, Any]) -> FileEntry:  # Any: JSON values
    """A file as a record lists it."""
    return FileEntry(value["path"], value["size"], value["sha256"], value["rows"])


def entry_value(entry: FileEntry) -> dict[str, Any]:  # Any: JSON values
    """The JSON form of a file."""
    return asdict(entry)


def origin_value(origin: Origin) -> dict[str, Any]:  # Any: JSON values
    """The JSON form of an origin: tuples become lists, and what was added later stands only where it says something."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(origin), allow_nan=False))  # Any: JSON values
    return {name: value for name, value in plain.items() if value or name not in _ADDED_LATER}


def origin_of(value: Mapping[str, Any]) -> Origin:  # Any: JSON values
    """The origin of a record. Fields this Lastro does not know are left out."""
    known = {name: value[name] for name in Origin.__dataclass_fields__ if name in value}
    counts, changes = known.get("counts"), known.get("changes")
    known |= {
        "changes": None if changes is None else RowChanges(**{name: changes[name] for name in _CHANGES}),
        "mode": Mode(value["mode"]),
        "counts": None if counts is None else RowCounts(counts["read"], counts["kept"], counts["quarantined"]),
        "inputs": tuple(value.get("inputs", ())),
        "findings": tuple(value.get("findings", ())),
    }
    return Origin(**known)


def _damaged(where: str) -> Corrupted:
    return Corrupted(_("a manifest is damaged"), where=where, do=_repair())


def _repair() -> str:
    return _("lastro verify names the damage; lastro repair shows what can be mended")

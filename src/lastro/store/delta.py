"""Delta commits: what other readers see of a version.

Rules:

1. A commit is a pure function of a manifest: `render`. So a damaged commit is made again from the manifest, and
   `rebuild` makes the manifest again from the commit and the parent's state. What `render` writes for format 1 is
   therefore part of the format: a change of it needs format 2.
2. The actions stand in this order: commitInfo, protocol, metaData, txn, remove, add. One JSON object a line, each line
   ended by a newline.
3. `commitInfo.lastro` carries what Delta has no place for: digests and rows of the files, the origin, the parent's and
   the version's own digest.
4. The application transaction `lastro/<idempotency key>` is in the commit that carries the rows.
5. Reader 1 and writer 2, without table features; only a column of type `timestamp_ntz` asks for reader 3 and writer 7.

The protocol: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lastro.model.clock import from_text
from lastro.model.digest import canonical
from lastro.model.digest import of_value as digest_of
from lastro.model.release import VERSION
from lastro.model.schema import Field, ListOf, MapOf, Primitive, Schema, StructOf, Type
from lastro.store.erasure.generations import Proof
from lastro.store.manifest import FORMAT, Manifest, Record, State, entry_of, entry_value, is_listing_due

ENGINE = f"lastro/{VERSION}"
CONFIGURATION = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
    "delta.checkpointInterval": "50",
}
"""Nothing that a version needs may be cleaned up by another writer."""
_OPERATIONS = {"append": "WRITE", "overwrite": "WRITE", "restore": "RESTORE"}

Action = dict[str, Any]  # Any: JSON values, by Delta's protocol


@dataclass(frozen=True, slots=True)
class Commit:
    """A parsed commit. `own` is what Lastro wrote into its commitInfo, None for another writer's."""

    actions: Sequence[Action]
    own: Mapping[str, Any] | None  # Any: JSON values

    def all(self, kind: str) -> list[Action]:
        """The actions of one kind, in order."""
        return [action[kind] for action in self.actions if kind in action]

    @property
    def writer(self) -> str:
        """The engine that wrote it, as it calls itself."""
        infos = self.all("commitInfo")
        return str(infos[0].get("engineInfo", "")) if infos else ""


def render(manifest: Manifest) -> bytes:
    """The commit of a version, byte for byte."""
    record = manifest.record
    if record["foreign"] is not None:
        return str(record["foreign"]).encode()
    milliseconds = milliseconds_of(record["committed"])
    actions = [_commit_info(manifest, milliseconds)]
    if record["announces"]:
        actions += [_protocol(record), _metadata(record)]
    key = record["origin"]["idempotency_key"]
    actions.append({"txn": {"appId": f"lastro/{key}", "version": record["number"], "lastUpdated": milliseconds}})
    actions += [_remove(value, milliseconds) for value in record["removed"]]
    actions += [_add(value) for value in record["added"]]
    return b"".join(canonical(action) + b"\n" for action in actions)


def parse(content: bytes) -> Commit:
    """Reads a commit. Raises `ValueError` if it is empty, cut off or no JSON: such a commit is torn."""
    actions = [json.loads(line) for line in content.splitlines() if line.strip()]
    if not actions or not all(isinstance(action, dict) for action in actions):
        raise ValueError("a commit holds at least one action")
    infos = [action["commitInfo"] for action in actions if isinstance(action.get("commitInfo"), dict)]
    own = infos[0].get("lastro") if infos else None
    return Commit(actions, own if isinstance(own, dict) else None)


def rebuild(commit: Commit, parent: State | None, *, proof: Proof | None = None) -> Manifest:
    """The manifest of a commit that Lastro wrote. Raises `ValueError` unless it proves equal to the one committed, or
    to what the last erasure left of it, of which `proof` tells.
    """
    own = commit.own
    if own is None or own.get("format") != FORMAT:
        raise ValueError("not a commit of this format")
    try:
        record = _record_again(commit, own, parent)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("a commit is incomplete") from error
    claimed = str(own["digest"])
    expected = proof or Proof(0, claimed, claimed)
    if claimed != expected.digest or digest_of(record) != expected.record:
        raise ValueError("a commit does not prove its version")
    return Manifest(record, claimed, expected.generation)


def needs_timestamp_ntz(schema: Schema) -> bool:
    """True if a column, however deep, is a timestamp without a zone."""
    return any(_holds_ntz(field.type) for field in schema.fields)


def milliseconds_of(moment: str) -> int:
    """A moment's text as milliseconds since 1970, rounded down."""
    return microseconds_of(moment) // 1000


def microseconds_of(moment: str) -> int:
    """A moment's text as microseconds since 1970."""
    found = from_text(moment)
    return int(found.timestamp()) * 1_000_000 + found.microsecond


def _record_again(commit: Commit, own: Mapping[str, Any], parent: State | None) -> Record:  # Any: JSON values
    files = dict(parent.files) if parent else {}
    removed = [files.pop(action["path"]) for action in commit.all("remove")]
    added = [
        {
            "path": action["path"],
            "size": action["size"],
            "modified": action["modificationTime"],
            "stats": action["stats"],
            **own["files"][action["path"]],
        }
        for action in commit.all("add")
    ]
    files |= {value["path"]: entry_of(value) for value in added}
    metadata = commit.all("metaData")
    schema = json.loads(metadata[0]["schemaString"]) if metadata else _inherited(parent)["schema"]
    return record(
        kept={name: own[name] for name in ("dataset", "number", "parent", "committed", "table", "writer", "origin")},
        schema=schema,
        announces=bool(metadata),
        added=added,
        removed=[entry_value(entry) for entry in removed],
        parent=parent,
    )


def record(
    *,
    kept: Mapping[str, Any],  # Any: JSON values, the fields that are taken over as they are
    schema: Any,  # Any: a schema in Delta's JSON form
    announces: bool,
    added: Sequence[Mapping[str, Any]],  # Any: JSON values
    removed: Sequence[Mapping[str, Any]],  # Any: JSON values
    parent: State | None,
    foreign: str | None = None,
) -> Record:
    """The record of a version: what is given, and what follows from its parent (totals, the full listing if due)."""
    files = {} if parent is None else dict(parent.files)
    for value in removed:
        del files[value["path"]]
    files |= {value["path"]: entry_of(value) for value in added}
    listed = is_listing_due(parent, len(files))
    return {
        "lastro": FORMAT,
        **kept,
        "schema": schema,
        "announces": announces,
        "added": list(added),
        "removed": list(removed),
        "rows": sum(entry.rows for entry in files.values()),
        "size": sum(entry.size for entry in files.values()),
        "files": [entry_value(entry) for entry in files.values()] if listed else None,
        "foreign": foreign,
    }


def _inherited(parent: State | None) -> Record:
    if parent is None:
        raise ValueError("the first commit announces a schema")
    return parent.manifest.record


def _commit_info(manifest: Manifest, milliseconds: int) -> Action:
    record = manifest.record
    mode = record["origin"]["mode"]
    own = {name: record[name] for name in ("dataset", "number", "parent", "committed", "table", "writer", "origin")}
    own |= {
        "format": FORMAT,
        "digest": manifest.digest,
        "files": {value["path"]: {"sha256": value["sha256"], "rows": value["rows"]} for value in record["added"]},
    }
    return {
        "commitInfo": {
            "timestamp": milliseconds,
            "operation": _OPERATIONS.get(mode, "MERGE"),
            "operationParameters": {"mode": mode.capitalize()},
            "isBlindAppend": mode == "append",
            "engineInfo": record["writer"],
            "lastro": own,
        }
    }


def _protocol(record: Record) -> Action:
    if not record["table"]["ntz"]:
        return {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
    return {
        "protocol": {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": ["timestampNtz"],
            "writerFeatures": ["appendOnly", "invariants", "timestampNtz"],
        }
    }


def _metadata(record: Record) -> Action:
    return {
        "metaData": {
            "id": record["table"]["id"],
            "name": record["dataset"],
            "format": {"provider": "parquet", "options": {}},
            "schemaString": canonical(record["schema"]).decode(),
            "partitionColumns": [],
            "configuration": CONFIGURATION,
            "createdTime": record["table"]["created"],
        }
    }


def _remove(value: Mapping[str, Any], milliseconds: int) -> Action:  # Any: JSON values
    return {
        "remove": {
            "path": value["path"],
            "deletionTimestamp": milliseconds,
            "dataChange": True,
            "extendedFileMetadata": True,
            "partitionValues": {},
            "size": value["size"],
        }
    }


def _add(value: Mapping[str, Any]) -> Action:  # Any: JSON values
    return {
        "add": {
            "path": value["path"],
            "partitionValues": {},
            "size": value["size"],
            "modificationTime": value["modified"],
            "dataChange": True,
            "stats": value["stats"],
        }
    }


def _holds_ntz(kind: Type) -> bool:
    match kind:
        case ListOf(item):
            return _holds_ntz(item)
        case MapOf(key, value):
            return _holds_ntz(key) or _holds_ntz(value)
        case StructOf(fields):
            return any(_holds_ntz(field.type) for field in fields if isinstance(field, Field))
        case _:
            return kind is Primitive.TIMESTAMP_NTZ

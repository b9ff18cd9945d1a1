"""Taking over what another writer committed: only on request, and only what a version of ours can hold.

Rules:

1. A commit is taken over whole or not at all; `obstacle` says why not.
2. Refused are partitions, deletion vectors, column mapping, row tracking and every table feature but `timestampNtz`.
3. Its files are hashed now: the version is proven from here on, not from when the other writer made it.
4. The commit's text is kept in the manifest, so that it can be put back byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lastro.model import clock, digest
from lastro.model.errors import Corrupted
from lastro.model.schema import Schema
from lastro.model.text import _
from lastro.model.version import FileEntry, Mode, Origin
from lastro.store import content, delta, disk, reading, stats
from lastro.store.delta import Action, Commit
from lastro.store.manifest import Manifest, State, entry_value, origin_value
from lastro.store.paths import Places, from_delta

TORN = "is cut off"
_FEATURES = {"timestampNtz", "appendOnly", "invariants"}
_KINDS = {"commitInfo", "protocol", "metaData", "txn", "add", "remove", "cdc"}
_MODES = {"RESTORE": Mode.RESTORE, "MERGE": Mode.UPSERT, "UPDATE": Mode.UPSERT, "DELETE": Mode.UPSERT}


def obstacle(found: bytes | None) -> str:
    """Why a commit cannot be taken over; empty if it can, `TORN` if it is no whole commit."""
    try:
        commit = delta.parse(found or b"")
        found_kinds = {kind for action in commit.actions for kind in action}
        schemas = [Schema.from_delta(value["schemaString"]) for value in commit.all("metaData")]
    except (ValueError, LookupError, TypeError, AttributeError):
        return TORN
    if commit.own is not None:
        return TORN  # ours, and it does not prove its version
    if found_kinds - _KINDS or any(_is_demanding(value) for value in commit.all("protocol")):
        return _("uses features of Delta Lake that Lastro does not")
    if any(value.get("partitionColumns") or _has_mapping(value) for value in commit.all("metaData")):
        return _("changes the table to partitions or mapped columns")
    if any(value.get("partitionValues") or value.get("deletionVector") for value in commit.all("add")):
        return _("adds files with partitions or deletion vectors")
    return "" if all(schema.fields for schema in schemas) else _("takes all columns away")


def adopt(places: Places, number: int, parent: State | None) -> Manifest:
    """The manifest of another writer's commit, its files hashed, read-only and durable.

    Raises `Corrupted` if a file is missing, of another size, or outside the table; `OSError`.
    """
    text = reading.read(places.commit(number))
    commit = delta.parse(text)
    schema = _schema(commit, parent)
    files = {} if parent is None else parent.files
    removed = [path for value in commit.all("remove") if (path := from_delta(value["path"])) in files]
    added = [_add(places, value, schema) for value in commit.all("add")]
    added = [value for value in added if value["path"] not in files or value["path"] in removed]
    for value in added:
        disk.freeze(places.data(value["path"]))
    for folder in {places.data(value["path"]).parent for value in added} | {places.table}:
        disk.sync_folder(folder)
    disk.sync_file(places.commit(number))
    disk.sync_folder(places.log)
    return Manifest.of(
        delta.record(
            kept=_kept(places, commit, text, number, parent),
            schema=json.loads(schema.to_delta()),
            announces=bool(commit.all("metaData")),
            added=added,
            removed=[entry_value(files[path]) for path in dict.fromkeys(removed)],
            parent=parent,
            foreign=text.decode(),
        )
    )


def _kept(
    places: Places, commit: Commit, text: bytes, number: int, parent: State | None
) -> Mapping[str, Any]:  # Any: JSON values
    before = parent.manifest if parent else None
    info: Action = next(iter(commit.all("commitInfo")), {})
    claimed = info.get("timestamp")
    written_ns = places.commit(number).stat().st_mtime_ns
    milliseconds = claimed if isinstance(claimed, int) else written_ns // 1_000_000
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    metadata = commit.all("metaData")
    if before is None or metadata:
        table = {"id": metadata[0]["id"], "created": metadata[0].get("createdTime") or milliseconds}
    else:
        table = before.record["table"]
    ntz = any("timestampNtz" in (value.get("readerFeatures") or ()) for value in commit.all("protocol"))
    return {
        "dataset": places.dataset,
        "number": number,
        "parent": before.digest if before else None,
        "committed": clock.to_text(max(moment, before.committed) if before else moment),
        "table": {**table, "ntz": ntz or bool(before and before.record["table"]["ntz"])},
        "writer": delta.ENGINE,
        "origin": origin_value(_origin(commit, info, text)),
    }


def _origin(commit: Commit, info: Action, text: bytes) -> Origin:
    operation = str(info.get("operation", ""))
    parameters = info.get("operationParameters") or {}
    if operation in _MODES:
        mode = _MODES[operation]
    elif commit.all("remove"):
        mode = Mode.OVERWRITE if parameters.get("mode") == "Overwrite" else Mode.UPSERT
    else:
        mode = Mode.APPEND
    return Origin(mode, f"adopted:{digest.of_bytes(text)}", source=commit.writer or "another Delta writer")


def _schema(commit: Commit, parent: State | None) -> Schema:
    for value in commit.all("metaData"):
        return Schema.from_delta(value["schemaString"])
    if parent is None:
        raise _unusable(_("the first commit announces no columns"), "")
    return parent.manifest.schema


def _add(places: Places, value: Action, schema: Schema) -> dict[str, Any]:  # Any: JSON values
    path = from_delta(value["path"])
    file = places.data(path)
    if reading.size_of(file) != value["size"]:
        raise _unusable(_("a file is missing or of another size than the commit says"), path)
    try:
        footer = stats.read_footer(file, schema)
    except ValueError as error:
        raise _unusable(_("a file is no Parquet file"), path) from error
    entry = FileEntry(path, value["size"], content.hashes([file])[0], footer.rows)
    return {**entry_value(entry), "stats": footer.stats, "modified": value["modificationTime"]}


def _is_demanding(protocol: Action) -> bool:
    features: Sequence[str] = [*(protocol.get("readerFeatures") or ()), *(protocol.get("writerFeatures") or ())]
    if protocol.get("minWriterVersion", 0) >= 7:
        return not set(features) <= _FEATURES
    return bool(protocol.get("minReaderVersion", 0) > 1 or protocol.get("minWriterVersion", 0) > 2)


def _has_mapping(metadata: Action) -> bool:
    configuration = metadata.get("configuration") or {}
    return str(configuration.get("delta.columnMapping.mode", "none")) != "none"


def _unusable(what: str, where: str) -> Corrupted:
    return Corrupted(what, where=where, do=_("undo the other writer's commit, or copy its rows in with lastro ingest"))

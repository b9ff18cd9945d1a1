"""What is left of a version's record when rows were erased from its files. Values in, values out.

Rules:

1. Paths, sizes, order, schema, moments, parents and keys stay: the version keeps its name and its place.
2. Digests, rows and statistics of a file are those of the file as it is. Of a file that is gone, only counts stay.
3. Where a version lost rows, or a file of its batch is gone, what was measured of their values goes: means, extremes
   and distinct values of the batch (the newest moment is taken anew from the statistics), and findings that are a
   column's value rather than a count. Counts of rows are history, and stay.
4. Texts – sources, cursors, another writer's predicates – are given to `text`, which takes out what must not stay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lastro.store.manifest import Record
from lastro.store.paths import from_delta

Text = Callable[[str], str]
_MOMENTS = frozenset({"date", "timestamp", "timestamp_ntz"})
_KEPT = frozenset({"idempotency_key", "mode"})


@dataclass(frozen=True, slots=True)
class Left:
    """What a file is now: its digest, its rows, its statistics as Delta's text."""

    sha256: str
    rows: int
    stats: str


def scrub(record: Record, left: Mapping[str, Left], *, rows: int, text: Text) -> Record:
    """The record of a version of which `rows` are left; the very same object if nothing is another."""
    lost = rows != record["rows"] or any(_lost(value, left) for value in (*record["added"], *record["removed"]))
    added = [_file(value, left) for value in record["added"]]
    files = record["files"]
    new = {
        **record,
        "added": added,
        "removed": [_file(value, left) for value in record["removed"]],
        "files": None if files is None else [_file(value, left) for value in files],
        "rows": rows,
        "origin": _texts(_measured(record, added) if lost else record["origin"], text),
        "foreign": None if record["foreign"] is None else _commit(str(record["foreign"]), left, text),
    }
    return record if new == record else new


def counts_only(stats: str) -> str:
    """Statistics without bounds."""
    try:
        found = json.loads(stats)
    except ValueError:
        return ""
    kept = {name: found[name] for name in ("numRecords", "nullCount") if name in found}
    return stats if kept.keys() == found.keys() else json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def bounded(stats: str | None) -> frozenset[str]:
    """The columns of which statistics hold a bound."""
    try:
        found = json.loads(stats or "{}")
        return frozenset({*found.get("minValues", {}), *found.get("maxValues", {})})
    except (ValueError, TypeError, AttributeError):
        return frozenset()


def _lost(value: Mapping[str, Any], left: Mapping[str, Left]) -> bool:  # Any: JSON values
    """True if a file lost rows, or is gone and loses its bounds: then nobody knows whose rows were measured."""
    found = left.get(value["path"])
    return found is not None and (found.sha256 != value["sha256"] or found.stats != value.get("stats", found.stats))


def _file(value: Mapping[str, Any], left: Mapping[str, Left]) -> dict[str, Any]:  # Any: JSON values
    found = left.get(value["path"])
    if found is None:
        return dict(value)
    stats = {"stats": found.stats} if "stats" in value else {}
    return {**value, "sha256": found.sha256, "rows": found.rows, **stats}


def _measured(record: Record, added: list[dict[str, Any]]) -> dict[str, Any]:  # Any: JSON values
    origin = dict(record["origin"])
    profile = origin.get("profile") or {}
    moments = {each["name"] for each in record["schema"]["fields"] if str(each["type"]) in _MOMENTS}
    columns = {
        name: {"nulls": found.get("nulls", 0), **(_newest(name, added) if name in moments and told else {})}
        for name, found in profile.get("columns", {}).items()
        for told in [found.get("maximum")]
    }
    if profile:
        origin["profile"] = {**profile, "columns": columns}
    findings = [_finding(each) for each in origin.get("findings", ())]
    return {**origin, "findings": findings} if "findings" in origin else origin


def _newest(name: str, added: list[dict[str, Any]]) -> dict[str, str]:  # Any: JSON values
    found = [json.loads(value["stats"] or "{}").get("maxValues", {}).get(name) for value in added]
    known = [value for value in found if isinstance(value, str)]
    return {"maximum": max(known)} if known else {}


def _finding(found: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON values
    return {**found, "measured": None} if found.get("unit") == "number" else dict(found)


def _texts(value: Any, text: Text, *, name: str = "") -> Any:  # Any: JSON values
    match value:
        case str():
            return value if name in _KEPT else text(value)
        case dict():
            return {text(key): _texts(item, text, name=key) for key, item in value.items()}
        case list():
            return [_texts(item, text) for item in value]
        case _:
            return value


def _commit(commit: str, left: Mapping[str, Left], text: Text) -> str:
    """Another writer's commit, line by line; lines that do not change keep their bytes."""
    return "".join(_line(line, left, text) for line in commit.splitlines(keepends=True))


def _line(line: str, left: Mapping[str, Left], text: Text) -> str:
    if not line.strip():
        return line
    action = json.loads(line)
    new = {kind: _action(kind, value, left, text) for kind, value in action.items()}
    if new == action:
        return line
    ending = line[len(line.rstrip("\r\n")) :]
    return json.dumps(new, ensure_ascii=False, separators=(",", ":")) + ending


def _action(kind: str, value: Any, left: Mapping[str, Left], text: Text) -> Any:  # Any: JSON values
    if kind == "commitInfo":
        return _texts(value, text)
    found = left.get(from_delta(value["path"])) if kind in {"add", "remove"} else None
    return {**value, "stats": found.stats} if found is not None and value.get("stats") else value

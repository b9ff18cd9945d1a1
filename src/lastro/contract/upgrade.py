"""The upgrade of ODCS 3.0 and 3.1 documents to 3.2: explicit, and said.

Rules:

1. `apiVersion` 3.0.0, 3.0.1, 3.0.2 and 3.1.0 are upgraded, 3.2.0 is left alone, all others are refused.
2. 3.0 listed the team's members; since 3.1 they stand under `team.members`.
3. 3.0 named library rules by `rule`; since 3.1 it is `metric`. `duplicateCount` and `uniqueCheck` are duplicateValues,
   `validValues` is invalidValues with its list as an argument, `nullCheck` is nullValues, `countCheck` is rowCount.
   `nullCheck`, `uniqueCheck` and `validValues` without an operator meant that none are allowed: `mustBe: 0`.
4. 3.0's `exclusiveMaximum: true` made `maximum` exclusive; since 3.1 `exclusiveMaximum` is the bound itself.
5. 3.0 had no timestamp or time: a date whose format holds hours is a timestamp, or a time if it holds no year.
6. 3.0's `staging_dir` of an Athena server is `stagingDir`.

It changes plain dictionaries and ruamel's commented ones alike, in place, so that an upgraded file keeps its comments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lastro.contract.document import Path, Problems, path_text, shown
from lastro.model.text import _

CURRENT = "v3.2.0"
READ = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", CURRENT)

_METRICS = {
    "duplicateCount": "duplicateValues",
    "duplicates": "duplicateValues",
    "uniqueCheck": "duplicateValues",
    "validValues": "invalidValues",
    "nullCheck": "nullValues",
    "countCheck": "rowCount",
}
_NONE_ALLOWED = frozenset({"nullCheck", "uniqueCheck", "validValues"})

Document = dict[str, Any]  # Any: JSON values
Say = Callable[[Path, str], None]


def upgrade(document: Document, problems: Problems) -> tuple[str, ...]:
    """Changes a document to version 3.2 in place and says what it changed; a version not read is noted in `problems`.

    Values of a wrong kind are left as they are, for validation to explain.
    """
    version = document.get("apiVersion")
    if version == CURRENT or version is None:
        return ()
    if version not in READ:
        what = _("apiVersion {version} is not read").format(version=shown(version))
        problems.add(("apiVersion",), what, _("write `apiVersion: {version}`").format(version=CURRENT))
        return ()
    changes: list[str] = []

    def say(path: Path, what: str) -> None:
        changes.append(f"{path_text(path)}: {what}")

    document["apiVersion"] = CURRENT
    say(("apiVersion",), _("{before} became {after}").format(before=version, after=CURRENT))
    if str(version).startswith("v3.0"):
        if isinstance(document.get("team"), list):
            _move(problems.lines, ("team",), ("team", "members"))
        _from_3_0(document, say)
    return tuple(changes)


def _from_3_0(document: Document, say: Say) -> None:
    if isinstance(document.get("team"), list):
        document["team"] = {"members": document["team"]}
        say(("team",), _("the list of members became team.members"))
    for path, server in _items(document, "servers", ()):
        if "staging_dir" in server and "stagingDir" not in server:
            _rename(server, "staging_dir", "stagingDir", server["staging_dir"])
            say(path, _("{before} became {after}").format(before="staging_dir", after="stagingDir"))
    for path, node in _elements(document):
        _bounds(node, path, say)
        _times(node, path, say)
        for place, rule in _items(node, "quality", path):
            _rule(rule, place, say)


def _move(lines: dict[Path, int], old: Path, new: Path) -> None:
    """Gives everything below a key the same lines under another key."""
    for path in [path for path in lines if path[: len(old)] == old and path != old]:
        lines[(*new, *path[len(old) :])] = lines.pop(path)


def _elements(document: Document) -> Iterator[tuple[Path, Document]]:
    """Every schema object and property, at any depth."""
    stack = list(_items(document, "schema", ()))
    while stack:
        path, node = stack.pop(0)
        yield path, node
        stack.extend(_items(node, "properties", path))
        if isinstance(node.get("items"), dict):
            stack.append(((*path, "items"), node["items"]))


def _items(node: Document, key: str, path: Path) -> Iterator[tuple[Path, Document]]:
    items = node.get(key)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield (*path, key, index), item


def _bounds(node: Document, path: Path, say: Say) -> None:
    options = node.get("logicalTypeOptions")
    if not isinstance(options, dict):
        return
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = options.get(exclusive)
        if not isinstance(flag, bool):
            continue
        del options[exclusive]
        if flag and inclusive in options:
            _rename(options, inclusive, exclusive, options[inclusive])
        say((*path, "logicalTypeOptions", exclusive), _("true or false became the bound itself"))


def _times(node: Document, path: Path, say: Say) -> None:
    options = node.get("logicalTypeOptions")
    form = options.get("format") if isinstance(options, dict) else None
    if node.get("logicalType") != "date" or not isinstance(form, str) or not ({"H", "h"} & set(form)):
        return
    node["logicalType"] = "timestamp" if {"y", "Y", "u"} & set(form) else "time"
    say((*path, "logicalType"), _("{before} became {after}").format(before="date", after=node["logicalType"]))


def _rule(rule: Document, path: Path, say: Say) -> None:
    if rule.get("type", "library") != "library" or "rule" not in rule or "metric" in rule:
        return
    named = str(rule["rule"])
    _rename(rule, "rule", "metric", _METRICS.get(named, named))
    say(
        path,
        _("{before} became {after}").format(before=f"rule {shown(named)}", after=f"metric {shown(rule['metric'])}"),
    )
    if named == "validValues" and "validValues" in rule:
        _rename(rule, "validValues", "arguments", {"validValues": rule["validValues"]})
        say(path, _("{before} became {after}").format(before="validValues", after="arguments.validValues"))
    if named in _NONE_ALLOWED and not any(str(key).startswith("must") for key in rule):
        rule["mustBe"] = 0
        say(path, _("mustBe: 0 was implied and is written now"))


def _rename(mapping: Document, old: str, new: str, value: Any) -> None:  # Any: a JSON value
    """Puts a value under a new key, at the old one's place and with its comment where the mapping keeps such."""
    place = list(mapping).index(old)
    del mapping[old]
    insert = getattr(mapping, "insert", None)
    if insert is None:
        mapping[new] = value
        return
    insert(place, new, value)
    comments = mapping.ca.items  # type: ignore[attr-defined]  # it has `insert`, so it is ruamel's commented mapping
    if old in comments:
        comments[new] = comments.pop(old)

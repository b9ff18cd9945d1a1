"""Validation against the official JSON Schema of ODCS 3.2, with the words of a person.

Rules:

1. The schema of the package `open-data-contract-standard` decides; nothing is valid that it refuses.
2. An unknown key is an error that names the nearest known one. A key that is known but does not belong to this kind of
   column or rule is told so, unless something else is wrong at the same place.
3. A column without `logicalType` is told that, not the dozen of errors that follow from it.
4. Of alternatives (`oneOf`) the one whose type fits is explained.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import Any

from lastro.contract.document import Path, Problems, nearest, path_text, shown
from lastro.model.plan import Operator
from lastro.model.text import _

_COMBINING = frozenset({"allOf", "anyOf", "oneOf", "if", "then", "else"})


def validate(document: dict[str, Any], problems: Problems) -> None:  # Any: JSON values
    """Adds to `problems` everything the official schema refuses in a document of version 3.2."""
    untyped = set(_untyped(document))
    for path in untyped:
        problems.add(path, _("logicalType is missing"), _("add `logicalType: string` or the type it has"))
    errors = list(_leaves(_validator().iter_errors(document)))
    errors = [error for error in errors if not any(_path(error)[: len(path)] == path for path in untyped)]
    for error in errors:
        if not error.validator.startswith(("unevaluated", "additional")):
            _explain(error, problems)
    unknown = [error for error in errors if error.validator.startswith(("unevaluated", "additional"))]
    for error in sorted(unknown, key=lambda error: -len(error.absolute_path)):
        _explain_keys(error, problems)


def _untyped(document: dict[str, Any]) -> Iterator[Path]:  # Any: JSON values
    """The columns, members and items without a logical type."""
    for place, schema_object in _objects(document, "schema", ()):
        yield from (path for path, _node in _without_type(schema_object, place))


def _without_type(node: dict[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:  # Any: JSON values
    inner = list(_objects(node, "properties", path))
    if isinstance(node.get("items"), dict):
        inner.append(((*path, "items"), node["items"]))
    if isinstance(node.get("map"), dict):
        inner += [((*path, "map", key), node["map"][key]) for key in ("key", "value") if key in node["map"]]
    for place, child in inner:
        if isinstance(child, dict) and "logicalType" not in child:
            yield place, child
        elif isinstance(child, dict):
            yield from _without_type(child, place)


def _objects(node: dict[str, Any], key: str, path: Path) -> Iterator[tuple[Path, Any]]:  # Any: JSON values
    items = node.get(key)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield (*path, key, index), item


def _leaves(errors: Any) -> Iterator[Any]:  # Any: jsonschema has no types
    """The errors themselves, with alternatives replaced by the errors of the one that fits best."""
    for error in errors:
        if error.validator in ("oneOf", "anyOf") and error.context and not _is_operators(error):
            yield from _leaves(_closest(error))
        else:
            yield error


def _closest(error: Any) -> list[Any]:  # Any: jsonschema has no types
    branches: dict[Any, list[Any]] = {}  # Any: as above
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    depth = len(error.absolute_path)
    typed = [
        branch
        for branch in branches.values()
        if not any(inner.validator == "type" and len(inner.absolute_path) == depth for inner in branch)
    ]
    if len(typed) == 1 or (typed and len(branches) > len(typed)):
        return min(typed, key=len)
    expected = sorted({str(inner.validator_value) for inner in error.context if inner.validator == "type"})
    first = error.context[0]
    if expected and not typed:
        first.validator_value = expected
    return [first]


def _is_operators(error: Any) -> bool:  # Any: jsonschema has no types
    return any(Operator.MUST_BE.value in choice.get("required", ()) for choice in error.validator_value)


def _path(error: Any) -> Path:  # Any: jsonschema has no types
    return tuple(error.absolute_path)


def _explain(error: Any, problems: Problems) -> None:  # Any: jsonschema has no types
    path = _path(error)
    name = path_text(path) or _("the contract")
    rule = error.validator_value
    match error.validator:
        case "required":
            for key in (key for key in rule if key not in error.instance):
                do = _("add `{key}: …` to {place}").format(key=key, place=name)
                problems.add(path, _("the key {key} is missing").format(key=key), do)
        case "type":
            what = _("{name} is {kind}").format(name=name, kind=_kind(error.instance))
            expected = [rule] if isinstance(rule, str) else list(rule)
            problems.add(path, what, _("write {kinds}").format(kinds=_(" or ").join(map(_type_name, expected))))
        case "enum":
            problems.add(path, _not_allowed(error.instance), _choose(error.instance, rule))
        case "oneOf" if _is_operators(error):
            _explain_operators(error, problems)
        case "not":
            problems.add(path, _("the key from does not belong here"), _("remove it; it is this column"))
        case "pattern":
            do = _("write a value that matches {pattern}").format(pattern=rule)
            problems.add(path, _not_allowed(error.instance), do)
        case _:
            what = _("{name} breaks {keyword}: {limit}").format(name=name, keyword=error.validator, limit=shown(rule))
            problems.add(path, what, _("change it to satisfy the standard"))


def _explain_operators(error: Any, problems: Problems) -> None:  # Any: jsonschema has no types
    if not isinstance(error.instance, dict):
        return  # that the rule is no mapping is an error of its own
    operators = [operator.value for operator in Operator]
    given = [key for key in operators if key in error.instance]
    path = _path(error)
    if not given:
        typo = next((found for key in error.instance if (found := nearest(key, operators)) and key not in given), None)
        what = _("the rule says not what its number must be")
        problems.add(path, what, _("add an operator, such as `{key}: 0`").format(key=typo or "mustBe"))
    elif len(given) > 1:
        what = _("the rule has several operators: {keys}").format(keys=", ".join(given))
        problems.add(path, what, _("keep one; write a second rule for the other"))
    else:
        _explain_operand(given[0], error, problems)


def _explain_operand(operator: str, error: Any, problems: Problems) -> None:  # Any: jsonschema has no types
    pair = "Between" in operator
    what = _("{operator} has no fitting number").format(operator=operator)
    do = _("write `{operator}: [1, 5]`") if pair else _("write `{operator}: 5`")
    problems.add((*_path(error), operator), what, do.format(operator=operator))


def _explain_keys(error: Any, problems: Problems) -> None:  # Any: jsonschema has no types
    path = _path(error)
    known = sorted(_known_keys(error.schema, frozenset()))
    unknown = [key for key in error.instance if key not in known]
    for key in unknown:
        meant = nearest(key, known)
        do = _("did you mean {key}?").format(key=meant) if meant else _("use one of {keys}, or customProperties")
        what = _("the key {key} is unknown here").format(key=shown(key))
        problems.add((*path, key), what, do.format(keys=", ".join(known)))
    if unknown or problems.within(path):
        return
    for key in _misplaced(error, path):
        what = _("the key {key} does not belong to this kind of {place}").format(key=key, place=_place(path))
        problems.add((*path, key), what, _belongs(key))


def _misplaced(error: Any, path: Path) -> Iterator[str]:  # Any: jsonschema has no types
    """The keys that the standard knows, but not with the type this column or rule has."""
    instance = error.instance
    if "quality" in path[-2:]:
        wanted = {"metric": "library", "arguments": "library", "rule": "library", "query": "sql"}
        wanted |= {"engine": "custom", "implementation": "custom"}
        yield from (key for key in instance if key in wanted or key.startswith("must"))
    else:
        fitting = {"items": "array", "map": "map", "properties": "object"}
        yield from (key for key in instance if key in fitting and instance.get("logicalType") != fitting[key])


def _place(path: Path) -> str:
    return _("rule") if "quality" in path[-2:] else _("element")


def _belongs(key: str) -> str:
    types = {"items": "logicalType: array", "map": "logicalType: map", "properties": "logicalType: object"}
    types |= {"query": "type: sql", "engine": "type: custom", "implementation": "type: custom"}
    return _("remove it, or write `{type}`").format(type=types.get(key, "metric: nullValues"))


def _known_keys(schema: dict[str, Any], seen: frozenset[str]) -> set[str]:  # Any: a JSON schema
    """Every key that a schema allows in an object, under any condition."""
    keys = set(schema.get("properties", {}))
    if (reference := schema.get("$ref")) and reference not in seen:
        keys |= _known_keys(_definition(reference), seen | {reference})
    for combining in _COMBINING & schema.keys():
        parts = schema[combining]
        for part in parts if isinstance(parts, list) else [parts]:
            keys |= _known_keys(part, seen)
    return keys


def _definition(reference: str) -> dict[str, Any]:  # Any: a JSON schema
    node: Any = _schema()  # Any: a JSON schema
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return dict(node)


def _not_allowed(value: object) -> str:
    return _("{value!r} is not allowed here").format(value=shown(value))


def _choose(value: object, allowed: list[Any]) -> str:  # Any: JSON values
    meant = nearest(str(value), [str(choice) for choice in allowed])
    if meant:
        return _("did you mean {key}?").format(key=meant)
    return _("use one of {keys}").format(keys=", ".join(map(str, allowed)))


def _kind(value: object) -> str:
    match value:
        case None:
            return _("empty")
        case bool():
            return _("true or false")
        case int() | float():
            return _("a number")
        case str():
            return _("text")
        case list():
            return _("a list")
        case _:
            return _("a mapping of keys to values")


def _type_name(name: str) -> str:
    names = {
        "string": _("text, in quotes if it looks like a number"),
        "integer": _("a whole number"),
        "number": _("a number"),
        "boolean": _("true or false"),
        "array": _("a list, each item after `- `"),
        "object": _("keys and values, indented below"),
        "null": _("nothing"),
    }
    return names.get(name, name)


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:  # Any: a JSON schema
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@lru_cache(maxsize=1)
def _validator() -> Any:  # Any: jsonschema has no types
    from jsonschema import Draft201909Validator

    return Draft201909Validator(_schema())

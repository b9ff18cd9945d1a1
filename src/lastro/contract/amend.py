"""Contracts amended by Lastro: columns that a source brought are added, types that became too narrow are widened.

Rules:

1. An amendment is plain data, small enough to travel in the commit that needs it. `base` is the digest of the contract
   that it was made for.
2. What a person wrote stays as it is: comments, order, quotes, indentation. Lines are put in or replaced where they
   belong; only a document in a form that this cannot be done in (a column on one line) is written anew by a YAML
   writer that keeps comments and order. Both results must say exactly what was meant, or the file is left alone.
3. An added column may be missing, has no rule and no `classification`; the custom property `added` says when it came
   and on what evidence. Until a person classifies it, its values stand in no statistics.
4. A widened column keeps its rules and gets the custom property `widened`.
5. The contract's version gets its next minor number, where it has one.
6. What the contract has already is not done again.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lastro.contract.contract import Contract, meaning, parse
from lastro.contract.patch import patched, rewritten
from lastro.contract.policy import ADDED, VENDOR, WIDENED
from lastro.contract.types import COLUMNS_MAX
from lastro.model import digest as digests
from lastro.model.errors import ContractError
from lastro.model.schema import Decimal, ListOf, MapOf, Primitive, StructOf, Type
from lastro.model.text import _

_NUMBERED = re.compile(r"(v?\d+)\.(\d+)(\.\d+)?")
_PHYSICAL = {
    Primitive.BYTE: "tinyint",
    Primitive.SHORT: "smallint",
    Primitive.INTEGER: "int",
}
_LOGICAL = {
    **dict.fromkeys((Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG), "integer"),
    **dict.fromkeys((Primitive.FLOAT, Primitive.DOUBLE), "number"),
    **dict.fromkeys((Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ), "timestamp"),
    Primitive.STRING: "string",
    Primitive.BINARY: "string",
    Primitive.BOOLEAN: "boolean",
    Primitive.DATE: "date",
}
_TYPE_KEYS = ("logicalType", "physicalType")

Property = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Widening:
    """One column whose type becomes wider: both types as people read them, the keys to set, and the evidence."""

    column: str
    before: str
    after: str
    keys: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What Lastro changes in a contract: properties to add, as ODCS has them, and types to widen. `on` is a day."""

    base: str
    on: str
    added: tuple[Property, ...] = ()
    widened: tuple[Widening, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.widened)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The amendment as plain values, for the commit."""
        return {
            "base": self.base,
            "on": self.on,
            "added": [dict(each) for each in self.added],
            "widened": [asdict(each) for each in self.widened],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Amendment:  # Any: JSON values
        """Reads what `to_dict` gave."""
        widened = tuple(Widening(**each) for each in value.get("widened", ()))
        return cls(str(value["base"]), str(value["on"]), tuple(dict(each) for each in value.get("added", ())), widened)


def new_property(
    name: str,
    source: str,
    kind: Type,
    *,
    on: str,
    evidence: str,
    extra: Mapping[str, Any] | None = None,  # Any: JSON values
) -> Property:
    """The ODCS property of a column that a source brought. `extra` holds more of its keys, such as `transformLogic`."""
    found: Property = {"name": name} | ({} if source == name else {"physicalName": source}) | type_keys(kind)
    for key, value in (extra or {}).items():
        found[key] = {**found.get(key, {}), **value} if isinstance(value, dict) else value
    return found | {"customProperties": [mark(ADDED, {"since": on, "evidence": evidence})]}


def widening(column: str, before: str, after: str, kind: Type, *, evidence: str) -> Widening:
    """The change of one column's type to `kind`."""
    return Widening(column, before, after, type_keys(kind), evidence)


def type_keys(kind: Type) -> Property:
    """The keys of a property that say its type."""
    match kind:
        case Decimal(precision, scale):
            return {"logicalType": "number", "physicalType": f"decimal({precision},{scale})"}
        case ListOf(item):
            return {"logicalType": "array", "items": type_keys(item)}
        case MapOf(key, value):
            return {"logicalType": "map", "map": {"key": type_keys(key), "value": type_keys(value)}}
        case StructOf(fields):
            members = [{"name": member.name, **type_keys(member.type)} for member in fields]
            return {"logicalType": "object", "properties": members}
        case Primitive.FLOAT:
            return {"logicalType": "number", "logicalTypeOptions": {"format": "f32"}}
        case Primitive.TIMESTAMP | Primitive.TIMESTAMP_NTZ:
            options = {"timezone": kind is Primitive.TIMESTAMP}
            return {"logicalType": "timestamp", "logicalTypeOptions": options}
        case Primitive.BINARY:
            return {"logicalType": "string", "physicalType": "binary"}
        case _:
            physical = {"physicalType": _PHYSICAL[kind]} if kind in _PHYSICAL else {}
            return {"logicalType": _LOGICAL[kind], **physical}


def amend(contract: Contract, amendment: Amendment) -> Contract:
    """The contract after the amendment; the same if it says all of that already. Raises `ContractError`."""
    document = _amended(contract, amendment)
    return contract if document is None else written(contract, document)


def written(contract: Contract, document: Property) -> Contract:
    """The contract with its text changed in place so that it says what the document says (rule 2).

    Raises `ContractError` if that cannot be done.
    """
    wanted = digests.of_value(meaning(document))
    before = contract.dump()
    failure: ContractError | None = None
    for write in (patched, rewritten):
        try:
            found = parse(write(before, document), name=contract.name, dataset=contract.dataset)
        except ContractError as error:
            failure = error
            continue
        if found.digest == wanted:
            return found
    raise ContractError(
        _("the contract cannot be amended"),
        where=failure.where if failure else contract.name,
        do=failure.what if failure else _("write each column on lines of its own"),
    )


def _amended(contract: Contract, amendment: Amendment) -> Property | None:
    document: Property = copy.deepcopy(contract.document)
    dataset = next(each for each in document["schema"] if each["name"] == contract.dataset)
    properties: list[Property] = dataset["properties"]
    changed = [_widen(properties, each, amendment.on) for each in amendment.widened]
    new = list(_new(properties, amendment))
    if len(properties) + len(new) > COLUMNS_MAX:
        raise ContractError(
            _("{n} columns are more than {max}").format(n=len(properties) + len(new), max=COLUMNS_MAX),
            where=contract.name,
            do=_("split the dataset, or keep what is wide in one map column"),
        )
    properties.extend(new)
    if not new and not any(changed):
        return None
    document["version"] = next_version(str(document["version"]))
    return document


def _new(properties: list[Property], amendment: Amendment) -> Iterator[Property]:
    names = {str(each["name"]).casefold() for each in properties}
    sources = {str(each.get("physicalName", each["name"])) for each in properties}
    for each in amendment.added:
        if each["name"].casefold() not in names and each.get("physicalName", each["name"]) not in sources:
            yield copy.deepcopy(each)


def _widen(properties: list[Property], change: Widening, on: str) -> bool:
    """Sets the type's keys; those of the old type go. False if the column is gone, or says that it was done."""
    found = next((each for each in properties if each["name"] == change.column), None)
    value = {"from": change.before, "to": change.after, "since": on, "evidence": change.evidence}
    marks: list[Property] = list(found.get("customProperties", ())) if found else []
    if found is None or any(mark.get("property") == WIDENED and mark.get("value") == value for mark in marks):
        return False
    for key in _TYPE_KEYS:
        found.pop(key, None)
    options = dict(found.pop("logicalTypeOptions", {}))
    options.pop("format", None)
    options |= change.keys.get("logicalTypeOptions", {})
    found |= {key: copy.deepcopy(each) for key, each in change.keys.items() if key != "logicalTypeOptions"}
    found |= {"logicalTypeOptions": options} if options else {}
    marks = [mark for mark in marks if mark.get("property") != WIDENED or mark.get("vendor") != VENDOR]
    found["customProperties"] = [*marks, mark(WIDENED, value)]
    return True


def mark(name: str, value: Property) -> Property:
    """One of Lastro's own custom properties."""
    return {"property": name, "value": value, "vendor": VENDOR}


def next_version(version: str) -> str:
    """The next minor version: 1.4.2 becomes 1.5.0, v3 and the like stay."""
    found = _NUMBERED.fullmatch(version)
    if found is None:
        return version
    return f"{found[1]}.{int(found[2]) + 1}" + (".0" if found[3] else "")

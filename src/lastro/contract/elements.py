"""Contracts of child datasets: one row for each element of a list in another dataset, the parent.

Rules:

1. A list is found in a column, or in a struct of a column, at any depth; its path are the names that lead to it. Lists
   within lists are lists of the child. What a map holds stays in the map; a vector is one value, and no list.
2. A child's key is its parent's key and the element's position, counted from 1. A parent's key column `id` of `orders`
   is called `orders_id`; a child's own keys keep their names in its children.
3. The members of an element that is a struct become columns; those of structs within it, too, named `address__street`.
   Any other element is the column `value`. Names that are no plain words, or are taken, are changed as inference does.
4. What the parent withholds from statistics is withheld, whatever it is called in the child: the nearest
   `classification` counts, from the member outwards to the column. Where there is none, a name that looks personal is
   withheld.
5. Keys are required, members are not: an element may be NULL.
6. What the parent comes to withhold later is withheld in the child, too, where the child's contract states no
   `classification` of its own.
7. The custom property `elements` says whose elements the rows are: `{of: orders, path: [items]}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lastro.contract.amend import type_keys
from lastro.contract.contract import Contract
from lastro.contract.guess import names_person
from lastro.contract.infer import column_names, guessed
from lastro.contract.naming import distinct, snake
from lastro.contract.patch import block
from lastro.contract.plan import withholds
from lastro.contract.policy import ELEMENTS, VENDOR
from lastro.contract.types import COLUMNS_MAX
from lastro.contract.upgrade import CURRENT
from lastro.model.errors import ContractError
from lastro.model.schema import Field, ListOf, Primitive, StructOf, Type
from lastro.model.text import _

WITHHELD = "restricted"
_REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)+", re.ASCII)
_WORDS_MAX = 200
"""How much of a list's name the name of its position column keeps."""

Node = Mapping[str, Any]  # Any: JSON values of an ODCS property
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A column of the parent's key, and what it is called in the child."""

    source: str
    name: str
    type: Type
    classification: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A column that comes from an element: the path of names within it (empty: the element itself)."""

    path: Path
    name: str
    kind: Node
    """The ODCS keys that say its type."""
    classification: str = ""
    is_guessed: bool = False


@dataclass(frozen=True, slots=True)
class Elements:
    """What a child's rows are made of: the parent, the path of the list in it, the key, the position, the members."""

    parent: str
    path: Path
    keys: tuple[Key, ...]
    position: str
    members: tuple[Member, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The child's primary key."""
        return (*(key.name for key in self.keys), self.position)


def elements_of(contract: Contract, *, history: Sequence[Field] = ()) -> tuple[Elements, ...]:
    """The children that the lists of a dataset would make, in the contract's order.

    `history` are columns of the table, beside the contract's, that belong to its key. Raises `ContractError` where the
    dataset has lists and no primary key, or a list has too many members.
    """
    plan = contract.plan()
    found = [
        (path, item)
        for column in plan.columns
        for path, item in _lists((column.name,), column.type)
        if not _is_vector(_nodes(contract, path, ())[-2])
    ]
    if found and not plan.primary_key:
        raise ContractError(
            _("{name} has no primary key, by which the elements of its lists could name their row").format(
                name=contract.dataset
            ),
            where=contract.name,
            do=_("mark the column that identifies a row with `primaryKey: true`"),
        )
    keys = _keys(contract, history)
    return tuple(_elements(contract, keys, path, item) for path, item in found)


def origin(contract: Contract) -> tuple[str, Path] | None:
    """Whose elements a dataset's rows are: the parent and the list's path in it; None for other datasets."""
    for each in _dataset(contract).get("customProperties") or ():
        if each.get("vendor") == VENDOR and each.get("property") == ELEMENTS:
            return str(each["value"]["of"]), tuple(each["value"]["path"])
    return None


def inherited(child: Contract, parent: Contract, withheld: frozenset[str]) -> frozenset[str]:
    """The child's columns that are withheld because their parent withholds these columns of its own (rule 6)."""
    said, key = origin(child), child.plan().primary_key
    if said is None or said[0] != parent.dataset:
        return frozenset()
    keys = zip(parent.plan().primary_key, key, strict=False)
    found = {name for source, name in keys if source in withheld}
    if said[1][0] in withheld:
        found |= {column.name for column in child.plan().columns} - set(key)
    found |= set(_stated(parent, said[1]))
    return frozenset(name for name in found if not _property(_dataset(child), name).get("classification"))


def _stated(parent: Contract, path: Path) -> Iterator[str]:
    """The members of a list's elements that the parent's contract itself withholds, as a child would call them."""
    places = (each for column in parent.plan().columns for each in _lists((column.name,), column.type))
    for place, item in places:
        if place == path:
            members = _elements(parent, _keys(parent, ()), path, item).members
            yield from (each.name for each in members if not each.is_guessed and withholds(each.classification))


def child_name(parent: str, path: Path) -> str:
    """What the child of a list would be called, however long: `orders__items`."""
    return "__".join([parent, *(word for part in path for word in _words(part))])


def text_of(found: Elements, name: str) -> str:
    """The contract of the child, as a text that a person would keep."""
    lines = [
        f"# One row for each element of a list of {found.parent}. Written by lastro flatten; it is yours to change.",
        *block(_document(found, name), 0),
    ]
    personal = _("{column} looks personal, so its values stand in no statistics")
    notes = [guessed(personal.format(column=member.name)) for member in found.members if member.is_guessed]
    return "\n".join([lines[0], *notes, *lines[1:]]) + "\n"


def _words(name: str) -> tuple[str, ...]:
    """A list's name as it stands in others: `address__phones`, a column that was within a struct, is two words."""
    return tuple(word for part in name.split("__") if (word := snake(part))) or ("list",)


def _document(found: Elements, name: str) -> dict[str, Any]:  # Any: JSON values
    dataset: dict[str, Any] = {"name": name, "logicalType": "object"}  # Any: JSON values
    ends = [f"{name}.{key.name}" for key in found.keys], [f"{found.parent}.{key.source}" for key in found.keys]
    if all(_REFERENCE.fullmatch(end) for side in ends for end in side):
        dataset["relationships"] = [{"type": "foreignKey", "from": ends[0], "to": ends[1]}]
    origin_of = {"of": found.parent, "path": list(found.path)}
    dataset["customProperties"] = [{"property": ELEMENTS, "value": origin_of, "vendor": VENDOR}]
    dataset["properties"] = list(_properties(found))
    return {
        "version": "0.1.0",
        "apiVersion": CURRENT,
        "kind": "DataContract",
        "id": name,
        "status": "draft",
        "schema": [dataset],
    }


def _properties(found: Elements) -> Iterator[dict[str, Any]]:  # Any: JSON values
    primary = {"primaryKey": True, "required": True}
    for key in found.keys:
        yield {"name": key.name, **type_keys(key.type), **primary, **_classified(key.classification)}
    yield {"name": found.position, **type_keys(Primitive.LONG), **primary}
    for member in found.members:
        yield {"name": member.name, **member.kind, **_classified(member.classification)}


def _classified(classification: str) -> dict[str, str]:
    return {"classification": classification} if classification else {}


def _lists(path: Path, kind: Type) -> Iterator[tuple[Path, Type]]:
    match kind:
        case ListOf(item):
            yield path, item
        case StructOf(fields):
            for field in fields:
                yield from _lists((*path, field.name), field.type)


def _keys(contract: Contract, history: Sequence[Field]) -> tuple[Key, ...]:
    plan = contract.plan()
    prefix = "" if origin(contract) else snake(contract.dataset) + "_"
    fields = (*(plan.schema.field(name) for name in plan.primary_key), *history)
    return tuple(
        Key(field.name, prefix + field.name, field.type, _outer(contract, field.name) or "") for field in fields
    )


def _elements(contract: Contract, keys: tuple[Key, ...], path: Path, item: Type) -> Elements:
    taken = {key.name.casefold() for key in keys}
    position = distinct(f"{_words(path[-1])[-1][:_WORDS_MAX]}_position", taken)
    inner = list(_members((), item))
    if len(keys) + 1 + len(inner) > COLUMNS_MAX:
        raise ContractError(
            _("the elements of {path} have more than {max} columns").format(path=".".join(path)[:80], max=COLUMNS_MAX),
            where=contract.name,
            do=_("keep what is wide in one map"),
        )
    own = ["__".join(place) or "value" for place, _kind in inner]
    names = column_names(own, beside=[*(key.name for key in keys), position])
    members = [
        Member(place, name, _kind(contract, path, place, kind), *_protection(contract, path, place))
        for (place, kind), name in zip(inner, names, strict=True)
    ]
    return Elements(contract.dataset, path, keys, position, tuple(members))


def _kind(contract: Contract, path: Path, place: Path, kind: Type) -> Node:
    node = _nodes(contract, path, place)[-1]
    if not _is_vector(node):
        return type_keys(kind)
    return {key: node[key] for key in ("logicalType", "logicalTypeOptions") if key in node}


def _is_vector(node: Node) -> bool:
    return node.get("logicalType") == "vector"


def _members(path: Path, kind: Type) -> Iterator[tuple[Path, Type]]:
    match kind:
        case StructOf(fields):
            for field in fields:
                yield from _members((*path, field.name), field.type)
        case _:
            yield path, kind


def _protection(contract: Contract, path: Path, place: Path) -> tuple[str, bool]:
    """The classification of a member and whether it was guessed (rule 4)."""
    inner = _nodes(contract, path, place)
    stated = [str(node["classification"]) for node in reversed(inner[1:]) if node.get("classification")]
    if stated:
        return stated[0], False
    outer = _outer(contract, path[0])
    if outer is not None:
        return outer, False
    return (WITHHELD, True) if any(map(names_person, place or path[-1:])) else ("", False)


def _outer(contract: Contract, column: str) -> str | None:
    """The classification of a column; one that Lastro added is withheld until a person gives it one."""
    node = _property(_dataset(contract), column)
    stated = str(node.get("classification") or "")
    return stated or (WITHHELD if column in contract.plan().withheld else None)


def _nodes(contract: Contract, path: Path, place: Path) -> list[Node]:
    """The ODCS elements on the way from a column to a member of an element of the list in it."""
    node: Node = {"properties": _dataset(contract)["properties"]}
    found: list[Node] = []
    for name in path:
        node = _property(node, name)
        found.append(node)
    node = node.get("items") or {}
    found.append(node)
    for name in place:
        node = _property(node, name)
        found.append(node)
    return found


def _property(node: Node, name: str) -> Node:
    return next((each for each in node.get("properties") or () if each["name"] == name), {})


def _dataset(contract: Contract) -> dict[str, Any]:  # Any: JSON values
    return next(dict(each) for each in contract.document["schema"] if each["name"] == contract.dataset)

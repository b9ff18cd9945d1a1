"""Members of objects that a contract does not name, seen in records as they pass.

Rules:

1. Only records that arrive one JSON object a row from Python are watched, as those of an API; and of them only columns
   that are objects, or hold some, and that nothing else reads. What the contract lists as `ignored`, such as
   `address.zip`, is known.
2. A batch is held against the types as a whole, by a decoder made for them. Only one that holds something unknown is
   looked through record by record; what was found is known from then on.
3. A member of a list's or map's values goes under the list's or map's own name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from lastro.engine.scan import Scan, StreamScan
from lastro.engine.sql.compile import read_columns
from lastro.model.plan import Plan
from lastro.model.schema import Field, ListOf, MapOf, StructOf, Type

FOUND_MAX = 200
Place = tuple[str, ...]
_RECORD = "record"
_AT_ONCE = 2_000
"""Records that are decoded together: they are objects for a moment, and more would only keep the collector busy."""
_Scalars = str | int | float | bool | None


@dataclass(slots=True)
class Watch:
    """Records on their way: `expected` are the columns that hold objects, `found` the members that they do not name."""

    scan: StreamScan
    expected: StructOf
    ignored: frozenset[str]
    found: dict[Place, None] = field(default_factory=dict)
    _decoder: msgspec.json.Decoder[Any] | None = None  # Any: records of a type made here

    def passing(self) -> StreamScan:
        """The same scan, each batch of which is looked at first."""
        import pyarrow as pa

        source = pa.RecordBatchReader.from_stream(self.scan.stream)
        return replace(self.scan, stream=pa.RecordBatchReader.from_batches(source.schema, self._seen(source)))

    def names(self) -> tuple[str, ...]:
        """The members that were found, as `address.zip`."""
        return tuple(".".join(place) for place in self.found if ".".join(place) not in self.ignored)

    def _seen(self, source: Any) -> Iterator[Any]:  # Any: pyarrow.RecordBatchReader, pyarrow.RecordBatch
        for batch in source:
            for start in range(0, batch.num_rows, _AT_ONCE):
                if len(self.found) < FOUND_MAX:
                    self._look([text or "null" for text in batch.column(_RECORD).slice(start, _AT_ONCE).to_pylist()])
            yield batch

    def _look(self, records: list[str]) -> None:
        if self._decoder is None:
            self._decoder = _decoder(self.expected, self.found)
        try:
            self._decoder.decode(f"[{','.join(records)}]")
        except (msgspec.DecodeError, RecursionError):  # broken records are the engine's to set aside
            before = len(self.found)
            for record in records:
                self.found |= dict.fromkeys(_unknown(_values(record), self.expected, ()))
            self._decoder = self._decoder if len(self.found) == before else None


def watch(scan: Scan, plan: Plan) -> Watch | None:
    """What watches this scan; None where there is nothing to watch."""
    if not isinstance(scan, StreamScan) or not scan.records:
        return None
    read = Counter(name for column in plan.columns for name in set(read_columns(replace(plan, columns=(column,)))))
    fields = tuple(
        Field(column.source, column.type)
        for column in plan.columns
        if column.expression is None and read[column.source] == 1 and _holds_objects(column.type)
    )
    return Watch(scan, StructOf(fields), plan.ignored) if fields else None


def _holds_objects(kind: Type) -> bool:
    match kind:
        case StructOf():
            return True
        case ListOf(item) | MapOf(_, item):
            return _holds_objects(item)
        case _:
            return False


def _decoder(expected: StructOf, known: dict[Place, None]) -> msgspec.json.Decoder[Any]:  # Any: the same
    """Reads records of these columns, and refuses those with a member that is not known."""
    members = {each.name: _reading(each.type, (each.name,), known) for each in expected.fields}
    return msgspec.json.Decoder(list[_object(members, is_open=True) | list[msgspec.Raw] | _Scalars])  # type: ignore[misc]


def _reading(kind: Type, place: Place, known: dict[Place, None]) -> Any:  # Any: a type for msgspec
    """The type that takes whatever stands there, but for unknown members."""
    if not _holds_objects(kind):
        return msgspec.Raw
    match kind:
        case StructOf(fields):
            members = {each.name: _reading(each.type, (*place, each.name), known) for each in fields}
            members |= {found[-1]: msgspec.Raw for found in known if found[:-1] == place}
            return _object(members, is_open=False) | list[msgspec.Raw] | _Scalars
        case ListOf(item):
            return list[_reading(item, place, known)] | dict[str, msgspec.Raw] | _Scalars  # type: ignore[misc]
        case MapOf(_, item):
            return dict[str, _reading(item, place, known)] | list[msgspec.Raw] | _Scalars  # type: ignore[misc]
        case _:
            return msgspec.Raw


def _object(members: dict[str, Any], *, is_open: bool) -> Any:  # Any: types for msgspec
    names = {f"m{index}": name for index, name in enumerate(members)}
    fields = [(own, members[name] | msgspec.UnsetType, msgspec.UNSET) for own, name in names.items()]
    return msgspec.defstruct("Members", fields, rename=names, forbid_unknown_fields=not is_open, gc=False)


def _values(record: str) -> Any:  # Any: JSON values
    try:
        return msgspec.json.decode(record)
    except (msgspec.DecodeError, RecursionError):
        return None


def _unknown(value: Any, kind: Type, place: Place) -> Iterator[Place]:  # Any: a JSON value
    match kind:
        case StructOf(fields) if isinstance(value, dict):
            known = {each.name: each.type for each in fields}
            for name, inner in value.items():
                if name in known:
                    yield from _unknown(inner, known[name], (*place, name))
                elif place:
                    yield (*place, name)
        case ListOf(item) if isinstance(value, list):
            for inner in value:
                yield from _unknown(inner, item, place)
        case MapOf(_, item) if isinstance(value, dict):
            for inner in value.values():
                yield from _unknown(inner, item, place)
        case _:
            return

"""Whose a row is that was set aside: what its record, or its line, says. The rules are those of `sought`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.governance.sought import Rows, Sought
from lastro.model.plan import Plan
from lastro.privacy.canonical import form_of
from lastro.store.erasure.finding import AnyOf, ByText, Doomed

if TYPE_CHECKING:
    import pyarrow as pa


def names_aside(kinds: Mapping[str, str], plan: Plan) -> dict[str, dict[str, str]]:
    """What columns are called in records that were set aside, as their source gave them (`raw`) and cleaned (`clean`),
    and what they hold.
    """
    folded = {column.casefold(): kind for column, kind in kinds.items()}
    told = [(each, folded[each.name.casefold()]) for each in plan.columns if each.name.casefold() in folded]
    return {"raw": {each.source: kind for each, kind in told}, "clean": {each.name: kind for each, kind in told}}


def cells(record: str, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The texts of a record in the columns that tell, and their kinds; of a protected one the token."""
    members = _members(record)
    for name, kind in names.items():
        value = members.get(name)
        text = value if isinstance(value, str) else "" if value is None else str(value)
        yield (text, kind) if not text.startswith("tok_") else (text.partition(" ")[0], kind)


def _members(record: str) -> dict[str, Any]:  # Any: JSON values
    import msgspec

    try:
        found = msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def holds(line: str, kind: str, value: str) -> bool:
    """Whether a text holds a value as a word of its own, however its kind is punctuated."""
    form = form_of(kind)
    if kind in {"cpf", "cnpj", "cep"}:
        return any(form(word) == value for word in re.findall(r"[0-9A-Za-z][0-9A-Za-z.\-/]{6,19}[0-9A-Za-z]", line))
    place = line.find(value)
    while place >= 0:
        before, after = line[place - 1 : place], line[place + len(value) : place + len(value) + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        place = line.find(value, place + 1)
    return kind == "email" and value in line.casefold()


@dataclass(frozen=True, slots=True)
class InCells:
    """The rows of a quarantine whose record names these people in a column that names persons (rule 6)."""

    rows: Rows
    names: Mapping[str, Mapping[str, str]]

    @property
    def columns(self) -> tuple[str, ...]:
        """How a record is to be read, and the record."""
        return ("form", "record")

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True where one of the cells is theirs."""
        import pyarrow as pa

        both = zip(*(batch.column(name).cast(pa.string()).to_pylist() for name in self.columns), strict=True)
        return pa.array([self._is_theirs(form or "", record or "") for form, record in both], pa.bool_())

    def _is_theirs(self, form: str, record: str) -> bool:
        return any(self.rows.test(kind)(text) for text, kind in cells(record, self.names.get(form, {})))


def set_aside(sought: Sought, names: Mapping[str, Mapping[str, str]]) -> Doomed | None:
    """Which rows of a quarantine are these people's (rule 6); `names` as `names_aside` gives them."""
    reasons: list[Doomed] = [ByText("record", sought.needles)] if sought.needles else []
    if names:
        reasons.append(InCells(Rows.named(sought, "record", sought.kind), names))
    return AnyOf(reasons) if reasons else None

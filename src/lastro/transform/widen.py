"""Which wider type values need that do not fit a column's own: decided on their texts, exactly.

Rules:

1. Only texts that the column's type refused are looked at. A text that no wider type can hold asks for nothing: it is
   not a change of the source, but a wrong value, and stays refused.
2. A whole column takes the next whole type that holds every value, beyond `long` a decimal without places.
3. Numbers with a point make of a whole column a decimal if all have the same number of places, at most 4; else a
   double, where a double holds all that the column can hold; else a decimal that holds all that was seen.
4. A decimal gets the places and digits that were seen, and room before the point. It is written without exponent.
5. A float becomes a double, a date a timestamp without zone. Nothing becomes text by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lastro.model.schema import Decimal, Primitive, Type
from lastro.model.widening import PRECISION_MAX, WHOLE_DIGITS, is_wider

PLACES_ALIKE_MAX = 4
_NUMBER = re.compile(r"[ \t]*[+-]?(\d*)(\.\d*)?(?:[eE]([+-]?\d{1,4}))?[ \t]*", re.ASCII)
_MOMENT = re.compile(r"[ \t]*\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?[ \t]*", re.ASCII)
_BITS = {Primitive.BYTE: 7, Primitive.SHORT: 15, Primitive.INTEGER: 31, Primitive.LONG: 63}
DIGITS_MAX = 400
DOUBLE_DIGITS = 308


@dataclass(slots=True)
class Needs:
    """What the refused texts of one column ask for; `rows` counts those that a wider type could hold."""

    kind: Type
    rows: int = 0
    digits: int = 0
    places: set[int] = field(default_factory=set)
    bits: int = 0
    pointed: bool = False
    scientific: bool = False

    def look(self, texts: Iterable[str | None]) -> None:
        """Takes refused texts into account."""
        match self.kind:
            case Primitive.DATE:
                self.rows += sum(1 for text in texts if text is not None and _MOMENT.fullmatch(text))
            case Decimal() | Primitive.FLOAT:
                self._numbers(texts)
            case _ if self.kind in WHOLE_DIGITS:
                self._numbers(texts)
            case _:
                return

    def wider(self) -> Type | None:
        """The type that holds what was seen and all that the column's own type holds; None if there is none."""
        found = self._wider()
        return found if found is not None and found != self.kind and is_wider(self.kind, found) else None

    def _wider(self) -> Type | None:
        if not self.rows:
            return None
        match self.kind:
            case Primitive.DATE:
                return Primitive.TIMESTAMP_NTZ
            case Primitive.FLOAT:
                return Primitive.DOUBLE
            case Decimal(precision, scale):
                places = max(self.places, default=0)
                return _decimal(max(precision - scale, self.digits), max(scale, places))
            case _:
                return self._of_whole()

    def _of_whole(self) -> Type | None:
        places = max(self.places, default=0)
        if places == 0 and not self.pointed and not self.scientific:
            fits = next((kind for kind, bits in _BITS.items() if bits >= self.bits), None)
            return fits or _decimal(self.digits, 0)
        digits = max(self.digits, _whole_digits(self.kind))
        if not self.scientific and len(self.places) == 1 and places <= PLACES_ALIKE_MAX:
            return _decimal(digits, places)
        return Primitive.DOUBLE if self._takes_double() else _decimal(digits, places)

    def _numbers(self, texts: Iterable[str | None]) -> None:
        for text in texts:
            if text is not None and len(text) <= DIGITS_MAX and (found := _NUMBER.fullmatch(text)):
                whole, point, exponent = found.groups()
                if whole or (point or ".") != ".":
                    self._number(whole, point, int(exponent or 0) if exponent else None)

    def _number(self, whole: str, point: str | None, power: int | None) -> None:
        figures = whole.lstrip("0")
        places = len(point or ".") - 1
        if self._takes_double():
            if len(figures) + (power or 0) > DOUBLE_DIGITS:
                return
        elif power is not None or self._precision(len(figures), places) > PRECISION_MAX:
            return
        self.rows += 1
        self.scientific = self.scientific or power is not None
        self.pointed = self.pointed or point is not None
        self.digits = max(self.digits, len(figures))
        self.places.add(places)
        self.bits = max(self.bits, int(figures or 0).bit_length())

    def _takes_double(self) -> bool:
        return is_wider(self.kind, Primitive.DOUBLE)

    def _precision(self, digits: int, places: int) -> int:
        """How many digits a decimal needs for all that the column holds, and for a number with these."""
        match self.kind:
            case Decimal(precision, scale):
                return max(precision - scale, digits) + max(scale, places)
            case _:
                return max(digits, _whole_digits(self.kind) if places else 0) + places


def _whole_digits(kind: Type) -> int:
    return WHOLE_DIGITS.get(kind, 0) if isinstance(kind, Primitive) else 0


def _decimal(digits: int, places: int) -> Decimal | None:
    """A decimal for so many digits, roomy where there is room."""
    if digits + places > PRECISION_MAX:
        return None
    roomy = 18 if digits + places <= 16 else PRECISION_MAX
    return Decimal(max(roomy, digits + places), places)

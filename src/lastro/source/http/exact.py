"""What a JSON reader would pass over in silence: names that occur twice, digits that a double has no room for, depth.

Rules:

1. Looking closely at each record costs more than reading it. A page is therefore first looked at as one text; only what
   stands out there is looked at closely.
2. A name that occurs twice in one object is refused: readers differ in which of the values they take. Where every
   record has the same names in the same order, and none twice, as APIs write them, that is seen at once. Else it is
   enough that the records have together as many different names as the text has names at all. Else, as where records
   hold other objects, the text is looked at closely.
3. Numbers with a point or an exponent that the nearest double does not equal become texts of the same digits, which a
   decimal column reads in full; an exponent is written out, if that is no longer than `PLAIN_MAX`. Whole numbers keep
   their digits anyway. A double has room for any 15 digits, where an exponent has no more than two.
4. Records are at most `DEPTH_MAX` levels deep.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from lastro.model.errors import LimitExceeded, SourceBroken
from lastro.model.text import _

DEPTH_MAX = 64
PLAIN_MAX = 200
_ENDS = ",]} \t\r\n"
_SHAPE = {**dict.fromkeys("0123456789.", "0"), "E": "e", "+": "-", **dict.fromkeys(_ENDS, ",")}
_AS_SHAPE = bytes(ord(_SHAPE.get(chr(code), chr(code))) for code in range(256))
_LONG, _LONG_SCALED = b"0" * 17, b"0" * 16 + b"e"
_FAR = re.compile(rb"e-?000+(?:,|\Z)")
_LONG_NUMBER = re.compile(rb"[0-9][0-9.]{16,}(?:[eE][+-]?[0-9]+)?")
_WHOLE_DIGITS = 4000  # beyond which Python reads no number
_TELLING = 8
_QUOTE, _COLON, _BACKSLASH = 0x22, 0x3A, 0x5C
_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


if TYPE_CHECKING:
    import numpy as np

    Letters = np.ndarray[tuple[int], np.dtype[np.uint8]]
    Integers = np.ndarray[tuple[int], np.dtype[np.int64]]
    Places = np.ndarray[tuple[int, int], np.dtype[np.int64]]
    Words = np.ndarray[tuple[int, int], np.dtype[np.uint64]]


class _Twice(Exception):
    """A name that occurs twice."""


def check(listed: bytes, text: bytes, ends: Sequence[int], label: str) -> None:
    """Looks at a page's records: the list `listed`, and the records alone in `text`, from each of `ends` to the next.

    Raises `SourceBroken`, `LimitExceeded`.
    """
    if text.count(b"[") + text.count(b"{") - (len(ends) - 1) >= DEPTH_MAX:
        for start, end in pairwise(ends):
            _check_depth(text[start:end], label)
    if not _is_distinct(listed, text, ends):
        refuse_repeated_names(listed, label)


def refuse_repeated_names(content: bytes, label: str) -> None:
    """Raises `SourceBroken` if an object in this JSON text has two members of one name."""
    try:
        json.loads(content, object_pairs_hook=_distinct, parse_int=_unread, parse_float=_unread)
    except _Twice as twice:
        raise SourceBroken(
            _("the name {name!r} occurs twice in one object, with two values").format(name=str(twice)[:40]),
            where=label,
            do=_("ask the API's owner: no one can know which of the two is meant"),
        ) from None
    except RecursionError:
        raise too_deep(label) from None
    except ValueError:
        raise SourceBroken(_("a record is not JSON"), where=label, do=_("ask the API's owner")) from None


def has_long_numbers(text: bytes) -> bool:
    """True if a number with a point or an exponent may have more digits than a double, or be beyond all doubles."""
    shape = text.translate(_AS_SHAPE)
    if _LONG_SCALED in shape or _FAR.search(shape):
        return True
    if _LONG not in shape:
        return False
    return any(b"." in found or b"e" in found.lower() for found in _LONG_NUMBER.findall(text))


def with_all_digits(record: bytes) -> bytes:
    """The record, with texts in place of numbers that a double cannot hold.

    >>> with_all_digits(b'{"a": 0.5, "b": 0.12345678901234567890, "c": 9007199254740993e-1}')
    b'{"a": 0.5, "b": "0.12345678901234567890", "c": "900719925474099.3"}'
    """
    if not has_long_numbers(record):
        return record
    values = json.loads(record, parse_float=_floating, parse_int=_whole)
    return json.dumps(values, ensure_ascii=False).encode()


def too_deep(label: str) -> LimitExceeded:
    """The error for JSON that is nested beyond all use."""
    return LimitExceeded(_("the answer is nested too deep"), where=label, do=_("ask the API's owner"))


def _is_distinct(listed: bytes, text: bytes, ends: Sequence[int]) -> bool:
    """True only if no object in the list has a name twice; False says nothing."""
    if len(ends) == 1:
        return True
    if b" :" not in text and not any(blank in text for blank in (b"\n", b"\r", b"\t")):
        if _is_regular(text, ends):
            return True
    elif any(odd in listed for odd in (b"  :", b"\n:", b"\r:", b"\t:")):
        return False  # a colon that stands so far from its name would not be counted
    try:
        different = sum(map(len, _OBJECTS.decode(listed)))
    except msgspec.ValidationError:
        return False
    return different == text.count(b'":') + text.count(b'" :')


def _is_regular(text: bytes, ends: Sequence[int]) -> bool:
    """True only if all records have the same names in the same order, none of them twice at any level."""
    import numpy as np

    letters = np.frombuffer(text, np.uint8)
    places = np.flatnonzero((letters[:-1] == _QUOTE) & (letters[1:] == _COLON))
    count = len(ends) - 1
    if not len(places) or len(places) % count:
        return False
    bounds = np.asarray(ends)
    table = places.reshape(count, -1)
    if (table[:, 0] < bounds[:-1]).any() or (table[:, -1] >= bounds[1:]).any():
        return False
    if b"\\" in text and _has_escapes(letters, places):
        return False  # two names may be one, each written in its own way
    names = _last_letters(text, table)
    return bool((names == names[0]).all()) and len(np.unique(names[0])) == table.shape[1]


def _has_escapes(letters: Letters, places: Integers) -> bool:
    """True if a name that ends before one of these places has an escape in it: no quote stands behind the last one."""
    import numpy as np

    escapes, quotes = np.flatnonzero(letters == _BACKSLASH), np.flatnonzero(letters == _QUOTE)
    opening = quotes[np.searchsorted(quotes, places) - 1]  # the last quote before the one that ends the name
    nearest = np.searchsorted(escapes, places) - 1
    last = np.where(nearest >= 0, escapes[nearest], -2)
    return bool((opening < last + 2).any())


def _last_letters(text: bytes, places: Places) -> Words:
    """The last eight letters, or fewer, of the names that end before these places: equal for equal names."""
    import numpy as np

    padded = bytes(_TELLING) + text
    eights = np.ndarray(len(text) + 1, np.uint64, buffer=padded, strides=(1,))  # at each place the eight before it
    words = eights[places]
    # The bytes up to the last quote among the eight belong to what stands before the name: they become zeros.
    apart = words ^ np.uint64(0x2222222222222222)
    low = np.uint64(0x7F7F7F7F7F7F7F7F)
    quotes = ~(((apart & low) + low) | apart | low)  # the top bit of each byte that is a quote
    for shift in (8, 16, 32):
        quotes |= quotes >> np.uint64(shift)
    cleared: Words = words & ~((quotes >> np.uint64(7)) * np.uint64(0xFF))
    return cleared


def _distinct(pairs: list[tuple[str, Any]]) -> None:  # Any: JSON values
    if len({name for name, _value in pairs}) < len(pairs):
        seen: set[str] = set()
        for name, _value in pairs:
            if name in seen:
                raise _Twice(name)
            seen.add(name)


def _unread(_digits: str) -> None:
    """A number that nobody needs; Python itself refuses to read very long ones."""


def _floating(digits: str) -> float | str:
    value = float(digits)
    try:
        exact = Decimal(digits)
    except InvalidOperation:  # an exponent beyond all reason
        return digits
    if Decimal(repr(value)) == exact:
        return value
    is_far = abs(exact.adjusted()) > PLAIN_MAX or len(digits) > PLAIN_MAX
    return digits if is_far or "e" not in digits.lower() else f"{exact:f}"


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _WHOLE_DIGITS else digits


def _check_depth(record: bytes, label: str) -> None:
    if record.count(b"{") + record.count(b"[") <= DEPTH_MAX:
        return
    try:
        deepest = _depth(json.loads(record, parse_int=_unread, parse_float=_unread))
    except RecursionError:
        raise too_deep(label) from None
    if deepest > DEPTH_MAX:
        raise too_deep(label)


def _depth(value: Any) -> int:  # Any: a JSON value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(each) for each in inner if isinstance(each, (dict, list))), default=0)

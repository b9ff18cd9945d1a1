"""How values are made to tell less: masks, coarser values, keyed hashes, texts without identifiers.

Rules:

1. Every function takes one column and gives one of the same type and length; what is missing stays missing.
2. Values are worked on once each, however many rows have them.
3. `mask` shows some characters at one end and hides how many there are beside them; a text that is not longer than what
   would be shown is hidden whole.
4. `generalise` gives the lower edge of the bin that a value lies in: `bins` is a width, or the edges, of which the
   first also holds what is below it; of a date or moment its `year`, `month`, …; of a CEP its first digits.
5. `hash` is HMAC-SHA256 of the value's canonical form, in hexadecimal digits; `redact` puts `[CPF]` in place of a CPF.
6. All but `hash` give again what they gave, if asked twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.privacy.canonical import form_of

HIDDEN = "***"
REGION = "region"
_REGION_DIGITS = 5
_DIGIT = re.compile(r"[0-9]")
_YEAR_1 = -62_135_596_800_000_000
"""In microseconds of 1970: no date is earlier."""


def each_text(column: pa.Array, change: Callable[[Sequence[str]], Sequence[str]]) -> pa.Array:
    """The column with each of its different texts changed."""
    coded = column.dictionary_encode()
    changed = change(coded.dictionary.to_pylist())
    return pa.array(changed, column.type).take(coded.indices)


def masked(column: pa.Array, options: Mapping[str, Any]) -> pa.Array:  # Any: see `contract.personal`
    """Texts of which `keep` characters are shown, at the `end` or from the start."""
    keep, at_end = int(options.get("keep", 4)), options.get("from", "end") == "end"

    def mask(text: str) -> str:
        shown = text.removeprefix(HIDDEN) if at_end else text.removesuffix(HIDDEN)
        if shown != text and len(shown) <= keep:
            return text
        if len(text) <= keep or not keep:
            return HIDDEN if text else text
        return HIDDEN + text[-keep:] if at_end else text[:keep] + HIDDEN

    return each_text(column, lambda texts: [mask(text) for text in texts])


def hashed(column: pa.Array, kind: str, digest: Callable[[bytes], bytes], *, known: Callable[[str], bool]) -> pa.Array:
    """Hexadecimal digits of a keyed hash of the kind and value; what is `known` to be one already stays."""
    form, start = form_of(kind), kind.encode() + b"\0"

    def make(text: str) -> str:
        if not text or text.isspace() or known(text):
            return text
        return digest(start + form(text).encode()).hex()

    return each_text(column, lambda texts: [make(text) for text in texts])


def redacted(column: pa.Array) -> pa.Array:
    """Texts with the kind of each identifier in its place."""
    from lastro.privacy.detection.inside import spans

    def redact(texts: Sequence[str]) -> Sequence[str]:
        found: dict[int, list[tuple[int, int, str]]] = {}
        for span in spans(texts):
            found.setdefault(span.text, []).append((span.start, span.end, span.kind))
        return [_without(text, found[place]) if place in found else text for place, text in enumerate(texts)]

    return each_text(column, redact)


def generalised(column: pa.Array, options: Mapping[str, Any]) -> pa.Array:  # Any: see `contract.personal`
    """Coarser values of the same type."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _regions(column, options.get("to", REGION))
    if "bins" in options:
        return _binned(column, options["bins"])
    return _floored(column, str(options["to"]))


def _without(text: str, places: Sequence[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for start, end, kind in places:
        parts += [text[at:start], f"[{kind.upper()}]"]
        at = end
    return "".join([*parts, text[at:]])


def _regions(column: pa.Array, to: Any) -> pa.Array:  # Any: `region`, or how many digits
    digits = _REGION_DIGITS if to == REGION else int(to)

    def region(text: str) -> str:
        found = "".join(_DIGIT.findall(text))
        if set(text) <= set("0123456789-X") and text[:digits].isdigit() and text.endswith("X"):
            return text
        if len(found) > 8 or not set(text) <= set("0123456789-. "):
            return "XXXXX-XXX"  # what is no CEP: nobody knows what it tells
        shown = found.zfill(8)[:digits].ljust(8, "X") if found else ""
        return f"{shown[:5]}-{shown[5:]}" if shown else text

    return each_text(column, lambda texts: [region(text) for text in texts])


def _binned(column: pa.Array, bins: Any) -> pa.Array:  # Any: a width, or edges
    if isinstance(bins, list | tuple):
        edges = pa.array(sorted(bins)).cast(column.type, safe=False)
        wide = column.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
        places = np.searchsorted(edges.cast(pa.float64()).to_numpy(), wide, side="right") - 1
        found = edges.take(pa.array(np.maximum(places, 0)))
        return pc.if_else(column.is_valid(), found, pa.scalar(None, column.type))
    if pa.types.is_integer(column.type):
        width = int(bins)
        values = column.fill_null(0).to_numpy(zero_copy_only=False)
        least = int(np.iinfo(values.dtype).min)
        lower = np.maximum(values.astype(np.int64), least + width) // width * width
        return pa.array(lower, mask=~_valid(column)).cast(column.type)
    if pa.types.is_decimal(column.type):
        quotients = pc.floor(pc.divide(column.cast(pa.float64()), float(bins)))
        return pc.multiply(quotients, float(bins)).cast(column.type, safe=False)
    width = pa.scalar(float(bins))
    return pc.multiply(pc.floor(pc.divide(column.cast(pa.float64()), width)), width).cast(column.type, safe=False)


def _floored(column: pa.Array, unit: str) -> pa.Array:
    if unit == "decade":
        first = pa.scalar(_YEAR_1, pa.timestamp("us")).cast(column.type)
        return pc.max_element_wise(pc.floor_temporal(column, multiple=10, unit="year"), first, skip_nulls=False)
    return pc.floor_temporal(column, unit=unit)


def _valid(column: pa.Array) -> Any:  # Any: a NumPy array of truths
    return column.is_valid().to_numpy(zero_copy_only=False)

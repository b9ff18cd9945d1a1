"""Shapes of texts, a batch at a time: what their characters are, not which (`model.profile`, rule 7).

Rules:

1. Bytes above 127 are letters: what follows from a shape does not need to know which.
2. A shape is listed if it recurs and is short. Shapes are listed if they make up `LISTED_SHARE` of all: of names or
   comments they say nothing.
3. A column whose values are all listed needs no shapes.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.profiling.hashes import buffers
from lastro.engine.profiling.numbers import Numbers, plain, truths, zero

SHAPES_MAX = 12
LENGTH_MAX = 40
LISTED_SHARE = 0.2
RECURRING_MIN = 2
_UPPER, _LOWER, _DIGIT, _BLANK = b"Aa9 "
_CLASSES = np.arange(256, dtype=np.uint8)
_CLASSES[ord("A") : ord("Z") + 1] = _UPPER
_CLASSES[ord("a") : ord("z") + 1] = _LOWER
_CLASSES[128:] = _LOWER
_CLASSES[: ord(" ")] = _BLANK
_CLASSES[127] = _BLANK
_CLASSES[ord("0") : ord("9") + 1] = _DIGIT


def shapes_of(texts: pa.StringArray) -> pa.StringArray:
    """The shape of each text, of which none is missing."""
    data, offsets = buffers(texts)
    if not len(data):
        return texts
    classes = _CLASSES[data]
    keep = np.ones(len(data) + 1, dtype=bool)
    letters = (classes[1:] == _UPPER) | (classes[1:] == _LOWER)
    keep[1:-1] = (classes[1:] != classes[:-1]) | ~letters
    keep[offsets[:-1]] = True  # a text begins anew
    places = np.zeros(len(data) + 1, dtype=np.int32)
    np.cumsum(keep[:-1], out=places[1:])
    ends = places[offsets]
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(classes[keep[:-1]]))


def framed(present: pa.StringArray) -> tuple[str, ...] | None:
    """Which shapes are worth counting, from a sample of texts without the missing (rule 2), most frequent first."""
    counts = pc.value_counts(shapes_of(present))
    texts, times = counts.field("values"), plain(counts.field("counts"))
    order = np.lexsort((np.arange(len(times)), -times))[:SHAPES_MAX]
    listed = [(texts[int(place)].as_py(), int(times[place])) for place in order if times[place] >= RECURRING_MIN]
    listed = [(shape, count) for shape, count in listed if len(shape) <= LENGTH_MAX]
    if sum(count for _shape, count in listed) < LISTED_SHARE * len(present):
        return None
    return tuple(shape for shape, _count in listed)


def counted(texts: pa.StringArray, times: Numbers | None, listed: pa.StringArray) -> tuple[Numbers, int]:
    """How often each listed shape occurs among texts that stand for so many `times` each, and how often others do."""
    found = pc.index_in(shapes_of(texts), value_set=listed)
    places = np.where(truths(found.is_null()), len(listed), plain(found.fill_null(zero(found.type))))
    times_of = np.bincount(places, weights=times, minlength=len(listed) + 1).astype(np.int64)
    return times_of[:-1], int(times_of[-1])

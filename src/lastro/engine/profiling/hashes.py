"""Hashes of values, a batch at a time: which values `model.distinct` keeps. They are part of the stored form.

Rules:

1. A number is hashed as its 64 bits: whole numbers, dates and moments as whole numbers, all others as doubles, of which
   0.0 and -0.0 are one. It is multiplied by an odd number, shifted onto itself, and multiplied again.
2. A text is hashed by its length in bytes and its first 128 bytes, or, if it has more, by its first and last 64, in
   words of 8 bytes, of which the last overlaps the one before; a text of fewer is filled up with zeros. Each word is
   multiplied by an odd number of its place, and all are added (M. Dietzfelbinger, "Universal hashing and k-wise
   independent random variables via integer arithmetic", 1996); the sum is hashed as a number.
3. Of the 64 bits that result, the upper `HASH_BITS` are the hash.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lastro.engine.profiling.numbers import Numbers
from lastro.model.distinct import HASH_BITS, KEPT_MAX, Distinct, gathered, merged

ROOM = 4_096
"""So many new hashes are put among the known ones at once."""

_WORD = 8
_HEAD = 64
_ONCE, _TWICE, _OFFSET = (np.uint64(each) for each in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_HALF, _SHIFT = np.uint64(32), np.uint64(64 - HASH_BITS)
_MASKS = np.array([(1 << (8 * count)) - 1 for count in range(_WORD + 1)], dtype=np.uint64)


def of_numbers(numbers: Numbers) -> Numbers:
    """The hashes of numbers, of which none is NaN."""
    if numbers.dtype.kind == "f":
        return _mixed((numbers + 0.0).astype(np.float64, copy=False).view(np.uint64))
    return _mixed(numbers.astype(np.int64).view(np.uint64))


def of_texts(texts: pa.StringArray) -> Numbers:
    """The hashes of texts, of which none is missing."""
    begins, lengths, words = _words(texts)
    total = lengths.astype(np.uint64) * _ONCE
    longest, shortest = int(lengths.max(initial=0)), int(lengths.min(initial=2 * _HEAD))
    last = begins + np.maximum(lengths - _WORD, 0)
    for place in range(0, min(longest, 2 * _HEAD), _WORD):
        at = begins + place
        if place >= _HEAD and longest > 2 * _HEAD:
            at += np.maximum(lengths - 2 * _HEAD, 0)
        np.minimum(at, last, out=at)
        if shortest > place:
            total += _word(words, at, lengths) * _odd(place)
        else:
            some = np.flatnonzero(lengths > place)
            total[some] += _word(words, at[some], lengths[some]) * _odd(place)
    return _mixed(total)


class Kept:
    """The lowest hashes of a column, as batches come."""

    def __init__(self) -> None:
        self.level = 0
        self._new: list[tuple[Numbers, Numbers | None]] = []
        self._room = ROOM
        self._known = Distinct()

    def take(self, hashes: Numbers, times: Numbers | None) -> None:
        """Keeps those that are low enough, each found once or so many `times`, which may be none."""
        if times is not None:
            some = np.flatnonzero(times)
            hashes, times = hashes[some], times[some]
        if self.level:
            low = np.flatnonzero(hashes < np.uint64(1 << (HASH_BITS - self.level)))
            hashes, times = hashes[low], None if times is None else times[low]
        self._new.append((hashes, times))
        self._room -= len(hashes)
        if self._room < 0:
            self._settle()

    def distinct(self) -> Distinct:
        """What was kept so far."""
        self._settle()
        return self._known

    def _settle(self) -> None:
        hashes = np.concatenate([np.zeros(0, dtype=np.uint64), *(found for found, _times in self._new)])
        times = np.concatenate(
            [np.zeros(0, dtype=np.int64), *(np.ones(len(each), np.int64) if n is None else n for each, n in self._new)]
        )
        self.level, kept, counts = _lowest(self.level, hashes, times)
        self._known = merged(self._known, gathered(self.level, dict(zip(kept, counts, strict=True))))
        self._new, self._room, self.level = [], ROOM, self._known.level


def _lowest(level: int, hashes: Numbers, times: Numbers) -> tuple[int, list[int], list[int]]:
    """The level at which these hashes are few enough, or a lower one; those, and how often they occur."""
    # np.unique alone would look each up in a table of its own, which costs 20 times as much as to sort them.
    order = np.argsort(hashes)
    hashes, times = hashes[order], times[order]
    begins = np.flatnonzero(np.diff(hashes, prepend=hashes[:1] + np.uint64(1)))
    if len(begins) > KEPT_MAX:
        level = max(level, HASH_BITS + 1 - int(hashes[begins[KEPT_MAX]]).bit_length())
        begins = begins[: KEPT_MAX + 1]
        end = int(np.searchsorted(hashes, np.uint64(1 << (HASH_BITS - level))))
        begins = begins[begins < end]
        hashes, times = hashes[:end], times[:end]
    counts = np.add.reduceat(times, begins) if len(begins) else times[:0]
    return level, hashes[begins].tolist(), counts.tolist()


def _words(texts: pa.StringArray) -> tuple[Numbers, Numbers, Numbers]:
    """Where texts begin, how many bytes they have, and the 8 bytes at every place as a number."""
    data, offsets = buffers(texts)
    padded = np.zeros(len(data) + _WORD, dtype=np.uint8)
    padded[: len(data)] = data
    words = np.ndarray((len(data) + 1,), dtype="<u8", buffer=padded.data, strides=(1,))
    return offsets[:-1], np.diff(offsets), words


def buffers(texts: pa.StringArray) -> tuple[Numbers, Numbers]:
    """The bytes of all texts one after another, and where each begins in them, with their end."""
    _valid, offsets, data = texts.buffers()
    if not len(texts) or offsets is None:
        return np.zeros(0, dtype=np.uint8), np.zeros(len(texts) + 1, dtype=np.int64)
    places = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    found = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    return found[places[0] : places[-1]], places - places[0]


def _word(words: Numbers, starts: Numbers, lengths: Numbers) -> Numbers:
    found = words[starts]
    if int(lengths.min(initial=_WORD)) < _WORD:
        found &= _MASKS[np.minimum(lengths, _WORD)]
    found ^= found >> _HALF
    return found


def _odd(place: int) -> np.uint64:
    """The odd number of a word's place: steps of the golden ratio, as splitmix64 takes them."""
    mixed = ((place // _WORD + 1) * int(_ONCE)) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * int(_TWICE)) & 0xFFFFFFFFFFFFFFFF
    return np.uint64(mixed | 1)


def _mixed(numbers: Numbers) -> Numbers:
    mixed = numbers * _ONCE
    mixed += _OFFSET
    mixed ^= mixed >> _HALF
    mixed *= _TWICE
    mixed >>= _SHIFT
    return mixed

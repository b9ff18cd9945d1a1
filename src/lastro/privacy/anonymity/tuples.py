"""Rows by their quasi-identifiers: equal ones are counted once, with the sensitive values that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lastro.privacy.anonymity.hierarchy import Codes, Floats

_KEY_MAX = 1 << 62
_ROOM, _FACTOR = 1 << 16, 8


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """A column beside the quasi-identifiers: how often (`counts`) each tuple (`tuples`) has each value (`values`, from
    0). `ordered` values have distances. `shares` is how the values are distributed in all rows.
    """

    name: str
    tuples: Codes
    values: Codes
    counts: Floats
    shares: Floats
    ordered: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tuples:
    """The distinct tuples of quasi-identifiers: of each column the leaf of each tuple, and how many rows have it.

    `subjects` says which subjects have which tuple, where a subject has several rows; None where each row is another
    subject's.
    """

    codes: tuple[Codes, ...]
    counts: Floats
    sensitive: tuple[Beside, ...] = ()
    subjects: Beside | None = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.counts.sum())

    def with_shares(self, sensitive: Sequence[Beside]) -> Tuples:
        """The same tuples, their sensitive values held against other distributions."""
        return replace(self, sensitive=tuple(sensitive))


def tuples_of(
    codes: Sequence[Codes],
    *,
    sensitive: Sequence[tuple[str, Codes, bool]] = (),
    subjects: Codes | None = None,
) -> tuple[Tuples, Codes]:
    """The tuples of rows, and of each row its tuple. `sensitive` are names, the values of the rows as numbers from 0 –
    in their order, where they are ordered – and whether they are.
    """
    of_row, first = numbered(codes)
    counts = np.bincount(of_row, minlength=len(first)).astype(np.float64)
    beside = tuple(_beside(name, of_row, values, ordered=ordered) for name, values, ordered in sensitive)
    whose = None
    if subjects is not None and len(subjects) and int(subjects.max()) + 1 < len(subjects):
        whose = _beside("", of_row, subjects, ordered=False)
    return Tuples(tuple(column[first] for column in codes), counts, beside, whose), of_row


def numbered(codes: Sequence[Codes]) -> tuple[Codes, Codes]:
    """Of each row the number of its combination of codes (from 0), and of each combination one row that has it."""
    key = np.zeros(len(codes[0]), dtype=np.int64)
    room = 1
    for column in codes:
        size = int(column.max()) + 1 if len(column) else 1
        if room * size > _KEY_MAX:
            _known, key = np.unique(key, return_inverse=True)
            room = int(key.max()) + 1
        key *= size
        key += column
        room *= size
    if room <= max(_ROOM, _FACTOR * len(key)):
        return _counted(key, room)
    _known, first, of_row = np.unique(key, return_index=True, return_inverse=True)
    return of_row.astype(np.int64), first.astype(np.int64)


def _counted(key: Codes, room: int) -> tuple[Codes, Codes]:
    """As `numbered`, without sorting: there is a place for every key that there may be."""
    seen = np.full(room, -1, dtype=np.int64)
    seen[key] = np.arange(len(key), dtype=np.int64)
    known = np.flatnonzero(seen >= 0)
    first = seen[known]
    seen[known] = np.arange(len(known), dtype=np.int64)
    return seen[key], first


def _beside(name: str, of_row: Codes, values: Codes, *, ordered: bool) -> Beside:
    size = int(values.max()) + 1 if len(values) else 1
    pairs, counts = np.unique(of_row * size + values, return_counts=True)
    shares: NDArray[np.float64] = np.bincount(values, minlength=size) / max(len(values), 1)
    return Beside(name, pairs // size, pairs % size, counts.astype(np.float64), shares, ordered)

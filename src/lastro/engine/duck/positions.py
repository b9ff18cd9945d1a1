"""Positions: between a record's place in its source and its place among the records that arrived.

Both count from 1. `removed` and `skipped` are ascending places in the source.
"""

from __future__ import annotations

import numpy as np

Integers = np.ndarray[tuple[int], np.dtype[np.int64]]


def positions(kept: Integers, removed: Integers) -> Integers:
    """Where the `kept`-th kept rows (from 0) stood in a source (from 1) that lost the records at `removed` (sorted)."""
    before = removed - np.arange(len(removed)) - 1
    return kept + 1 + np.searchsorted(before, kept, side="right")


def corrected(told: Integers, skipped: Integers) -> Integers:
    """Positions that counted accepted records only, as positions among all: `skipped` (sorted) are the others."""
    return positions(told - 1, skipped)

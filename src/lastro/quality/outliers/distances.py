"""A column's numbers as distances from a number of its own, so that no digit of a large whole number is lost.

Rules:

1. Whole numbers are taken from a base before they become floats: 2^60 and 2^60 + 1 stay one apart.
2. What is masked or NaN is missing and becomes NaN; infinite numbers stay so.
3. Numbers so large that a sum of some would overflow are taken in a larger unit, a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LARGE = 1e300
LARGE_UNIT = 2.0**16


@dataclass(frozen=True, slots=True)
class Scale:
    """Where distances begin, and their unit; `whole` if the column's numbers are whole."""

    base: int = 0
    unit: float = 1.0
    whole: bool = False

    def of(self, values: NDArray[Any]) -> Floats:  # Any: whichever numbers
        """The values' distances. Raises `ValueError` if they are no numbers."""
        import numpy as np

        plain, missing = np.ma.getdata(values), np.ma.getmaskarray(values)
        if plain.dtype.kind == "f":
            with np.errstate(over="ignore"):
                found = plain.astype(np.float64) / self.unit - self.base / self.unit
        elif plain.dtype.kind in "iub":
            found = _from(plain, self.base) / self.unit
        else:
            raise ValueError(f"outliers are looked for among numbers, not among {plain.dtype.name}")
        return np.where(missing, np.nan, found)

    def low(self, distance: float) -> float | int:
        """The column's number at a distance: of whole numbers, the least that is not below it."""
        return self._number(distance, math.ceil)

    def high(self, distance: float) -> float | int:
        """The column's number at a distance: of whole numbers, the largest that is not above it."""
        return self._number(distance, math.floor)

    def _number(self, distance: float, whole: Callable[[float], int]) -> float | int:
        if not math.isfinite(distance):
            return distance
        return self.base + (whole(distance) if self.whole else distance * self.unit)


def scale_of(values: NDArray[Any]) -> Scale:  # Any: whichever numbers
    """The scale in which these numbers, and others like them, can be reckoned with."""
    import numpy as np

    plain = np.ma.compressed(values) if np.ma.isMaskedArray(values) else values
    if plain.dtype.kind in "iub":
        return Scale(int(plain[len(plain) // 2]) if len(plain) else 0, whole=True)
    finite = plain[np.isfinite(plain)] if plain.dtype.kind == "f" else plain[:0]
    return Scale(unit=LARGE_UNIT if len(finite) and float(np.abs(finite).max()) > LARGE else 1.0)


def _from(values: NDArray[Any], base: int) -> Floats:  # Any: whole numbers of whichever size
    """Exact differences of whole numbers, as near as a float comes to each."""
    import numpy as np

    whole = values if values.dtype == np.uint64 else values.astype(np.int64)
    if whole.dtype == np.uint64:
        is_above = whole >= np.uint64(max(base, 0))
    else:
        is_above = whole >= base if base < 1 << 63 else np.zeros(len(whole), dtype=bool)
    # Unsigned differences wrap around to the right ones, whatever the signs.
    up = whole.astype(np.uint64) - np.uint64(base % (1 << 64))
    return np.where(is_above, up.astype(np.float64), -((np.uint64(0) - up).astype(np.float64)))

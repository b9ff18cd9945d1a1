"""XXH64 of many texts at once: a fixed, published function, so that what hangs on it never moves with a library.

Specification: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md (XXH64). Texts of equal length form a
matrix, one row a text, and every step of the algorithm is one operation on all rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]

_P1 = 0x9E3779B185EBCA87
_P2 = 0xC2B2AE3D27D4EB4F
_P3 = 0x165667B19E3779F9
_P4 = 0x85EBCA77C2B2AE63
_P5 = 0x27D4EB2F165667C5
_MASK = (1 << 64) - 1


def xxh64(data: NDArray[np.uint8], ends: NDArray[np.int64], seeds: Words) -> Words:
    """One hash per text. Text `i` is `data[ends[i]:ends[i + 1]]` and has the seed `seeds[i]`.

    `ends` has one item more than there are texts.
    """
    import numpy as np

    hashes = np.empty(len(seeds), dtype=np.uint64)
    lengths = np.diff(ends)
    for length in np.unique(lengths):
        chosen = np.flatnonzero(lengths == length)
        matrix = data[ends[chosen][:, None] + np.arange(length)]
        hashes[chosen] = _equal_lengths(matrix, seeds[chosen])
    return hashes


def _equal_lengths(matrix: NDArray[np.uint8], seeds: Words) -> Words:
    import numpy as np

    length = matrix.shape[1]
    words = np.ascontiguousarray(matrix[:, : length // 8 * 8]).view("<u8").astype(np.uint64)
    stripes = length // 32 * 4
    state = _stripes(words[:, :stripes], seeds) if stripes else seeds + np.uint64(_P5)
    state = state + np.uint64(length)
    for column in range(stripes, words.shape[1]):
        state = _rotated(state ^ _round(np.zeros_like(state), words[:, column]), 27) * np.uint64(_P1) + np.uint64(_P4)
    at = length // 8 * 8
    if length - at >= 4:
        half = np.ascontiguousarray(matrix[:, at : at + 4]).view("<u4")[:, 0].astype(np.uint64)
        state = _rotated(state ^ (half * np.uint64(_P1)), 23) * np.uint64(_P2) + np.uint64(_P3)
        at += 4
    for column in range(at, length):
        state = _rotated(state ^ (matrix[:, column].astype(np.uint64) * np.uint64(_P5)), 11) * np.uint64(_P1)
    return _avalanche(state)


def _stripes(words: Words, seeds: Words) -> Words:
    import numpy as np

    lanes = [seeds + np.uint64(offset & _MASK) for offset in (_P1 + _P2, _P2, 0, -_P1)]
    for column in range(words.shape[1]):
        lanes[column % 4] = _round(lanes[column % 4], words[:, column])
    state = sum((_rotated(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)), np.zeros_like(seeds))
    for lane in lanes:
        state = (state ^ _round(np.zeros_like(lane), lane)) * np.uint64(_P1) + np.uint64(_P4)
    return state


def _round(state: Words, word: Words) -> Words:
    import numpy as np

    return _rotated(state + word * np.uint64(_P2), 31) * np.uint64(_P1)


def _rotated(words: Words, by: int) -> Words:
    import numpy as np

    return (words << np.uint64(by)) | (words >> np.uint64(64 - by))


def _avalanche(state: Words) -> Words:
    import numpy as np

    state = (state ^ (state >> np.uint64(33))) * np.uint64(_P2)
    state = (state ^ (state >> np.uint64(29))) * np.uint64(_P3)
    return state ^ (state >> np.uint64(32))

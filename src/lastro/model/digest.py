"""Digests: SHA-256, written `sha256:<64 hex>`; values are digested through one canonical JSON form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BLOCK_BYTES = 1 << 20
PREFIX = "sha256:"


def of_bytes(content: bytes) -> str:
    """The digest of some bytes."""
    return PREFIX + hashlib.sha256(content).hexdigest()


def of_file(path: Path) -> str:
    """The digest of a file's content, read in blocks of 1 MiB. Raises `OSError`."""
    state = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(BLOCK_BYTES):
            state.update(block)
    return PREFIX + state.hexdigest()


def canonical(value: Any) -> bytes:  # Any: whatever JSON can hold
    """JSON with sorted keys, no spaces, UTF-8; NaN and infinities are refused with `ValueError`."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def of_value(value: Any) -> str:  # Any: whatever JSON can hold
    """The digest of a JSON value in its canonical form."""
    return of_bytes(canonical(value))


def of_parts(parts: Iterable[str]) -> str:
    """The digest of a sequence of texts; no two different sequences share their input bytes."""
    return of_value(list(parts))

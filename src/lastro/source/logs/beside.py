"""Rotations that stand beside a log and that its path leaves out: lines in them would never be read."""

from __future__ import annotations

import glob
import posixpath
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from lastro.source.logs import names


def rotations_beside(path: str, base: Path) -> tuple[str, ...]:
    """The files that look like rotations of what the path takes in, and are not taken in; sorted."""
    taken = set(glob.glob(path, root_dir=base, recursive=True))  # noqa: PTH207 - pathlib has no root_dir
    families = {names.family(name) for name in taken}
    found = {
        posixpath.join(folder, file.name)
        for folder in {folder for folder, _own in families}
        for file in (base / folder).iterdir()
        if file.is_file() and (folder, names.own(file.name)) in families
    }
    return tuple(sorted(found - taken))


def pattern_of(taken: str, beside: Sequence[str]) -> str:
    """A pattern that takes in a path and the rotations beside it."""
    folder, base = posixpath.split(taken)
    own = names.own(base)
    stem = own.partition(".")[0]
    every = [posixpath.basename(name) for name in (taken, *beside)]
    pattern = next((each for each in (f"{own}*", f"{stem}*") if all(fnmatchcase(name, each) for name in every)), "*")
    return posixpath.join(folder, pattern)

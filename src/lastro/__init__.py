"""Lastro: data management for machine learning – ingestion, contracts, versions, quality and proof in one package.

>>> import lastro
>>> workspace = lastro.open("./lake")  # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.release import VERSION

if TYPE_CHECKING:
    from lastro.source.python.generator import Cursor
    from lastro.workspace.workspace import Workspace

__version__ = VERSION
__all__ = ["Cursor", "__version__", "init", "open"]


def open(path: str | Path = ".") -> Workspace:  # noqa: A001
    """The workspace in this folder or the nearest one above it. Raises `ConfigurationError` if there is none."""
    from lastro.workspace.workspace import find

    return find(Path(path))


def init(path: str | Path = ".") -> Workspace:
    """A new, empty workspace in this folder. Raises `ConfigurationError` if there is one already."""
    from lastro.workspace.workspace import create

    return create(Path(path))


def __getattr__(name: str) -> Any:  # Any: what is imported at first use
    if name != "Cursor":
        raise AttributeError(name)
    from lastro.source.python.generator import Cursor

    return Cursor

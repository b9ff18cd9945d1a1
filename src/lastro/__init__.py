"""Lastro: data management for machine learning – ingestion, contracts, versions, quality and proof in one package.

>>> import lastro
>>> workspace = lastro.open("./lake")  # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.release import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lastro.model.check import CheckReport
    from lastro.source.python.generator import Cursor
    from lastro.transform.templates.mining import Templates
    from lastro.workspace.workspace import Workspace

__version__ = VERSION
__all__ = ["Cursor", "__version__", "check", "init", "open", "templates"]


def open(path: str | Path = ".") -> Workspace:  # noqa: A001
    """The workspace in this folder or the nearest one above it. Raises `ConfigurationError` if there is none."""
    from lastro.workspace.workspace import find

    return find(Path(path))


def init(path: str | Path = ".") -> Workspace:
    """A new, empty workspace in this folder. Raises `ConfigurationError` if there is one already."""
    from lastro.workspace.workspace import create

    return create(Path(path))


def check(
    contract: str | Path,
    *,
    server: str,
    rules: Sequence[str] = (),
    dimensions: Sequence[str] = (),
    failures: int | None = None,
    clean: bool = False,
) -> tuple[CheckReport, ...]:
    """Holds a contract to the data where it lives: at one of the contract's `servers`. Nothing is ingested.

    `contract` is a file, or the name of a dataset of the workspace here; there is a report for each of its schema
    objects. Rules are judged on the values as they are, with `clean` after the contract's cleaning. `rules`,
    `dimensions` and `failures` are as for `Dataset.check`. Of one schema object every error is raised; of several, one
    that cannot be checked has its error in its report. Raises `ContractError`, `UnknownName`, `ConfigurationError`,
    `SourceError`, `SqlRefused`, `EngineError`.
    """
    from lastro.contract.servers import names_file
    from lastro.workspace.quality.check import asked
    from lastro.workspace.quality.served import check_served, of_dataset, of_file

    place = of_file(Path(contract)) if names_file(contract) else of_dataset(open().dataset(str(contract)))
    return check_served(place, server, asked(rules, dimensions, failures), cleaned=clean)


def templates(
    rows: Any,  # Any: an upstream dataset, a version, Arrow data or a frame of Polars
    column: str,
    *,
    time: str | None = None,
    similarity: float = 0.6,
    minimum: int = 1,
    templates_max: int = 10_000,
) -> Templates:
    """The templates of a column of free text: `.rows()` tells each row's, `.counts()` how often each occurs.

    `time` is the column that says when a row was; `similarity` the share of equal words that makes two messages one
    template; templates of fewer than `minimum` rows are not told, and not more than `templates_max` are learnt.
    Raises `UnknownName`, `UsageError`. The rules stand in `lastro.transform.templates`.
    """
    from lastro.transform.templates.mining import mined

    return mined(rows, column, time=time, similarity=similarity, minimum=minimum, templates_max=templates_max)


def __getattr__(name: str) -> Any:  # Any: what is imported at first use
    if name != "Cursor":
        raise AttributeError(name)
    from lastro.source.python.generator import Cursor

    return Cursor

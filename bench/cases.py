"""The topics, and where each is told: figures with goals, and tables of their own.

Rules:

1. A topic is a module. It has `figures(size)`, or `tables(size)` with the whole text of its block.
2. Topics that share a block are recorded together: measured alone, such a topic is told and not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from bench.figure import Figure, Size
from bench.process import ROOT

BENCHMARKS = ROOT / "docs" / "benchmarks.md"
EXPLANATION = ROOT / "docs" / "explanation"
SHARED = "figures"


@dataclass(frozen=True, slots=True)
class Topic:
    """A module of `bench` and the block of a page in which it is told; `small` if a smoke run measures it, too."""

    name: str
    block: str = SHARED
    page: Path = BENCHMARKS
    small: bool = True

    @property
    def figures(self) -> Callable[[Size], Iterator[Figure]] | None:
        """Its figures, if it has some."""
        return getattr(import_module(f"bench.{self.name}"), "figures", None)

    @property
    def tables(self) -> Callable[[Size], str]:
        """Its tables, if it has no figures."""
        made: Callable[[Size], str] = import_module(f"bench.{self.name}").tables
        return made


TOPICS = (
    *map(Topic, ("governed", "start", "nothing_new", "postgres", "api", "logs")),
    Topic("quality", "quality"),
    Topic("ledger", "ledger"),
    Topic("access", "access"),
    Topic("vault", "vault"),
    Topic("subjects", "subjects"),
    Topic("classify", "classify"),
    Topic("anonymise", "anonymise"),
    Topic("erase", "erase"),
    Topic("peers", "peers", small=False),
    Topic("drift_calibration", "calibration", EXPLANATION / "drift.md"),
    Topic("history_calibration", "calibration", EXPLANATION / "history.md"),
)

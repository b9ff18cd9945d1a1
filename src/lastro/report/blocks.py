"""Blocks: what a report is made of, before it is text or HTML.

Texts in blocks are as they came, with nothing escaped: `report.plain` and `report.html` escape all of them, so that no
report can forget to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How a text is meant. A tone adds colour to words that say the same; it never stands alone."""

    PLAIN = "plain"
    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: a text, or a bar if `share` (0 to 1) is given.

    `anchor` is that of the title where the page tells more of it; it is made by the report, never of data.
    """

    text: str
    tone: Tone = Tone.PLAIN
    share: float | None = None
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column: `right` aligns numbers, `fixed` keeps the column whole where the page is narrow.

    A column with a `spare` above 0 is left out where the page is too narrow for all, the highest first. `names` says
    that its cells are what their rows are about.
    """

    heading: str
    right: bool = False
    fixed: bool = False
    spare: int = 0
    names: bool = False


@dataclass(frozen=True, slots=True)
class Title:
    """A heading over what follows; of `level` 2, it stands under one of 1. An `anchor` is where cells lead to."""

    text: str
    level: int = 1
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Code:
    """Text whose line breaks and spaces matter, such as SQL."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; every row has as many cells as there are columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells under {len(self.columns)} columns")


@dataclass(frozen=True, slots=True)
class Series:
    """Shares (0 to 1) of one side under its name."""

    name: str
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One or two distributions in one picture. `says` is what is to be seen, for who does not see it.

    With `labels`, there is a bar for each of them; without, there are equal steps, and `ends` say where the first
    begins and the last ends.
    """

    caption: str
    says: str
    series: tuple[Series, ...]
    labels: tuple[str, ...] = ()
    ends: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        bars = {len(series.shares) for series in self.series} | ({len(self.labels)} if self.labels else set())
        if len(self.series) not in {1, 2} or len(bars) != 1:
            raise ValueError("a figure has one or two series, and as many shares in each as there are labels")


@dataclass(frozen=True, slots=True)
class Grid:
    """How every two of some columns go together, -1 to 1, None where that is not known. `says` is as in a figure."""

    caption: str
    says: str
    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


Block = Title | Line | Code | Table | Figure | Grid
Blocks = tuple[Block, ...]


def table(columns: Iterable[Column], rows: Iterable[Iterable[Cell | str]]) -> Table:
    """A table from cells or bare texts."""
    return Table(tuple(columns), tuple(tuple(_cell(cell) for cell in row) for row in rows))


def _cell(cell: Cell | str) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def bar(part: float, largest: float) -> Cell:
    """A bar of `part` against the largest of its column."""
    return Cell("", share=part / largest if largest else 0.0)

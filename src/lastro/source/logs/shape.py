"""What a log's format comes to: a pattern whose groups are columns, and how these write moments."""

from __future__ import annotations

from dataclasses import dataclass

from lastro.engine.scan import LineColumn, Lines, Moments


class Broken(Exception):
    """A format that cannot be used: what is wrong with it, and what to do."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(what)
        self.what, self.do = what, do


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern of RE2, its columns by the numbers of their groups, and the moments among them."""

    pattern: str
    columns: tuple[LineColumn, ...]
    moments: tuple[Moments, ...] = ()

    def lines(self) -> Lines:
        """As the engine takes it."""
        return Lines(self.pattern, self.columns, moments=self.moments)

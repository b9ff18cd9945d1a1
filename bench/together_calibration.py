"""`python -m bench.together_calibration [--windows N] [--record]`: how often rows, texts, vectors are called drifted.

Rules:

1. A change is a share of the window's rows that are others. Others are as unlike as can be told: two numbers that are
   equal, words of another language, vectors that lie elsewhere. So the share is what the margin is about, and a change
   of 5 % is as large as the margin allows.
2. The budget is that of 20 columns and these three questions, over 30 looks. Beside it stands the hardest case: no
   margin at all, and a budget of one half for one question and one look, in which a bound that is too short would show.
3. The package's own questions answer, of rows that are drawn.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from bench.process import ROOT
from lastro.drift.result import Verdict
from lastro.drift.settings import Budget, Settings
from lastro.drift.together.answer import Question
from lastro.drift.together.compare import Asked, answers
from lastro.model.schema import Field, Primitive

PAGE = ROOT / "docs" / "explanation" / "drift.md"
BEGIN, END = "<!-- together: begin -->", "<!-- together: end -->"
USUAL, BUDGET = Settings(), Budget(0.05, 23, 30)
HARDEST, ONE = Settings(alpha=0.5, margin=0.0, margin_together=0.0), Budget(0.5, 1, 1)
SIZES, SHARES = (500, 2_000, 10_000), (0.0, 0.05, 0.2, 0.4)
NUMBERS, LENGTH, WORDS = 5, 32, 12
LETTERS = "abcdefghijklmnopqrst"

Side = Any
"""A pyarrow table, or a pyarrow array of lists."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is asked, of rows that are drawn: how many, and which share of them are others."""

    question: Question
    asked: Asked
    draw: Callable[[np.random.Generator, int, float], Side]
    rows_max: int

    def verdict(self, sides: tuple[Side, Side], settings: Settings, budget: Budget, *, seed: int) -> Verdict:
        """What the window came to."""
        tables, vectors = (sides, {}) if not self.asked.vectors else ((None, None), {"v": sides})
        found = answers(self.asked, tables, vectors, settings, budget, seed=seed)
        return next(answer.verdict for answer in found if answer.question is self.question)


def kinds() -> tuple[Kind, ...]:
    """Rows of five numbers, vectors, and texts."""
    fields = tuple(Field(f"x{place}", Primitive.DOUBLE) for place in range(NUMBERS))
    none: frozenset[str] = frozenset()
    return (
        Kind(Question.ROWS, Asked(fields, none, (), ()), _rows, 20_000),
        Kind(Question.VECTORS, Asked((), none, ("v",), ()), _vectors, 5_000),
        Kind(Question.TEXTS, Asked((), none, (), ("t",)), _texts, 5_000),
    )


def _others(draws: np.random.Generator, rows: int, share: float) -> np.ndarray:
    return draws.random(rows) < share


def _rows(draws: np.random.Generator, rows: int, share: float) -> pa.Table:
    values = draws.normal(size=(NUMBERS, rows))
    values[1] = np.where(_others(draws, rows, share), values[0], values[1])
    return pa.table({f"x{place}": values[place] for place in range(NUMBERS)})


def _vectors(draws: np.random.Generator, rows: int, share: float) -> pa.Array:
    values = draws.normal(size=(rows, LENGTH)) + _others(draws, rows, share)[:, None]
    return pa.FixedSizeListArray.from_arrays(values.ravel(), LENGTH).cast(pa.list_(pa.float64()))


def _texts(draws: np.random.Generator, rows: int, share: float) -> pa.Table:
    places = draws.integers(0, 400, (rows, WORDS))
    words = np.array([LETTERS[n // 20] + "aeiou"[n % 5] + LETTERS[n % 20] for n in range(400)])
    found = np.where(_others(draws, rows, share)[:, None], np.char.add(words[places], "u"), words[places])
    return pa.table({"t": [" ".join(row) for row in found.tolist()]})


def drifted(
    kind: Kind, rows: int, share: float, windows: int, *, settings: Settings = USUAL, budget: Budget = BUDGET
) -> int:
    """How many of so many windows are called drifted."""
    found = 0
    for window in range(windows):
        draws = np.random.default_rng((rows, int(share * 1000), window))
        sides = (kind.draw(draws, rows, 0.0), kind.draw(draws, rows, share))
        found += kind.verdict(sides, settings, budget, seed=window) is Verdict.DRIFTED
    return found


def line(question: Question, rows: int, windows: int) -> str:
    """One line of the table."""
    kind = next(kind for kind in kinds() if kind.question is question)
    cells = [drifted(kind, rows, 0.0, windows, settings=HARDEST, budget=ONE)]
    cells += [drifted(kind, rows, share, windows) for share in SHARES]
    return f"| {question} | {rows:,} | " + " | ".join(f"{cell} of {windows}" for cell in cells) + " |"


def lines(windows: int) -> Iterator[str]:
    """The table, line by line."""
    shares = " | ".join(f"{share:.0%} others" for share in SHARES)
    yield f"| what | rows of either side | no margin, no change | {shares} |"
    yield "|---|---|---|" + "---|" * len(SHARES)
    asked = [(kind.question, rows) for kind in kinds() for rows in SIZES if rows <= kind.rows_max]
    counts = [max(windows // 2, windows * SIZES[0] // rows) for _question, rows in asked]
    with ProcessPoolExecutor() as pool:
        for found in pool.map(line, *zip(*asked, strict=True), counts):
            print(found, file=sys.stderr, flush=True)
            yield found


def main() -> int:
    """Prints the table, and records it in the page if asked."""
    parser = argparse.ArgumentParser(prog="python -m bench.together_calibration", description=__doc__)
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    text = "\n".join(lines(asked.windows))
    print(text)
    if asked.record:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

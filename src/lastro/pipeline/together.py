"""Samples of both sides, and what they answer about rows as wholes, texts and vectors.

Rules:

1. The columns are those that are compared one by one, as far as both sides have them with the same type.
2. Columns of vectors are drawn by themselves, fewer rows of them, for they are large. Every column is read once.
3. Tables of very many columns get smaller samples: not more than `CELLS_MAX` cells of either side.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastro.drift.settings import Budget, Settings
from lastro.drift.together.answer import Together
from lastro.drift.together.compare import Asked, answers, asked
from lastro.drift.together.vectors import VECTORS_MAX
from lastro.engine.protocol import Engine
from lastro.model.profile import Frame
from lastro.model.schema import Schema
from lastro.pipeline.sampling import sampled

SEED = 0
CELLS_MAX = 8_000_000


@dataclass(frozen=True, slots=True)
class Side:
    """One side's files, of which `rows` are meant, by a condition if there is one."""

    files: Sequence[Path]
    schema: Schema
    rows: int
    where: str | None = None

    def sample(self, engine: Engine, names: Sequence[str], count: int) -> Any:  # Any: a pyarrow.Table
        """Some rows of these columns."""
        stream = engine.read(self.files, self.schema, columns=names, where=self.where)
        return sampled(stream, self.rows, count, seed=SEED)


def questions(names: Collection[str], schemas: tuple[Schema, Schema], frame: Frame, withheld: Collection[str]) -> Asked:
    """What is asked of these columns. Raises `MissingExtra` if there is no library to answer it."""
    from lastro.drift.together import learner

    learner.check()
    before = {each.name: each.type for each in schemas[0].fields}
    shared = [each for each in schemas[1].fields if each.name in names and before.get(each.name) == each.type]
    return asked(shared, frame, withheld)


def together(of: Asked, sides: tuple[Side, Side], engine: Engine, settings: Settings, budget: Budget) -> Together:
    """The answers of samples of a reference and a window that have rows. Raises `MissingExtra`, `Corrupted`."""
    plain = [each.name for each in of.fields]
    count = min(settings.sample_rows, max(2, CELLS_MAX // max(1, len(plain))))
    vectors = {
        name: tuple(
            side.sample(engine, [name], min(count, VECTORS_MAX)).column(name).combine_chunks() for side in sides
        )
        for name in of.vectors
    }
    tables = tuple(side.sample(engine, plain, count) if plain else None for side in sides)
    found = answers(
        of,
        (tables[0], tables[1]),
        {name: (pair[0], pair[1]) for name, pair in vectors.items()},
        settings,
        budget,
        seed=SEED,
    )
    return Together(found, count, SEED)

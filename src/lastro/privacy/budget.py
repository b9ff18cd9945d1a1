"""The privacy budget of a dataset: how much of its persons' privacy was given for answers, and how much may be.

Rules:

1. Epsilons add up over all answers of a dataset, whatever version they are of: the same persons may be in each.
2. What an answer costs is taken before it is computed, and durably. Killed in between, the budget is smaller and no
   answer was given; it is never the other way round. What is taken is not given back.
3. Epsilons are whole millionths here, rounded up, so that no sum of them is off.
4. A question that was answered, asked again of the same bytes, gets the same answer and costs nothing. Only questions
   without a text of a person's are remembered so: neither values nor their hashes are kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lastro.model.errors import NotPermitted, UsageError
from lastro.model.text import _
from lastro.state.connection import Connection, Kind

FILE = "budget.sqlite"
MILLION = 1_000_000
EPSILON_MAX = 100.0
_FIRST = (
    """CREATE TABLE spending (
        number INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        actor TEXT NOT NULL,
        dataset TEXT NOT NULL,
        digest TEXT NOT NULL,
        statistic TEXT NOT NULL,
        column TEXT NOT NULL,
        question TEXT NOT NULL,
        epsilon INTEGER NOT NULL CHECK (epsilon > 0),
        answer TEXT
    ) STRICT""",
    """CREATE INDEX spending_by_dataset ON spending (dataset)""",
)
KIND = Kind(
    0x4C535442,  # `LSTB`
    (_FIRST,),
    name=lambda: _("the privacy budgets"),
    repair=lambda: _("bring .lastro/budget.sqlite back from a backup; without it, nobody knows what was spent"),
    only=True,
)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks what of which version, when. `question` names all that the answer depends on; empty: not remembered."""

    at: str
    actor: str
    dataset: str
    digest: str
    statistic: str
    column: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """One entry: who asked what when, and what it cost in epsilon."""

    at: str
    actor: str
    digest: str
    statistic: str
    column: str
    epsilon: float


def millionths(epsilon: float) -> int:
    """An epsilon in millionths, rounded up. Raises `UsageError` for what is none."""
    if not (math.isfinite(epsilon) and 0 < epsilon <= EPSILON_MAX):
        raise UsageError(
            _("an epsilon is a number above 0, and at most {most}").format(most=f"{EPSILON_MAX:g}"),
            do=_("say --epsilon 0.5; smaller ones give more privacy and more noise"),
        )
    return max(1, math.ceil(round(epsilon * MILLION, 3)))


class Budgets:
    """The file with what was spent. Raises what `state.connection` does."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._file = Connection(self._path, KIND)

    def spent(self, dataset: str) -> float:
        """How much of a dataset's budget is spent."""
        if not self._path.exists():
            return 0.0
        with self._file.reading() as connection:
            return _sum(connection.execute(_SUM, (dataset,)).fetchone()) / MILLION

    def entries(self, dataset: str) -> Iterator[Spent]:
        """What was spent on a dataset, the newest first."""
        if not self._path.exists():
            return
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT at, actor, digest, statistic, column, epsilon FROM spending WHERE dataset = ?"
                " ORDER BY number DESC",
                (dataset,),
            ).fetchall()
        for at, actor, digest, statistic, column, epsilon in rows:
            yield Spent(at, actor, digest, statistic, column, epsilon / MILLION)

    def known(self, asking: Asking) -> str | None:
        """The answer that was given to the same question of the same bytes."""
        if not asking.question or not self._path.exists():
            return None
        with self._file.reading() as connection:
            found = connection.execute(
                "SELECT answer FROM spending WHERE dataset = ? AND digest = ? AND question = ? AND answer IS NOT NULL",
                (asking.dataset, asking.digest, asking.question),
            ).fetchone()
        return None if found is None else str(found[0])

    def take(self, asking: Asking, epsilon: int, budget: int) -> int:
        """Takes so many millionths from a dataset's budget; gives the entry's number. Raises `NotPermitted`."""
        with self._file.writing() as connection:
            spent = _sum(connection.execute(_SUM, (asking.dataset,)).fetchone())
            if spent + epsilon > budget:
                raise NotPermitted(
                    _("the privacy budget of {name} does not allow it").format(name=asking.dataset),
                    where=_("{spent} of {budget} is spent, {asked} is asked for").format(
                        spent=f"{spent / MILLION:g}", budget=f"{budget / MILLION:g}", asked=f"{epsilon / MILLION:g}"
                    ),
                    do=_("ask with a smaller --epsilon, or ask whoever answers for the data"),
                    state=_("nothing was computed"),
                )
            number = connection.execute(
                "INSERT INTO spending (at, actor, dataset, digest, statistic, column, question, epsilon)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*_values(asking), epsilon),
            ).lastrowid
        return int(number or 0)

    def remember(self, number: int, answer: str) -> None:
        """Keeps the answer of an entry."""
        with self._file.writing() as connection:
            connection.execute("UPDATE spending SET answer = ? WHERE number = ?", (answer, number))

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        self._file.close()


_SUM = "SELECT coalesce(sum(epsilon), 0) FROM spending WHERE dataset = ?"


def _sum(row: Sequence[int]) -> int:
    return int(row[0])


def _values(asking: Asking) -> tuple[str, ...]:
    return (
        *(asking.at, asking.actor, asking.dataset, asking.digest),
        *(asking.statistic, asking.column, asking.question),
    )

"""What the questions about several columns, texts and vectors come to: frozen records without a value of the data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from lastro.drift.result import Estimate, Verdict, worst_of


class Question(StrEnum):
    """What is asked: whether rows, texts or vectors are told apart; how letters, words and broken vectors changed."""

    ROWS = "rows"
    VECTORS = "vectors"
    BROKEN = "broken"
    TEXTS = "texts"
    LETTERS = "letters"
    WORDS = "words"


CLASSIFIED = frozenset({Question.ROWS, Question.VECTORS, Question.TEXTS})
"""Questions whose size is an AUC; the others' is a share."""


@dataclass(frozen=True, slots=True)
class Separator:
    """A column by how it tells the sides apart: the AUC by it `alone`, and the AUC that is `lost` without it."""

    column: str
    alone: float
    lost: float


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of letter, or of broken vector: its share before and after."""

    kind: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """The squared maximum mean discrepancy, unbiased (so it may be below 0), by so many rows of each side.

    `p_value` is the chance of at least this much if both sides are alike, by `permutations`; `bandwidth` the kernel's,
    in the vectors' own unit. Decides nothing.
    """

    squared: float
    p_value: float
    permutations: int
    bandwidth: float
    rows: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question came to.

    `size` is an AUC (0.5 is no difference) or a share, with an interval that holds together with all others of the
    budget; `limit` is the margin in the same unit, and from `finds` on a size is called drifted all but surely, by
    samples of so many rows. `moved` is the share of rows that surely are others. `rows_needed` of either side would
    tell where it is unsure. `before` and `after` are rates. `separators` are told where `size` is above the limit.
    """

    question: Question
    column: str | None
    verdict: Verdict
    words: str
    margin: float
    limit: float
    reference: int
    current: int
    size: Estimate | None = None
    finds: float | None = None
    moved: float = 0.0
    rows_needed: int | None = None
    before: float | None = None
    after: float | None = None
    separators: tuple[Separator, ...] = ()
    parts: tuple[Part, ...] = ()
    discrepancy: Discrepancy | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """All answers, those that matter most first; `sample_rows` of each side were drawn at most, by `seed`."""

    answers: tuple[Answer, ...]
    sample_rows: int
    seed: int

    @property
    def verdict(self) -> Verdict:
        """The verdict of all answers."""
        return worst_of([answer.verdict for answer in self.answers])

    def answer(self, question: Question, *, column: str | None = None) -> Answer | None:
        """The answer to a question, of a column or of the rows; None if it was not asked."""
        return next((one for one in self.answers if (one.question, one.column) == (question, column)), None)

    def to_dict(self) -> dict[str, Any]:  # JSON: whatever the records hold
        """The answers as JSON's values."""
        return {"verdict": self.verdict, **asdict(self)}

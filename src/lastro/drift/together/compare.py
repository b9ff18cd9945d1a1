"""The questions about several columns, texts and vectors, and what samples of both sides answer.

Rules:

1. What is asked follows from the reference's frame and the types alone, never from what was counted: rows as wholes if
   any column compares; each column of lists of floating numbers; each column of free text, which is one that no list
   of values covers and whose texts are long or hardly recur. Nothing is asked of columns that are withheld, but
   whether a value is missing, as a part of the rows.
2. Each of these takes as much of the budget as a column; a column's questions share that evenly.
3. Too few rows, no text, no usable vector: the question is told as not comparable, and why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lastro.drift import measure
from lastro.drift.result import ORDER, Estimate, Verdict
from lastro.drift.settings import Budget, Chance, Settings
from lastro.drift.together import auc, rows, texts, vectors
from lastro.drift.together.answer import CLASSIFIED, Answer, Part, Question
from lastro.drift.together.halves import Halves
from lastro.drift.together.words import of_answer
from lastro.model.profile import ColumnFrame, Frame
from lastro.model.schema import Field, ListOf, Primitive
from lastro.model.text import _

LONG_TEXT = 20
"""Texts about as long as this, and longer, are free text even if some recur."""
_FLOATING = frozenset({Primitive.DOUBLE, Primitive.FLOAT})
OF_VECTORS = (Question.VECTORS, Question.BROKEN)
OF_TEXTS = (Question.TEXTS, Question.LETTERS, Question.WORDS)

Table = Any  # Any: a pyarrow table


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of which columns: `fields` make the rows, of `withheld` ones only whether a value is missing.

    Columns of `vectors` are no part of the rows, columns of `texts` are.
    """

    fields: tuple[Field, ...]
    withheld: frozenset[str]
    vectors: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def questions(self) -> int:
        """How many columns' worth of the budget is asked for."""
        return bool(self.fields) + len(self.vectors) + len(self.texts)


@dataclass(frozen=True, slots=True)
class _Judge:
    """Makes answers of sizes, under one budget."""

    settings: Settings
    budget: Budget

    def chance(self, parts: int) -> Chance:
        """What is left for one question of a column that has so many."""
        half = self.budget.alpha / self.budget.columns / parts / 2
        return Chance(half, half / self.budget.looks, 2 * half / self.budget.looks)

    def classified(
        self, question: Question, column: str | None, value: float, halves: Halves, chance: Chance
    ) -> Answer:
        """The answer that an AUC of both halves gives."""
        margin = self._margin(column, question)
        limit, size = auc.limit_of(margin), auc.estimate(value, halves.smaller, chance.either)
        verdict = auc.verdict(size, limit)
        needed = auc.rows_needed(value, limit, chance.either) if verdict is Verdict.UNSURE else None
        drawn = min(halves.reference, halves.current)
        return Answer(
            question,
            column,
            verdict,
            of_answer(question, verdict, needed, drawn),
            margin,
            limit,
            halves.reference,
            halves.current,
            size=size,
            finds=auc.finds(limit, halves.smaller, chance.either),
            moved=auc.moved(size.low),
            rows_needed=needed,
        )

    def counted(self, question: Question, column: str, size: Estimate, sides: tuple[int, int]) -> Answer:
        """The answer that a share gives."""
        margin = self._margin(column, question)
        verdict = measure.decided(size, margin)
        words = of_answer(question, verdict, None, 0) if verdict is not Verdict.UNSURE else ""
        needed = None
        if verdict is Verdict.UNSURE:
            reach, gap = max(size.high - size.value, size.value - size.low), abs(size.value - margin)
            needed = _rounded(min(sides) * (reach / gap) ** 2) if gap > 0 else None
            words = of_answer(question, verdict, needed, min(sides))
        finds = margin + max(size.high - size.value, size.value - size.low) * 2
        told = Answer(question, column, verdict, words, margin, margin, *sides, size=size, moved=size.low)
        return replace(told, finds=finds if finds <= 1 else None, rows_needed=needed)

    def not_comparable(self, question: Question, column: str | None, why: str, sides: tuple[int, int]) -> Answer:
        """The answer where nothing can be compared."""
        margin = self._margin(column, question)
        limit = auc.limit_of(margin) if question in CLASSIFIED else margin
        return Answer(question, column, Verdict.NOT_COMPARABLE, why, margin, limit, *sides)

    def still(self, question: Question, column: str | None, sides: tuple[int, int]) -> Answer:
        """The answer where all rows are the same."""
        words = of_answer(question, Verdict.STILL, None, 0)
        return replace(self.not_comparable(question, column, words, sides), verdict=Verdict.STILL)

    def _margin(self, column: str | None, question: Question) -> float:
        usual = self.settings.margin if self.settings.margin_together is None else self.settings.margin_together
        if column is None:
            return usual
        return self.settings.margin_rates if question is Question.BROKEN else self.settings.margins.get(column, usual)


def asked(fields: Sequence[Field], frame: Frame, withheld: Collection[str]) -> Asked:
    """What is asked of these columns, which both sides have with the same type (rule 1)."""
    closed = frozenset(withheld)
    apart = tuple(each.name for each in fields if is_vector(each) and each.name not in closed)
    return Asked(
        tuple(each for each in fields if each.name not in apart),
        closed,
        apart,
        tuple(each.name for each in fields if each.name not in closed and _is_free(each, frame.get(each.name))),
    )


def is_vector(field: Field) -> bool:
    """True if the column holds lists of floating numbers."""
    return isinstance(field.type, ListOf) and field.type.item in _FLOATING


def _is_free(field: Field, frame: ColumnFrame | None) -> bool:
    if field.type != Primitive.STRING or frame is None or frame.numbers is None:
        return False
    if frame.values is None:
        return True
    return not frame.values.complete and frame.numbers.centre >= LONG_TEXT


def answers(
    of: Asked,
    sides: tuple[Table, Table],
    vector_sides: Mapping[str, tuple[Any, Any]],  # Any: pyarrow arrays of lists
    settings: Settings,
    budget: Budget,
    *,
    seed: int,
) -> tuple[Answer, ...]:
    """The answers of samples of the reference and of the window, what matters most first.

    Both tables have the columns `of.fields`, `vector_sides` the others, which were sampled by themselves. Raises
    `MissingExtra`.
    """
    judge = _Judge(settings, budget)
    found = [_rows(judge, of, sides, seed)] if of.fields else []
    for name in of.vectors:
        found += _vectors(judge, name, vector_sides[name], seed)
    for name in of.texts:
        found += _texts(judge, name, (sides[0].column(name), sides[1].column(name)), seed)
    return tuple(sorted(found, key=_rank))


def _rank(answer: Answer) -> tuple[int, bool, float, str, str]:
    excess = answer.moved - answer.margin
    return (ORDER.index(answer.verdict), answer.column is not None, -excess, answer.column or "", answer.question)


def _rows(judge: _Judge, of: Asked, sides: tuple[Table, Table], seed: int) -> Answer:
    import pyarrow as pa

    question, counts = Question.ROWS, (sides[0].num_rows, sides[1].num_rows)
    if min(counts) < 2:
        return judge.not_comparable(question, None, _("it takes two rows of either side"), counts)
    halves = Halves(*counts, seed)
    both = rows.taught(pa.concat_tables(sides), halves, of.fields, of.withheld)
    value = rows.area(both, halves)
    if value is None:
        return judge.still(question, None, counts)
    found = judge.classified(question, None, value, halves, judge.chance(1))
    return replace(found, separators=rows.separators(both, halves)) if value > found.limit else found


def _vectors(judge: _Judge, name: str, columns: tuple[Any, Any], seed: int) -> list[Answer]:  # Any: pyarrow arrays
    import numpy as np

    lengths = tuple(vectors.length_of(column) for column in columns)
    length = lengths[0]
    if length is None:
        counts = tuple(len(column) - column.null_count for column in columns)
        why = _("the reference has no vectors")
        return [judge.not_comparable(question, name, why, (counts[0], counts[1])) for question in OF_VECTORS]
    one, two = (vectors.vectors(column, length) for column in columns)
    chance = judge.chance(len(OF_VECTORS))
    answers = [_broken(judge, name, one, two, chance)]
    usable = (len(one.usable), len(two.usable))
    if min(usable) < 2:
        why = _("the window has no vectors")
        if lengths[1] not in {None, length}:
            why = _("the reference's vectors have {length} numbers, the window's {other}").format(
                length=length, other=lengths[1]
            )
        elif usable[1]:
            why = _("it takes two vectors of either side")
        return [*answers, judge.not_comparable(Question.VECTORS, name, why, usable)]
    matrix = np.concatenate([one.usable, two.usable])
    if not vectors.varies(matrix):
        return [*answers, judge.still(Question.VECTORS, name, usable)]
    halves = Halves(*usable, seed)
    value = vectors.witnessed(matrix, halves)
    told = vectors.discrepancy(one.usable, two.usable, seed=seed)
    return [*answers, replace(judge.classified(Question.VECTORS, name, value, halves, chance), discrepancy=told)]


def _broken(judge: _Judge, name: str, one: vectors.Vectors, two: vectors.Vectors, chance: Chance) -> Answer:
    sides = (one.total, two.total)
    if not all(sides):
        return judge.not_comparable(Question.BROKEN, name, _("the window has no vectors"), sides)
    rates = [measure.Rate(sum(each.broken), each.total) for each in (one, two)]
    size = measure.rate(rates[0], rates[1], chance)(*sides)
    shares = zip(vectors.BREAKS, one.broken, two.broken, strict=True)
    parts = tuple(Part(kind, first / sides[0], second / sides[1]) for kind, first, second in shares if first or second)
    found = judge.counted(Question.BROKEN, name, size, sides)
    return replace(found, before=rates[0].share, after=rates[1].share, parts=parts)


def _texts(judge: _Judge, name: str, columns: tuple[Any, Any], seed: int) -> list[Answer]:  # Any: pyarrow arrays
    import numpy as np

    reference, current = (column.drop_null().to_pylist() for column in columns)
    counts = (len(reference), len(current))
    if min(counts) < 2:
        why = _("it takes two texts of either side")
        return [judge.not_comparable(question, name, why, counts) for question in OF_TEXTS]
    chance = judge.chance(len(OF_TEXTS))
    size, parts = texts.letters_moved(reference, current, chance)
    of_letters = replace(judge.counted(Question.LETTERS, name, size, counts), parts=parts)
    rise, before, after, tested = texts.unknown_words(reference, current, chance, seed=seed)
    of_words = replace(judge.counted(Question.WORDS, name, rise, (tested, counts[1])), before=before, after=after)
    draws = np.random.default_rng(seed)
    some = [
        [side[place] for place in draws.permutation(len(side))[: texts.TEXTS_MAX].tolist()]
        for side in (reference, current)
    ]
    halves = Halves(len(some[0]), len(some[1]), seed)
    value = texts.told_apart([*some[0], *some[1]], halves)
    return [judge.classified(Question.TEXTS, name, value, halves, chance), of_letters, of_words]


def _rounded(rows: float) -> int | None:
    if rows > auc.ROWS_MAX:
        return None
    needed = int(rows) + 1
    digit: int = 10 ** max(0, len(str(needed)) - 2)
    return -(-needed // digit) * digit

"""Rows as wholes, texts and vectors: which of them both sides are told apart by, how surely, and by which columns.

Rules:

1. A question is a row: what decides first, then how large the samples were and what they can find.
2. Columns, kinds of letters and kinds of broken vectors follow for what is above the margin; never a value, a word or
   a part of one.
"""

from __future__ import annotations

from collections.abc import Iterator

from lastro.drift.result import Verdict
from lastro.drift.together.answer import CLASSIFIED, Answer, Question, Together
from lastro.drift.together.letters import kind_text
from lastro.drift.together.words import of_question
from lastro.model.text import _
from lastro.report.blocks import Blocks, Cell, Column, Line, Table, Title, Tone, table
from lastro.report.drift import share_text, short, verdict_cell
from lastro.report.numbers import NOTHING, number

SEPARATORS = 8
PARTS = 5
WORTH_MIN = 0.01
"""A column is named if the AUC alone, or what is lost without it, is larger by this than nothing."""


def together(found: Together | None) -> Blocks:
    """A row per question, then what separates the sides; nothing if it was not asked."""
    if found is None:
        return ()
    if not found.answers:
        return (Title(_("Together")), Line(_("there is nothing to compare together"), Tone.FAINT))
    notes = [Line(text, Tone.FAINT) for answer in found.answers for text in _notes(answer)]
    rows = found.answer(Question.ROWS)
    separators = _separators(rows) if rows is not None and _is_large(rows) else ()
    basis = _("samples of at most {rows} rows of either side, drawn by the seed {seed}")
    return (
        Title(_("Together")),
        _answers(found),
        *notes,
        *separators,
        Line(basis.format(rows=number(found.sample_rows), seed=found.seed), Tone.FAINT),
    )


def with_together(verdict: str, found: Together | None) -> str:
    """The verdict of the columns, and what the worst question beside them came to."""
    if found is None or not found.answers:
        return verdict
    return _("{columns}; together: {answer}").format(columns=verdict, answer=_told(found.answers[0]))


def _told(answer: Answer) -> str:
    """One answer as a sentence."""
    name = of_question(answer.question) if answer.column is None else _subject(answer)
    size = answer.size
    if size is None:
        return f"{name}: {verdict_cell(answer.verdict).text}: {answer.words}"
    told = _("{name}: {verdict}: {size} (between {low} and {high}, margin {margin})")
    return told.format(
        name=name,
        verdict=verdict_cell(answer.verdict).text,
        size=_sized(answer, size.value),
        low=_size(answer, size.low),
        high=_size(answer, size.high),
        margin=_size(answer, answer.limit),
    )


def _subject(answer: Answer) -> str:
    column = short(answer.column or "")
    return f"{column}: {of_question(answer.question)}"


def _size(answer: Answer, value: float | None) -> str:
    """An AUC or a share."""
    if value is None:
        return NOTHING
    return number(value, decimals=3) if answer.question in CLASSIFIED else share_text(value)


def _sized(answer: Answer, value: float) -> str:
    text = _size(answer, value)
    return f"AUC {text}" if answer.question in CLASSIFIED else text


def _answers(found: Together) -> Table:
    columns = (
        Column(_("compared"), names=True),
        Column(_("verdict"), fixed=True),
        Column(_("found"), right=True),
        Column(_("between"), right=True, spare=1),
        Column(_("margin"), right=True),
        Column(_("surely found from"), right=True, spare=2),
        Column(_("reference"), right=True, spare=3),
        Column(_("now"), right=True, spare=3),
    )
    return table(columns, (_row(answer) for answer in found.answers))


def _row(answer: Answer) -> tuple[Cell | str, ...]:
    size = answer.size
    return (
        of_question(answer.question) if answer.column is None else _subject(answer),
        verdict_cell(answer.verdict),
        _sized(answer, size.value) if size else NOTHING,
        f"{_size(answer, size.low)} … {_size(answer, size.high)}" if size else NOTHING,
        _size(answer, answer.limit),
        _size(answer, answer.finds),
        number(answer.reference),
        number(answer.current),
    )


def _notes(answer: Answer) -> Iterator[str]:
    """What a row of the table has no room for."""
    name = "" if answer.column is None else f"{short(answer.column)}: "
    subject = of_question(answer.question) if answer.column is None else _subject(answer)
    if answer.verdict in {Verdict.UNSURE, Verdict.NOT_COMPARABLE}:
        yield name + answer.words
    if answer.verdict is Verdict.DRIFTED and answer.question in CLASSIFIED:
        yield _("{subject}: at least {share} are others").format(subject=subject, share=share_text(answer.moved))
    if answer.discrepancy is not None:
        told = _("{name}squared discrepancy {squared} by {rows} vectors of either side, by chance with p = {p}")
        yield told.format(
            name=name,
            squared=number(answer.discrepancy.squared),
            rows=number(answer.discrepancy.rows),
            p=number(answer.discrepancy.p_value, decimals=3),
        )
    if not _is_large(answer):
        return
    if answer.before is not None and answer.after is not None:
        yield _change(subject, answer.before, answer.after)
    for part in answer.parts[:PARTS]:
        yield name + _change(_part_text(answer, part.kind), part.before, part.after)


def _is_large(answer: Answer) -> bool:
    """True if what was found is above the margin, surely or not."""
    return answer.size is not None and answer.size.value > answer.limit


def _change(what: str, before: float, after: float) -> str:
    return _("{what} went from {before} to {after}").format(
        what=what, before=share_text(before), after=share_text(after)
    )


def _part_text(answer: Answer, kind: str) -> str:
    if answer.question is Question.LETTERS:
        return kind_text(kind)
    return {
        "empty": _("empty lists"),
        "other_length": _("vectors of another length"),
        "not_finite": _("vectors with missing, infinite or not-a-number parts"),
    }[kind]


def _separators(answer: Answer) -> Blocks:
    """Which columns tell the rows apart, those that do most first."""
    told = [one for one in answer.separators if max(one.lost, one.alone - 0.5) >= WORTH_MIN][:SEPARATORS]
    if not told:
        return (Line(_("no column by itself tells the rows apart, nor is any missed"), Tone.FAINT),)
    columns = (
        Column(_("column"), names=True),
        Column(_("AUC alone"), right=True),
        Column(_("AUC lost without it"), right=True),
    )
    rows = ((short(one.column), number(one.alone, decimals=3), number(round(one.lost, 3), decimals=3)) for one in told)
    only = [one for one in told if one.lost >= WORTH_MIN]
    hang = bool(only) and all(one.alone - 0.5 < one.lost / 2 for one in only) and answer.verdict is Verdict.DRIFTED
    note = (Line(_("these columns changed by how they hang together, more than each by itself"), Tone.FAINT),)
    return (Title(_("Columns that tell the rows apart"), level=2), table(columns, rows), *(note if hang else ()))

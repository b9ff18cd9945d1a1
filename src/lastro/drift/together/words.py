"""What the answers about several columns, texts and vectors say to people; no sentence holds a value of the data."""

from __future__ import annotations

from lastro.drift.result import Verdict
from lastro.drift.together.answer import Question
from lastro.drift.words import counted, of_verdict
from lastro.drift.words import rows_needed as needed_text
from lastro.model.text import _


def of_question(question: Question) -> str:
    """What is asked."""
    match question:
        case Question.ROWS:
            return _("rows as wholes")
        case Question.VECTORS:
            return _("vectors")
        case Question.BROKEN:
            return _("share of vectors that are not usable")
        case Question.TEXTS:
            return _("texts as wholes")
        case Question.LETTERS:
            return _("kinds of letters")
        case Question.WORDS:
            return _("share of words the reference does not know")


def of_answer(question: Question, verdict: Verdict, rows: int | None, drawn: int) -> str:
    """What one question came to; where it is unsure, how many rows of either side would tell, of so many `drawn`."""
    told = f"{of_question(question)}: {of_verdict(verdict)}"
    if verdict is not Verdict.UNSURE:
        return told
    if rows is not None and rows > drawn:
        return _("{told}: about {rows} rows in either sample would tell, which has {drawn}").format(
            told=told, rows=counted(rows), drawn=counted(drawn)
        )
    return f"{told}: {needed_text(rows, of_both=True)}"

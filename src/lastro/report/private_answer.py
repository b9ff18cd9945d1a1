"""A differentially private answer as a terminal shows it."""

from __future__ import annotations

from lastro.model.private_answer import PrivateAnswer
from lastro.model.text import _
from lastro.report.blocks import Blocks, Column, Line, Tone, table
from lastro.report.numbers import number


def private_answer(found: PrivateAnswer) -> Blocks:
    """The numbers under their labels, whose they are, and how far each may be off."""
    whose = _("a person is a subject: {column}; rows of each that count: {n}").format(
        column=found.subject, n=number(found.contributions)
    )
    if not found.subject:
        whose = _("a row is taken for a person, since the contract names no subject")
    lines = [Line(whose, Tone.FAINT)]
    if found.within is not None:
        said = _("with 95 % confidence, noise moves each number by {within} at most")
        lines.append(Line(said.format(within=number(found.within)), Tone.FAINT))
    if not found.labels:
        return tuple(lines)
    columns = (Column(found.column), Column(_("about"), right=True))
    rows = [(label, number(each)) for label, each in zip(found.labels, found.numbers, strict=True)]
    return (table(columns, rows), *lines)


def verdict(found: PrivateAnswer) -> str:
    """The number, if there is one, and what is spent of the budget."""
    spent = _("{spent} of {budget} of the privacy budget is spent").format(
        spent=number(found.spent), budget=number(found.budget)
    )
    if found.labels:
        return spent
    what = found.statistic if not found.column else f"{found.statistic}({found.column})"
    said = _("{what} of {name} is about {value}; {spent}")
    return said.format(what=what, name=found.reference, value=number(found.numbers[0]), spent=spent)

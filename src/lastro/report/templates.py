"""Templates: what messages have in common, the most frequent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Column, table
from lastro.report.numbers import NOTHING, moment, number, percent


@dataclass(frozen=True, slots=True)
class Counted:
    """One template: how many messages have it, and the numbers or moments of the first and the last."""

    template_id: int
    template: str
    count: int
    first: int | date | None
    last: int | date | None


def templates(counted: Sequence[Counted], messages: int) -> Blocks:
    """One row per template, in the order given; `messages` is what shares are of."""
    if not counted:
        return ()
    columns = (
        Column(_("count"), right=True),
        Column(_("share"), right=True, spare=3),
        Column(_("id"), right=True, spare=2),
        Column(_("template")),
        Column(_("first"), fixed=True, spare=4),
        Column(_("last"), fixed=True, spare=1),
    )
    rows = (
        (
            number(one.count),
            percent(one.count, messages),
            number(one.template_id),
            one.template,
            _place(one.first),
            _place(one.last),
        )
        for one in counted
    )
    return (table(columns, rows),)


def templates_verdict(reference: str, found: int, messages: int) -> str:
    """`app@3 has 5 templates in 1,204 messages`."""
    sentence = ngettext(
        "{reference} has {n} template in {messages}", "{reference} has {n} templates in {messages}", found
    )
    counted = ngettext("{n} message", "{n} messages", messages).format(n=number(messages))
    return sentence.format(reference=reference, n=number(found), messages=counted)


def _place(value: int | date | None) -> str:
    match value:
        case None:
            return NOTHING
        case datetime():
            return moment(value) if value.tzinfo else value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case _:
            return number(value)

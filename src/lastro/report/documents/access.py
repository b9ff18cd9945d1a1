"""The access report: who read, exported or revealed what, for which purpose, and who was refused (GDPR 5(2), 15, 32;
LGPD 6 X, 37, 46).
"""

from __future__ import annotations

from collections.abc import Sequence

from lastro.model.dossier import Access, Dossier
from lastro.model.text import _, ngettext
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.documents.parts import bound
from lastro.report.numbers import NOTHING, moment, number

_RANGES_MAX = 5


def access(dossier: Dossier) -> Blocks:
    """One row for each actor, dataset and purpose; the newest first."""
    unread = [each.name for each in dossier.holdings if not any(one.dataset == each.name for one in dossier.accesses)]
    told = _("Nobody read {names}, as far as the ledger knows.").format(names=", ".join(unread))
    rows = accesses(dossier.accesses)
    return (
        Title(_("Who did what")),
        *(rows or (Line(_("the ledger tells of no reading")),)),
        *([Line(told, Tone.FAINT)] if unread else []),
        *bound(dossier, dossier.holdings),
    )


def access_title() -> str:
    """What the document is called."""
    return _("Access report")


def access_verdict(dossier: Dossier) -> str:
    """How often something was read, and refused."""
    times = sum(each.times for each in dossier.accesses if not each.refused)
    refused = sum(each.times for each in dossier.accesses if each.refused)
    told = ngettext("{n} reading", "{n} readings", times).format(n=number(times))
    no = ngettext("{n} refusal", "{n} refusals", refused).format(n=number(refused))
    return _("{readings}, {refusals}").format(readings=told, refusals=no)


def accesses(found: Sequence[Access]) -> Blocks:
    """The table of accesses, the newest first; nothing where there are none."""
    columns = (
        Column(_("actor"), names=True),
        Column(_("action"), fixed=True),
        Column(_("dataset")),
        Column(_("purpose")),
        Column(_("times"), right=True),
        Column(_("versions")),
        Column(_("columns"), spare=2),
        Column(_("first (UTC)"), fixed=True, spare=1),
        Column(_("last (UTC)"), fixed=True),
    )
    rows = [_row(each) for each in sorted(found, key=lambda each: each.last, reverse=True)]
    blocks: list[Block] = [table(columns, rows)] if rows else []
    return tuple(blocks)


def _row(each: Access) -> tuple[Cell | str, ...]:
    return (
        each.actor,
        Cell(_("{action} refused").format(action=each.action), Tone.BAD) if each.refused else each.action,
        each.dataset,
        each.purpose or NOTHING,
        number(each.times),
        ranges(each.versions),
        ", ".join(each.columns) or NOTHING,
        moment(each.first),
        moment(each.last),
    )


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in a few words: `0–3, 7`."""
    runs: list[list[int]] = []
    for each in numbers:
        if runs and each == runs[-1][1] + 1:
            runs[-1][1] = each
        else:
            runs.append([each, each])
    told = [str(low) if low == high else f"{low}–{high}" for low, high in runs]
    if len(told) > _RANGES_MAX:
        told = [*told[: _RANGES_MAX - 1], "…", told[-1]]
    return ", ".join(told) or NOTHING

"""The register of technical and organisational measures: GDPR 24, 25, 30(1)(g), 32; LGPD 46, 47, 49, 50."""

from __future__ import annotations

from lastro.model.control import Control, Evidence, Register, State
from lastro.model.text import _, ngettext
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.documents.parts import bound, facts, missing, responsible
from lastro.report.numbers import NOTHING, moment, number

_TONES = {State.IN_PLACE: Tone.GOOD, State.MISSING: Tone.BAD, State.UNKNOWN: Tone.DOUBTFUL}


def control(register: Register) -> Blocks:
    """What is not in place first, then what nobody but people can know, then what is; the proof of each below."""
    dossier = register.dossier
    order = (State.MISSING, State.UNKNOWN, State.IN_PLACE)
    sorted_ = [each for state in order for each in register.of(state)]
    written = "; ".join(dossier.judgements.security)
    return (
        *responsible(dossier),
        Title(_("Measures")),
        _overview(sorted_),
        *(block for each in sorted_ for block in _one(each)),
        Title(_("What people say of it")),
        facts([(_("other measures"), Cell(written) if written else missing("judgements.security"))]),
        Title(_("What a workspace on your own machine promises")),
        *(Line(f"+ {each}") for each in register.promises),
        Title(_("What it cannot")),
        *(Line(f"- {each}") for each in register.cannot),
        *bound(dossier, dossier.holdings),
    )


def control_title() -> str:
    """What the document is called."""
    return _("Register of technical and organisational measures (GDPR art. 24, 25, 32; LGPD art. 46, 47, 49, 50)")


def control_verdict(register: Register) -> str:
    """How many are in place, how many are not, and how many nobody can know here."""
    there, absent, unknown = (len(register.of(state)) for state in State)
    told = ngettext("{n} measure is in place", "{n} measures are in place", there).format(n=number(there))
    no = ngettext("{n} is not", "{n} are not", absent).format(n=number(absent))
    open_ = ngettext("{n} cannot be known here", "{n} cannot be known here", unknown).format(n=number(unknown))
    return _("{there}, {absent}, {unknown}").format(there=told, absent=no, unknown=open_)


def _overview(controls: list[Control]) -> Block:
    columns = (
        Column(_("measure"), names=True),
        Column(_("state"), fixed=True),
        Column(_("articles"), spare=1),
        Column(_("do")),
    )
    rows = [(each.what, _standing(each), each.articles or NOTHING, each.do or NOTHING) for each in controls]
    return table(columns, rows)


def _one(each: Control) -> Blocks:
    """One measure with all that shows it."""
    blocks: list[Block] = [Title(each.what, 2), Line(f"{_word(each.state)}. {each.articles}", _TONES[each.state])]
    if each.evidence:
        columns = (
            Column(_("evidence"), names=True),
            Column(_("event"), right=True),
            Column(_("when (UTC)"), fixed=True),
            Column(_("digest"), spare=1),
        )
        blocks.append(table(columns, [_shown(one) for one in each.evidence]))
    if each.limit:
        blocks.append(Line(each.limit, Tone.FAINT))
    return tuple(blocks)


def _shown(each: Evidence) -> tuple[str, ...]:
    return (
        each.what,
        NOTHING if each.event is None else number(each.event),
        NOTHING if each.at is None else moment(each.at),
        each.digest or NOTHING,
    )


def _standing(each: Control) -> Cell:
    return Cell(_word(each.state), _TONES[each.state])


def _word(state: State) -> str:
    words = {
        State.IN_PLACE: _("in place"),
        State.MISSING: _("not in place"),
        State.UNKNOWN: _("cannot be known here"),
    }
    return words[state]

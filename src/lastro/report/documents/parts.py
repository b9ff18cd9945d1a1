"""The parts that documents share: who is responsible, which values there are, and what the document is bound to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lastro.model.dossier import Dossier, Holding
from lastro.model.personal import Classified, Method, PersonalClass
from lastro.model.text import _
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.numbers import NOTHING, moment, number

Rows = Iterable[Sequence[Cell | str]]


def missing(what: str) -> Cell:
    """What a person has still to write, and where."""
    return Cell(_("not stated: {where}").format(where=what), Tone.DOUBTFUL)


def said(text: str, where: str) -> Cell:
    """What somebody wrote, or that it is missing and where it belongs."""
    return Cell(text) if text else missing(where)


def facts(rows: Rows) -> Block:
    """Facts under their names, one a row."""
    return table((Column(_("fact"), names=True), Column(_("what is known"))), rows)


def responsible(dossier: Dossier) -> Blocks:
    """The controller and the officer (GDPR 30(1)(a); LGPD 37, 41), and the other parties."""
    one = dossier.organisation
    rows = [
        (_("controller"), said(one.name, "organisation.name")),
        (_("contact"), said(one.contact, "organisation.contact")),
        (_("country"), said(one.country, "organisation.country")),
        (_("data protection officer"), said(one.officer, "organisation.officer.name")),
        (_("officer's contact"), said(one.officer_contact, "organisation.officer.contact")),
    ]
    return (Title(_("Who is responsible")), facts(rows))


def bound(dossier: Dossier, holdings: Sequence[Holding]) -> Blocks:
    """What the document is bound to: the newest versions' digests, and where the ledger stood."""
    rows = [(each.newest.reference, each.newest.digest) for each in holdings if each.newest is not None]
    head = dossier.head
    ledger: list[Block] = [Line(_("the ledger is empty"), Tone.DOUBTFUL)]
    if head is not None:
        told = _("The ledger had {n} events, with the root {root}, under the key {key}.")
        ledger = [Line(told.format(n=number(head.size), root=head.root, key=head.key))]
    made = _(
        "Made on {moment} (UTC) from what was recorded. A draft for people to review, with counsel; no legal advice."
    )
    return (
        Title(_("What this is bound to")),
        *([table((Column(_("version"), names=True), Column(_("digest"))), rows)] if rows else []),
        *ledger,
        Line(made.format(moment=moment(dossier.made)), Tone.FAINT),
    )


def classes(holding: Holding) -> Blocks:
    """Which columns hold what of people, and how they are protected."""
    columns = (
        Column(_("column"), names=True),
        Column(_("class")),
        Column(_("kind")),
        Column(_("protection")),
        Column(_("confirmed by")),
    )
    rows = [_classified(holding, each) for each in holding.personal.classes if each.of is not PersonalClass.NONE]
    blocks: list[Block] = [table(columns, rows)] if rows else []
    if holding.unclassified:
        names = ", ".join(holding.unclassified)
        blocks.append(Line(_("Not classified yet: {columns}").format(columns=names), Tone.DOUBTFUL))
    return tuple(blocks)


def kinds(holding: Holding) -> str:
    """The kinds of personal values in a dataset, in one text."""
    found = (each for each in holding.personal.classes if each.of in PERSON)
    return ", ".join(dict.fromkeys(each.kind or each.column for each in found)) or NOTHING


def purposes(holding: Holding) -> str:
    """What a dataset is processed for, each with its basis."""
    found = (f"{each.name} ({each.basis})" for each in holding.personal.purposes)
    return "; ".join(found)


def measures(holding: Holding) -> str:
    """How a dataset's columns are protected, in one text."""
    found: dict[Method, list[str]] = {}
    for each in holding.personal.protections:
        found.setdefault(each.method, []).append(each.column)
    return "; ".join(f"{method.value}: {', '.join(names)}" for method, names in found.items()) or NOTHING


def class_name(of: PersonalClass) -> str:
    """What a class is called in the reader's language."""
    names = {
        PersonalClass.IDENTIFIER: _("direct identifier"),
        PersonalClass.QUASI: _("quasi-identifier"),
        PersonalClass.SENSITIVE: _("sensitive"),
        PersonalClass.FEATURE: _("feature"),
        PersonalClass.NONE: _("not personal"),
    }
    return names[of]


PERSON = frozenset({PersonalClass.IDENTIFIER, PersonalClass.QUASI, PersonalClass.SENSITIVE})


def _classified(holding: Holding, each: Classified) -> tuple[Cell | str, ...]:
    protection = holding.personal.protection(each.column)
    bare = each.of in {PersonalClass.IDENTIFIER, PersonalClass.SENSITIVE}
    return (
        each.column,
        class_name(each.of),
        each.kind or NOTHING,
        protection.method.value if protection else Cell(NOTHING, Tone.DOUBTFUL if bare else Tone.PLAIN),
        each.confirmed or Cell(_("nobody yet"), Tone.DOUBTFUL),
    )

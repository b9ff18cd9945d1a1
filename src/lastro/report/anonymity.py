"""Anonymity in words: what was done to each column, and the risk before and after."""

from __future__ import annotations

from collections.abc import Iterator

from lastro.model.text import _, ngettext
from lastro.privacy.anonymity.outcome import Anonymised, Coarsened, Doubt, LeftOut, Measured, Risk
from lastro.report.blocks import Blocks, Column, Line, Table, Title, Tone, table
from lastro.report.html import to_page
from lastro.report.markdown import to_markdown
from lastro.report.numbers import NOTHING, number, percent


def anonymity(found: Anonymised) -> Blocks:
    """What was done, what is reached, what was left out, and why it is called what it is called."""
    return (
        Title(_("Risk of being found again")),
        _risks((_("before"), found.before), (_("after"), found.after)),
        *_population(found.after),
        *_diversity(found.after),
        Title(_("Quasi-identifiers")),
        _columns(found.columns),
        *_absent(found.columns),
        *_left_out(found),
        Title(_("How it was found")),
        Line(_effort(found)),
        *map(Line, found.notes),
        *_doubts(found),
    )


def measures(found: Measured) -> Blocks:
    """The risk of a version as it stands."""
    return (
        Title(_("Risk of being found again")),
        _risks((found.source, found.risk)),
        *_population(found.risk),
        *_diversity(found.risk),
        Line(_("quasi-identifiers: {names}").format(names=", ".join(found.quasi))),
        *_whose(found.subject),
    )


def anonymity_verdict(found: Anonymised) -> str:
    """`people_k5@0 is pseudonymised: k 5, 30,000 of 30,000 rows, 12.3 % lost`."""
    word = _("anonymised") if found.is_anonymised else _("pseudonymised")
    return _("{name} is {word}: k {k}, {kept} of {rows} rows shown, {loss} of the detail lost").format(
        name=found.target,
        word=word,
        k=number(found.after.k),
        kept=number(found.rows - found.suppressed),
        rows=number(found.rows),
        loss=percent(found.loss, 1),
    )


def measures_verdict(found: Measured) -> str:
    """`people@3 reaches k 1: 93.2 % of 30,000 rows are unique`."""
    return _("{name} reaches k {k}: {share} of {rows} rows are unique").format(
        name=found.source, k=number(found.risk.k), share=percent(found.risk.unique, 1), rows=number(found.risk.rows)
    )


def anonymity_html(found: Anonymised) -> str:
    """The report as a page that stands alone."""
    return to_page(_title(found), _bound(found), answer=anonymity_verdict(found))


def anonymity_markdown(found: Anonymised) -> str:
    """The report as Markdown."""
    return to_markdown(_title(found), _bound(found), answer=anonymity_verdict(found))


def _title(found: Anonymised) -> str:
    return _("Risk report: {name}").format(name=found.target)


def _bound(found: Anonymised) -> Blocks:
    """The report, with the digests of both versions that it is about."""
    columns = (Column(""), Column(_("version")), Column(_("digest")))
    rows = [
        (_("made from"), found.source, found.source_digest),
        (_("result"), found.target, found.target_digest),
    ]
    return (table(columns, rows), *anonymity(found))


def _risks(*sides: tuple[str, Risk]) -> Table:
    columns = (Column(""), *(Column(name, right=True) for name, _risk in sides))
    return table(columns, zip(_labels(), *(_numbers(risk) for _name, risk in sides), strict=True))


def _labels() -> tuple[str, ...]:
    return (
        _("rows"),
        _("classes of rows that look alike"),
        _("smallest class (k)"),
        _("unique rows"),
        _("prosecutor, highest"),
        _("prosecutor, mean"),
        _("journalist, highest"),
        _("marketer"),
    )


def _numbers(risk: Risk) -> tuple[str, ...]:
    shares = (risk.unique, risk.prosecutor, risk.prosecutor_mean, risk.journalist, risk.marketer)
    return (number(risk.rows), number(risk.classes), number(risk.k), *(percent(share, 1) for share in shares))


def _population(risk: Risk) -> Iterator[Line]:
    if risk.population:
        yield Line(_("journalist and marketer: against {name}").format(name=risk.population), Tone.FAINT)
    else:
        said = _("journalist and marketer: the rows are taken for everybody, so that this is the most it can be")
        yield Line(said, Tone.FAINT)


def _diversity(risk: Risk) -> Blocks:
    if not risk.sensitive:
        return ()
    columns = (
        Column(_("sensitive")),
        Column(_("least distinct values (l)"), right=True),
        Column(_("least diversity by entropy"), right=True),
        Column(_("largest distance (t)"), right=True),
    )
    rows = [
        (name, number(each.l), number(each.entropy, decimals=2), number(each.t, decimals=3))
        for name, each in risk.sensitive.items()
    ]
    return (table(columns, rows),)


def _columns(columns: tuple[Coarsened, ...]) -> Table:
    headings = (
        Column(_("column"), names=True),
        Column(_("hierarchy")),
        Column(_("rows by level")),
        Column(_("lost"), right=True),
    )
    rows = [(each.column, _kind(each.hierarchy), _levels(each), percent(each.loss, 1)) for each in columns]
    return table(headings, rows)


def _levels(each: Coarsened) -> str:
    shown = [
        f"{name if level else _('as it is')} {percent(share, 1)}"
        for level, (name, share) in enumerate(zip(each.levels, each.shares, strict=True))
        if share
    ]
    return ", ".join(shown) or NOTHING


def _kind(kind: str) -> str:
    words = {
        "dates": _("dates"),
        "moments": _("moments"),
        "numbers": _("numbers"),
        "cep": _("postal codes"),
        "uf": _("states"),
        "codes": _("codes"),
        "categories": _("categories"),
        "given": _("given"),
    }
    return words.get(kind, kind)


def _absent(columns: tuple[Coarsened, ...]) -> Iterator[Line]:
    for each in columns:
        if each.absent:
            said = ngettext(
                "{n} value of {column} is not in its hierarchy, and becomes * at once",
                "{n} values of {column} are not in its hierarchy, and become * at once",
                each.absent,
            )
            yield Line(said.format(n=number(each.absent), column=each.column), Tone.DOUBTFUL)


def _left_out(found: Anonymised) -> Blocks:
    if not found.left_out and not found.suppressed:
        return ()
    columns = (Column(_("column"), names=True), Column(_("why it is left out")))
    rows = [(name, _reason(why)) for name, why in found.left_out.items()]
    lines = [Line(_suppressed(found))] if found.suppressed else []
    return (Title(_("Left out")), table(columns, rows), *lines)


def _suppressed(found: Anonymised) -> str:
    said = ngettext("{n} row of {rows} ({share})", "{n} rows of {rows} ({share})", found.suppressed)
    return said.format(n=number(found.suppressed), rows=number(found.rows), share=percent(found.suppressed, found.rows))


def _reason(why: LeftOut) -> str:
    match why:
        case LeftOut.IDENTIFIER:
            return _("identifies persons directly")
        case LeftOut.SUBJECT:
            return _("says whom a row is about")
        case LeftOut.UNASKED:
            return _("quasi-identifier or sensitive, and not asked for")
        case LeftOut.UNCLASSIFIED:
            return _("nobody classified it; --keep keeps it")


def _effort(found: Anonymised) -> str:
    effort = found.effort
    said = _(
        "the best of {nodes} generalisations loses {best} and leaves out {out} rows; recoded locally, {loss} is lost"
    )
    if not effort.proven:
        said = _(
            "the best found of {nodes} generalisations, not proven the best, loses {best} and leaves out {out} rows; "
            "recoded locally, {loss} is lost"
        )
    return said.format(
        nodes=number(effort.nodes),
        best=percent(effort.loss, 1),
        out=number(effort.suppressed),
        loss=percent(found.loss, 1),
    )


def _whose(subject: str) -> Iterator[Line]:
    if subject:
        yield Line(_("counted in subjects: {column}").format(column=subject), Tone.FAINT)


def _doubts(found: Anonymised) -> Iterator[Line]:
    yield from _whose(found.subject)
    for doubt in found.doubts:
        yield Line(_("pseudonymised, since {reason}").format(reason=_doubt(doubt, found)), Tone.DOUBTFUL)


def _doubt(doubt: Doubt, found: Anonymised) -> str:
    thresholds = found.thresholds
    match doubt:
        case Doubt.NO_THRESHOLDS:
            return _("k is below 2")
        case Doubt.K:
            return _("k is below {least}").format(least=number(thresholds.k if thresholds else None))
        case Doubt.L:
            return _("l is below {least}, or no column is sensitive").format(
                least=number(thresholds.l if thresholds else None)
            )
        case Doubt.T:
            return _("t is above {most}, or no column is sensitive").format(
                most=number(thresholds.t if thresholds else None)
            )
        case Doubt.UNCLASSIFIED:
            return _("a column was kept that nobody classified")
        case Doubt.UNCONFIRMED:
            return _("nobody confirmed the class of a column")
        case Doubt.AS_IT_IS:
            return _("a quasi-identifier or sensitive column was kept as it is, and not counted")
        case Doubt.TOKENS:
            return _("a column holds tokens or hashes, which lead on to other tables")

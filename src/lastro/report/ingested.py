"""What became of an ingest: the rules' results, what was refused and why, and the verdict in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lastro.model.cleaning import Cleaned
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, bar, table
from lastro.report.findings import findings
from lastro.report.numbers import NOTHING, duration, number, percent
from lastro.report.rounds import looked
from lastro.report.troubles import leading
from lastro.report.values import Ingested

_WORTH_A_RATE = 1000
_CLEANED_MAX = 12
_COMPARED = ("upsert", "snapshot", "scd2")


def ingested(result: Ingested) -> Blocks:
    """The findings that matter, what cleaning did, and a line of figures."""
    notes = tuple(Line(f"  ! {note}", Tone.DOUBTFUL) for note in result.notes)
    if result.unchanged or result.counts is None:
        return (*findings(result.findings, passed=False), *notes) if _none_passed(result) else notes
    lines = [_figures(result), *([_changes(result)] if result.mode in _COMPARED else []), *_proof(result)]
    told = (*notes, *looked(result.looks))
    figures = (Line("  " + line, Tone.FAINT) for line in lines)
    return (*findings(result.findings, passed=False), *cleaned(result.cleaning), *told, *figures)


def ingested_verdict(result: Ingested) -> str:
    """`loans is at version 3: 10,412 rows kept, 588 set aside`."""
    if _none_passed(result):
        read = result.counts.read if result.counts else 0
        sentence = ngettext(
            "{name} is unchanged, still at version {version}: the one corrected row is refused again",
            "{name} is unchanged, still at version {version}: all {n} corrected rows are refused again",
            read,
        )
        return sentence.format(name=result.dataset, version=number(result.version), n=number(read))
    if result.unchanged:
        return _("{name} is unchanged, still at version {n}: its source has nothing new").format(
            name=result.dataset, n=number(result.version)
        )
    if result.version is None or result.counts is None:
        return _("{name}: nothing was committed").format(name=result.dataset)
    kept = ngettext("{n} row kept", "{n} rows kept", result.counts.kept).format(n=number(result.counts.kept))
    aside = result.counts.quarantined
    told = ngettext("{n} set aside", "{n} set aside", aside).format(n=number(aside))
    sentence = _("{name} is at version {version}: {kept}, {aside}")
    made = sentence.format(name=result.dataset, version=number(result.version), kept=kept, aside=told)
    return leading(made, drifted=(result.dataset,) if is_drifted(result) else ())


def is_drifted(result: Ingested) -> bool:
    """True if a monitor that looked at it found drift of which somebody is to be told."""
    return any(look.alarm for look in result.looks)


def _none_passed(result: Ingested) -> bool:
    """True if corrected rows were refused once more, all of them."""
    counts = result.counts
    return result.unchanged and not result.versions and counts is not None and counts.read > counts.kept == 0


def refusals(refused: Mapping[str, int], total: int) -> Blocks:
    """Rows refused per rule, the most first, with bars against the largest. A row can break several rules."""
    ordered = sorted(refused.items(), key=lambda item: (-item[1], item[0]))
    largest = max(refused.values(), default=0)
    columns = (
        Column(_("rule")),
        Column(_("rows"), right=True),
        Column(_("share"), right=True),
        Column("", fixed=True),
    )
    rows: list[tuple[Cell | str, ...]] = [
        (rule, number(count), percent(count, total), bar(count, largest)) for rule, count in ordered
    ]
    return (table(columns, rows),) if rows else ()


def cleaned(columns: Sequence[Cleaned]) -> Blocks:
    """What cleaning did, before and after side by side: the columns in which it did anything, most changed first."""
    differing = sorted((each for each in columns if each.any), key=lambda each: -(each.changed or 0))
    if not differing:
        return ()
    headings = (
        Column(_("cleaned")),
        Column(_("missing before"), right=True),
        Column(_("after"), right=True),
        Column(_("changed"), right=True),
    )
    rows = [
        (
            each.column,
            number(each.missing_before),
            number(each.missing_after),
            NOTHING if each.changed is None else number(each.changed),
        )
        for each in differing[:_CLEANED_MAX]
    ]
    left = len(differing) - len(rows)
    more = ngettext("and {n} more column", "and {n} more columns", left).format(n=number(left))
    return (table(headings, rows), *([Line("  " + more, Tone.FAINT)] if left else []))


def _changes(result: Ingested) -> str:
    parts = (
        (ngettext("{n} inserted", "{n} inserted", result.inserted), result.inserted),
        (ngettext("{n} updated", "{n} updated", result.updated), result.updated),
        (ngettext("{n} deleted", "{n} deleted", result.deleted), result.deleted),
        (ngettext("{n} unchanged", "{n} unchanged", result.equal), result.equal),
    )
    return ", ".join(words.format(n=number(count)) for words, count in parts)


def _proof(result: Ingested) -> list[str]:
    lines = []
    if len(result.versions) > 1:
        sentence = _("read in {n} batches: versions {first} to {last}")
        lines.append(
            sentence.format(
                n=number(len(result.versions)), first=number(result.versions[0]), last=number(result.versions[-1])
            )
        )
    if result.reconciled:
        lines.append(_("reconciled: what the source counted is what arrived"))
    return lines


def _figures(result: Ingested) -> str:
    read = result.counts.read if result.counts else 0
    time = duration(result.seconds)
    if read >= _WORTH_A_RATE and result.seconds > 0:
        time = _("{time} ({n} rows/s)").format(time=time, n=number(round(read / result.seconds)))
    told = ngettext("{mode}: {n} row read in {time}", "{mode}: {n} rows read in {time}", read)
    held = ngettext("the version holds {n} row", "the version holds {n} rows", result.rows_total)
    return f"{told.format(mode=result.mode, n=number(read), time=time)}; {held.format(n=number(result.rows_total))}"

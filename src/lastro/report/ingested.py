"""What became of an ingest: the rules' results, what was refused and why, and the verdict in one sentence."""

from __future__ import annotations

from collections.abc import Mapping

from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, bar, table
from lastro.report.findings import findings
from lastro.report.numbers import duration, number, percent
from lastro.report.values import Ingested

_WORTH_A_RATE = 1000
_COMPARED = ("upsert", "snapshot", "scd2")


def ingested(result: Ingested) -> Blocks:
    """The findings that matter and a line of figures."""
    notes = tuple(Line(f"  ! {note}", Tone.DOUBTFUL) for note in result.notes)
    if result.unchanged or result.counts is None:
        return notes
    lines = [_figures(result), *([_changes(result)] if result.mode in _COMPARED else []), *_proof(result)]
    return (*findings(result.findings, passed=False), *notes, *(Line("  " + line, Tone.FAINT) for line in lines))


def ingested_verdict(result: Ingested) -> str:
    """`loans is at version 3: 10,412 rows kept, 588 set aside`."""
    if result.unchanged:
        return _("{name} is unchanged, still at version {n}: its source has nothing new").format(
            name=result.dataset, n=number(result.version)
        )
    if result.version is None or result.counts is None:
        return _("{name}: nothing was committed").format(name=result.dataset)
    kept = ngettext("{n} row kept", "{n} rows kept", result.counts.kept).format(n=number(result.counts.kept))
    aside = result.counts.quarantined
    sentence = _("{name} is at version {version}: {kept}, {aside} set aside")
    return sentence.format(name=result.dataset, version=number(result.version), kept=kept, aside=number(aside))


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


def _changes(result: Ingested) -> str:
    sentence = _("{inserted} inserted, {updated} updated, {deleted} deleted, {equal} unchanged")
    return sentence.format(
        inserted=number(result.inserted),
        updated=number(result.updated),
        deleted=number(result.deleted),
        equal=number(result.equal),
    )


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
    sentence = _("{mode}: {read} rows read in {time}; the version holds {total} rows")
    return sentence.format(mode=result.mode, read=number(read), time=time, total=number(result.rows_total))

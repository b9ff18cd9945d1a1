"""Histories: a metric over versions, with what was expected of each value."""

from __future__ import annotations

from collections.abc import Sequence

from lastro.model.text import _, ngettext
from lastro.quality.history.judge import Judged, Verdict
from lastro.report.blocks import Blocks, Cell, Column, Tone, table
from lastro.report.numbers import NOTHING, moment, number


def history(versions: Sequence[int], values: Sequence[Judged]) -> Blocks:
    """One row per value, in the order given."""
    headings = (
        Column(_("version"), right=True),
        Column(_("committed (UTC)"), fixed=True, spare=3),
        Column(_("value"), right=True),
        Column(_("at least"), right=True, spare=1),
        Column(_("at most"), right=True, spare=1),
        Column(_("verdict")),
    )
    return (table(headings, (_value(*each) for each in zip(versions, values, strict=True))),)


def history_verdict(name: str, metric: str, values: Sequence[Judged]) -> str:
    """What the newest value is, and how many before it were anomalies."""
    if not values:
        return _("{name} has no {metric} yet").format(name=name, metric=metric)
    earlier = sum(each.verdict is Verdict.ANOMALY for each in values[:-1])
    told = _("{metric} of {name}: {words}").format(metric=metric, name=name, words=values[-1].words)
    if not earlier:
        return told
    sentence = ngettext("{told}; {n} anomaly before", "{told}; {n} anomalies before", earlier)
    return sentence.format(told=told, n=earlier)


def _value(version: int, found: Judged) -> tuple[Cell | str, ...]:
    return (
        str(version),
        moment(found.moment),
        number(found.value),
        NOTHING if found.low is None else number(found.low),
        NOTHING if found.high is None else number(found.high),
        Cell(found.words, _TONES[found.verdict]),
    )


_TONES = {Verdict.EXPECTED: Tone.PLAIN, Verdict.ANOMALY: Tone.BAD, Verdict.TOO_LITTLE: Tone.FAINT}

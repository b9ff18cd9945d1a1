"""What a comparison says to people. No sentence holds a value of the data."""

from __future__ import annotations

from functools import lru_cache

from lastro.drift.result import Verdict
from lastro.drift.settings import Fact
from lastro.model.text import _, figures, language, ngettext


def of_fact(fact: Fact) -> str:
    """What is compared."""
    match fact:
        case Fact.VALUES:
            return _("distribution of values")
        case Fact.LENGTHS:
            return _("lengths of texts")
        case Fact.MISSING:
            return _("share of missing values")
        case Fact.NAN:
            return _("share of NaN")
        case Fact.INFINITE:
            return _("share of infinite numbers")
        case Fact.NEW:
            return _("share of values the reference does not know")


def of_shift(fact: Fact, verdict: Verdict, *, why: str = "") -> str:
    """What one fact came to, and why."""
    told = _told(fact, verdict, language())
    return f"{told}: {why}" if why else told


@lru_cache(maxsize=128)  # a table of a hundred columns says few sentences, each often
def _told(fact: Fact, verdict: Verdict, _language: str) -> str:
    return f"{of_fact(fact)}: {of_verdict(verdict)}"


def of_verdict(verdict: Verdict) -> str:
    """What a comparison came to."""
    match verdict:
        case Verdict.DRIFTED:
            return _("changed by more than the margin")
        case Verdict.STABLE:
            return _("changed by no more than the margin")
        case Verdict.STILL:
            return _("nothing changed")
        case Verdict.NOT_COMPARABLE:
            return _("cannot be compared")
        case Verdict.UNSURE:
            return _("cannot be told yet")


def rows_needed(rows: int | None, *, of_both: bool) -> str:
    """What would tell."""
    if rows is None:
        return _("the change is so near the margin that no number of rows would tell")
    if of_both:
        return _("about {rows} rows on either side would tell").format(rows=counted(rows))
    plural = ngettext("{rows} row in the window would tell", "about {rows} rows in the window would tell", rows)
    return plural.format(rows=counted(rows))


def counted(rows: int) -> str:
    """A number with its thousands apart, as the reader's language has them."""
    return figures(f"{rows:,}")


def of_table(verdict: Verdict, columns: int, concerned: int) -> str:
    """What all columns came to, `concerned` of which have this verdict."""
    filled = {"concerned": concerned, "columns": columns}
    match verdict:
        case Verdict.DRIFTED:
            told = ngettext(
                "{concerned} of {columns} column drifted", "{concerned} of {columns} columns drifted", columns
            )
            return told.format(**filled)
        case Verdict.NOT_COMPARABLE:
            return _("no column drifted, {concerned} of {columns} cannot be compared").format(**filled)
        case Verdict.UNSURE:
            return _("no column surely drifted, {concerned} of {columns} have too few rows to tell").format(**filled)
        case Verdict.STABLE | Verdict.STILL:
            return _("no column of {columns} drifted").format(**filled)

"""The comparison of two profiles: every column of either, the most changed first, and what they come to together."""

from __future__ import annotations

from lastro.drift.column import compared, one_sided
from lastro.drift.result import ORDER, ColumnDrift, Drift, Verdict, worst_of
from lastro.drift.settings import Budget, Settings
from lastro.drift.words import of_table
from lastro.model.profile import Profile
from lastro.model.text import _

USUAL = Settings()


def compare(reference: Profile, current: Profile, *, settings: Settings = USUAL) -> Drift:
    """How the rows of `current` differ from those of `reference`, and whether that is worth an alarm.

    The chance that anything is called drifted that is not, over all columns and `settings.looks` windows compared with
    this reference, is at most `settings.alpha`, if rows are independent of each other.
    """
    names = [*reference.columns, *(name for name in current.columns if name not in reference.columns)]
    budget = Budget(settings.alpha, max(settings.columns or 1, len(names)), settings.looks)
    columns = []
    for name in names:
        before, after = reference.columns.get(name), current.columns.get(name)
        if before is not None and after is not None:
            columns.append(compared(name, (before, after), (reference.rows, current.rows), settings, budget))
        elif before is not None:
            columns.append(one_sided(name, before, _("the window has no such column")))
        elif after is not None:
            columns.append(one_sided(name, after, _("the reference has no such column")))
    verdict = worst_of([column.verdict for column in columns])
    if not columns or not (reference.rows and current.rows):
        verdict = Verdict.NOT_COMPARABLE
    words = _words(verdict, columns, reference, current)
    return Drift(verdict, words, tuple(sorted(columns, key=_rank)), budget, reference.rows, current.rows)


def _rank(column: ColumnDrift) -> tuple[float, int, float, str]:
    """What surely moved most comes first; then by verdict; then by what was counted."""
    return -column.contribution, ORDER.index(column.verdict), -column.counted, column.name


def _words(verdict: Verdict, columns: list[ColumnDrift], reference: Profile, current: Profile) -> str:
    if not reference.rows:
        return _("the reference has no rows")
    if not current.rows:
        return _("the window has no rows")
    if not columns:
        return _("there is no column to compare")
    return of_table(verdict, len(columns), sum(column.verdict is verdict for column in columns))

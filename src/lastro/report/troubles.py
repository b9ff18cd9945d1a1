"""Troubles: what stands first in a last line, each by the names of whom it concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lastro.model.text import _, ngettext
from lastro.report.numbers import number

NAMES_MAX = 3


def leading(
    sentence: str,
    *,
    failed: Sequence[str] = (),
    late: Sequence[str] = (),
    stale: Sequence[str] = (),
    drifted: Sequence[str] = (),
    aside: Mapping[str, int] | None = None,
) -> str:
    """The sentence behind its troubles, the worst first; alone where there are none. `aside` counts rows by dataset."""
    words = (
        (_("failed: {names}"), failed),
        (_("late: {names}"), late),
        (_("drifted: {names}"), drifted),
        (_("stale: {names}"), stale),
    )
    parts = [word.format(names=_names(names)) for word, names in words if names]
    rows = sum((aside or {}).values())
    if aside and rows:
        told = ngettext("{n} row set aside: {names}", "{n} rows set aside: {names}", rows)
        parts.append(told.format(n=number(rows), names=_names(tuple(aside))))
    return f"{'; '.join(parts)} ({sentence})" if parts else sentence


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMES_MAX
    shown = ", ".join(names[:NAMES_MAX])
    return shown if more <= 0 else _("{names} and {n} more").format(names=shown, n=number(more))

"""What outliers are called. No sentence holds a value of the data."""

from __future__ import annotations

from lastro.model.text import _, figures, ngettext


def of_no_outliers(*, numbers: int, differ: bool) -> str:
    """Why a column of so many numbers has no outlier; whether they `differ` at all."""
    if not numbers:
        return _("no numbers")
    return _("no outliers") if differ else _("all numbers are equal: none is far from the others")


def of_outliers(below: int, above: int, lowest: float, highest: float) -> str:
    """On which sides a column's outliers are, at least one, and how many deviations from the median the farthest is."""
    sides = []
    if below:
        sides.append(
            ngettext(
                "{rows} row below the lower limit, up to {far} deviations from the median",
                "{rows} rows below the lower limit, up to {far} deviations from the median",
                below,
            ).format(rows=figures(f"{below:,}"), far=_far(lowest))
        )
    if above:
        sides.append(
            ngettext(
                "{rows} row above the upper limit, up to {far} deviations from the median",
                "{rows} rows above the upper limit, up to {far} deviations from the median",
                above,
            ).format(rows=figures(f"{above:,}"), far=_far(highest))
        )
    return "; ".join(sides)


def of_part(column: str, share: float, *, is_high: bool) -> str:
    """Why a column makes a row unusual: in which tail of the others its number lies."""
    told = figures(f"{100 * share:.2g}")
    if is_high:
        return _("{column} is among the highest {share} %").format(column=column, share=told)
    return _("{column} is among the lowest {share} %").format(column=column, share=told)


def _far(deviations: float) -> str:
    return figures(f"{deviations:.1f}" if deviations < 1000 else f"{deviations:.3g}")

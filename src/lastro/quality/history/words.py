"""What a metric's value is called."""

from __future__ import annotations

from lastro.model.text import _, ngettext
from lastro.quality.history.prediction import Way


def of_error(way: Way, error: float) -> str:
    """Whether a value is higher or lower than expected (an error of 0: neither), and what was expected by."""
    if error > 0:
        return _("higher than expected by {way}").format(way=of_way(way))
    if error < 0:
        return _("lower than expected by {way}").format(way=of_way(way))
    return _("as expected by {way}").format(way=of_way(way))


def of_way(way: Way) -> str:
    """What a value was predicted by."""
    match way:
        case Way.LEVEL:
            return _("the level so far")
        case Way.LAST:
            return _("the last values")
        case Way.TREND:
            return _("the trend")
        case Way.WEEKDAY:
            return _("the same weekday")
        case Way.WEEKDAY_TREND:
            return _("the same weekday and the trend")


def too_little(lacking: int, *, at_rest: bool) -> str:
    """Why nothing is said yet, and how many values more it takes."""
    if at_rest:
        sentence = ngettext(
            "too little history: it has never changed, and {n} more look must pass before a change is told",
            "too little history: it has never changed, and {n} more looks must pass before a change is told",
            lacking,
        )
        return sentence.format(n=lacking)
    sentence = ngettext(
        "too little history: {n} more value is needed", "too little history: {n} more values are needed", lacking
    )
    return sentence.format(n=lacking)

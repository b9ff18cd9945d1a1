"""Differentially private answers: counts, sums, means, histograms, with noise of OpenDP.

Rules:

1. Every mechanism is OpenDP's, and so is the proof of what it costs: noise is as large as its privacy map asks for. The
   noise is drawn by OpenDP from the system's generator; there is no seed.
2. Two datasets are neighbours if one has a person more. A person has at most `contributions` rows: of a subject with
   more, the first are taken. Where the contract names no subject, a row is taken for a person.
3. Nothing that an answer depends on but noise comes from the data: bounds, edges and values are said by who asks.
   Values beyond the bounds count as the bounds, those that are missing not at all.
4. Numbers are counted in whole steps – a millionth of the bounds – and noise is added to whole numbers: no bit of a
   floating-point number tells anything.
5. A mean is a noisy sum around the middle of the bounds over a noisy count, each for half of the epsilon.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from lastro.model.errors import MissingExtra, UsageError
from lastro.model.text import _

CONFIDENCE = 0.95
CATEGORIES_MAX = 10_000
_STEPS = 1e6


class Statistic(StrEnum):
    """What can be asked."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the statistic and its column, with bounds for sums and means, and with `edges` of bins or `values`
    for histograms; `epsilon` is what may be spent, `contributions` how many rows a subject may have.
    """

    statistic: Statistic
    column: str = ""
    lower: float | None = None
    upper: float | None = None
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    epsilon: float = 0.5
    contributions: int = 1

    @property
    def is_of_numbers(self) -> bool:
        """Whether the column has to be one of numbers."""
        return self.statistic in {Statistic.SUM, Statistic.MEAN} or bool(self.edges)


@dataclass(frozen=True, slots=True)
class Private:
    """An answer: its numbers – one, or one for each bin or value and one for all else – and how far each may be off
    with a confidence of 95 %; None if that is not known.
    """

    numbers: tuple[float, ...]
    within: float | None


def checked(question: Question) -> Question:
    """The question, if it can be answered. Raises `UsageError`."""
    match question.statistic:
        case Statistic.COUNT:
            wrong = ""
        case Statistic.HISTOGRAM:
            wrong = _wrong_bins(question)
        case _:
            wrong = _wrong_bounds(question)
    if question.statistic is not Statistic.COUNT and not question.column:
        wrong = _("no column is named")
    if not 1 <= question.contributions <= 1_000_000:
        wrong = _("a subject has at least one row")
    if wrong:
        raise UsageError(
            wrong, do=_("such as --mean age --lower 0 --upper 100, or --histogram age --bins 0,20,40,60,80,100")
        )
    return question


def _wrong_bounds(question: Question) -> str:
    lower, upper = question.lower, question.upper
    if lower is None or upper is None:
        return _("sums and means need bounds that are not taken from the data")
    if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
        return _("the lower bound is not below the upper one")
    return ""


def _wrong_bins(question: Question) -> str:
    bins = question.edges or question.values
    if bool(question.edges) == bool(question.values):
        return _("a histogram needs either the edges of its bins or its values")
    if len(bins) > CATEGORIES_MAX or len(set(bins)) < len(bins):
        return _("the bins or values are too many, or not distinct")
    edges = question.edges
    if edges and (len(edges) < 2 or list(edges) != sorted(edges) or not all(map(math.isfinite, edges))):
        return _("the edges of bins are at least two numbers in rising order")
    return ""


def available() -> None:
    """Raises `MissingExtra` if OpenDP is not installed."""
    _opendp()


def private(question: Question, column: Any) -> Private:  # Any: a numpy array of numbers or texts; of counts, any
    """The answer. `column` has the rows' values, numbers with NaN or texts with None where they are missing, at most
    `contributions` of a subject. Raises `MissingExtra`.
    """
    dp = _opendp()
    match question.statistic:
        case Statistic.COUNT:
            return _count(dp, column, question.epsilon, question.contributions)
        case Statistic.SUM:
            return _sum(dp, column, question, middle=0.0)
        case Statistic.MEAN:
            return _mean(dp, column, question)
        case Statistic.HISTOGRAM:
            return _histogram(dp, column, question)


def _count(dp: Any, column: Any, epsilon: float, contributions: int) -> Private:  # Any: OpenDP, a numpy array
    import numpy as np

    def making(scale: float) -> Any:  # Any: an OpenDP measurement
        return _numbers(dp) >> dp.t.then_count() >> dp.m.then_laplace(scale=scale)

    scale = _scale(dp, making, contributions, epsilon)
    number = making(scale)(np.zeros(len(column), dtype=np.int64))
    return Private((float(number),), _accuracy(dp, scale))


def _sum(dp: Any, column: Any, question: Question, *, middle: float) -> Private:  # Any: OpenDP, a numpy array
    import numpy as np

    lower, upper = float(question.lower or 0.0) - middle, float(question.upper or 0.0) - middle
    step = 10.0 ** math.floor(math.log10(max(abs(lower), abs(upper)) / _STEPS))
    low, high = round(lower / step), round(upper / step)
    known = column[~np.isnan(column)]
    whole = np.rint(np.clip(known - middle, lower, upper) / step).astype(np.int64)

    def making(scale: float) -> Any:  # Any: an OpenDP measurement
        return _numbers(dp) >> dp.t.then_clamp((low, high)) >> dp.t.then_sum() >> dp.m.then_laplace(scale=scale)

    scale = _scale(dp, making, question.contributions, question.epsilon)
    return Private((float(making(scale)(whole)) * step,), _accuracy(dp, scale) * step)


def _mean(dp: Any, column: Any, question: Question) -> Private:  # Any: OpenDP, a numpy array
    import numpy as np

    half = replace(question, epsilon=question.epsilon / 2)
    middle = float(question.lower or 0.0) / 2 + float(question.upper or 0.0) / 2
    known = column[~np.isnan(column)]
    count = _count(dp, known, half.epsilon, half.contributions)
    total = _sum(dp, known, half, middle=middle)
    rows = max(1.0, count.numbers[0])
    away = total.numbers[0] / rows
    off = ((total.within or 0.0) + abs(away) * (count.within or 0.0)) / rows
    mean = min(max(middle + away, float(question.lower or 0.0)), float(question.upper or 0.0))
    return Private((mean,), off)


def _histogram(dp: Any, column: Any, question: Question) -> Private:  # Any: OpenDP, a numpy array
    import numpy as np

    if question.edges:
        edges = np.array(question.edges)
        place = np.searchsorted(edges, column, side="right") - 1
        place = np.where(column == edges[-1], len(edges) - 2, place)
        bins = len(edges) - 1
        place = np.where(np.isnan(column) | (place < 0) | (place >= bins), bins, place)
    else:
        bins = len(question.values)
        numbers = {value: number for number, value in enumerate(question.values)}
        place = np.array([numbers.get(value, bins) for value in column], dtype=np.int64)

    def making(scale: float) -> Any:  # Any: an OpenDP measurement
        counting = dp.t.then_count_by_categories(categories=list(range(bins)), null_category=True)
        return _numbers(dp) >> counting >> dp.m.then_laplace(scale=scale)

    scale = _scale(dp, making, question.contributions, question.epsilon)
    found = making(scale)(place.astype(np.int64))
    return Private(tuple(map(float, found)), _accuracy(dp, scale))


def _numbers(dp: Any) -> Any:  # Any: OpenDP, and one of its metric spaces
    return dp.vector_domain(dp.atom_domain(T="i64")), dp.symmetric_distance()


def _scale(dp: Any, making: Any, contributions: int, epsilon: float) -> float:  # Any: OpenDP, a function
    """The least noise that the privacy map allows, and the proof that it does."""
    scale = float(dp.binary_search_param(making, d_in=contributions, d_out=epsilon))
    if not making(scale).check(d_in=contributions, d_out=epsilon):
        raise ValueError("the noise is too small")
    return scale


def _accuracy(dp: Any, scale: float) -> float:  # Any: OpenDP
    return float(dp.discrete_laplacian_scale_to_accuracy(scale=scale, alpha=1 - CONFIDENCE))


def _opendp() -> Any:  # Any: a module
    try:
        import opendp.prelude as dp
    except ImportError as error:
        raise MissingExtra(
            _("{library} is not installed").format(library="OpenDP"), do="pip install 'lastro[opendp]'"
        ) from error
    dp.enable_features("contrib")
    return dp

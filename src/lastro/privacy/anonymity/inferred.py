"""Hierarchies that follow from what values are.

Rules:

1. Dates: day, month, quarter, year, decade. Moments: their day first.
2. Numbers: bins that begin at 0, the first as wide as a round number about a twentieth of where nearly all rows lie,
   each next twice as wide. Where nearly all rows lie is between the 1st and the 99th percentile: one value that is far
   off makes no bin wider, and costs no other value anything.
3. Postal codes (CEP): all digits, then 5, 3, 2, 1. They are told by the contract's kind, or by their hyphen.
4. States (UF): the state, its region, the country. Told by the contract's kind, or if nearly all values are states.
5. Codes – texts of one length with digits in them: shorter and shorter beginnings.
6. Other texts: those that are frequent stay, the rest is one group. A better tree is given in a file (`given`).
7. What does not fit its column's form, such as a text among postal codes, is one group above level 0.
8. Everything ends in `*`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from lastro.privacy.anonymity.hierarchy import ALL, Floats, Hierarchy, Label, Step, hierarchy
from lastro.privacy.anonymity.values import Nature, Values

REGIONS = {
    "Norte": "AC AM AP PA RO RR TO",
    "Nordeste": "AL BA CE MA PB PE PI RN SE",
    "Centro-Oeste": "DF GO MS MT",
    "Sudeste": "ES MG RJ SP",
    "Sul": "PR RS SC",
}
_REGION_OF = {state: region for region, states in REGIONS.items() for state in states.split()}
_CEP = re.compile(r"([0-9]{5})-?([0-9]{3})", re.ASCII)
_CODE = re.compile(r"[0-9A-Za-z./-]{3,24}", re.ASCII)
_NEARLY = 0.9
_BINS, _WIDTHS = 20, 6
_PREFIXES = 4
_FREQUENT = 0.01
_FEW = 20


def inferred(values: Values, *, kind: str = "") -> Hierarchy:
    """The hierarchy of a column's values; `kind` is what the contract says they are (`cep`, `uf`, …)."""
    kind = kind.casefold()
    match values.nature:
        case Nature.DATE | Nature.MOMENT:
            return _dates(values)
        case Nature.NUMBER if kind != "cep":
            return _numbers(values)
    texts = values.texts
    if _is_cep(texts, kind):
        return _ceps(texts)
    if kind in {"uf", "state", "estado"} or _share(texts, _is_state) >= _NEARLY:
        return _states(texts)
    if _is_coded(values):
        return _codes(texts)
    return _categories(values)


def _dates(values: Values) -> Hierarchy:
    unit = "D" if values.nature is Nature.DATE else "us"
    missing = np.isnan(values.places)
    moments = np.where(missing, 0, values.places).astype(np.int64).astype(f"datetime64[{unit}]")
    days = moments.astype("datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    month, year = months.astype(np.int64), years.astype(np.int64)
    low, high = _central(np.where(missing, math.nan, days.astype(np.float64)), values.counts)

    def step(name: str, labels: Sequence[str], begin: Floats, end: Floats) -> Step:
        known = [None if gone else label for gone, label in zip(missing, labels, strict=True)]
        return Step(name, known, np.where(missing, 0.0, _covered(begin, end, low, high + 1)))

    def ends(number: np.ndarray[tuple[int], np.dtype[np.int64]], unit: str) -> Floats:
        starts = number.astype(f"datetime64[{unit}]").astype("datetime64[D]")
        return starts.astype(np.float64)

    quarter, decade = month // 3 * 3, (year + 1970) // 10 * 10 - 1970
    year_labels = np.datetime_as_string(years).tolist()
    steps = [Step(str(values.nature), values.texts)]
    if values.nature is Nature.MOMENT:
        start = days.astype(np.float64)
        steps.append(step("day", np.datetime_as_string(days).tolist(), start, start + 1))
    steps += [
        step("month", np.datetime_as_string(months).tolist(), ends(month, "M"), ends(month + 1, "M")),
        step(
            "quarter",
            [f"{label}-Q{number % 12 // 3 + 1}" for label, number in zip(year_labels, month.tolist(), strict=True)],
            ends(quarter, "M"),
            ends(quarter + 3, "M"),
        ),
        step("year", year_labels, ends(year, "Y"), ends(year + 1, "Y")),
        step(
            "decade",
            [f"{label}s" for label in np.datetime_as_string(decade.astype("datetime64[Y]")).tolist()],
            ends(decade, "Y"),
            ends(decade + 10, "Y"),
        ),
    ]
    return hierarchy(str(values.nature), steps)


def _numbers(values: Values) -> Hierarchy:
    places = values.places
    plain = np.isfinite(places)
    steps = [Step("numbers", values.texts)]
    if plain.any():
        low, high = _central(np.where(plain, places, math.nan), values.counts)
        first = _round((high - low) / _BINS) if high > low else 0.0
        if values.whole:
            first = max(first, 2.0)
        for doubled in range(_WIDTHS if first > 0 else 0):
            width = first * 2**doubled
            with np.errstate(over="ignore"):
                bins = np.where(plain, np.floor(np.where(plain, places, 0.0) / first), 0.0)
                bins = np.floor(bins / 2**doubled)
                begin = bins * width + 0.0  # -0 is 0
            labels = [
                _bin(start, width) if there else text
                for start, there, text in zip(begin.tolist(), plain.tolist(), values.texts, strict=True)
            ]
            steps.append(Step(f"{width:.12g}", labels, np.where(plain, _covered(begin, begin + width, low, high), 0.0)))
            if (high - low) / width <= 2:
                break
    return hierarchy("numbers", steps)


def _bin(start: float, width: float) -> str:
    return f"[{start:.12g}, {start + width:.12g})"


def _round(value: float) -> float:
    """The smallest of 1, 2 and 5 times a power of 10 that is not less."""
    if not (math.isfinite(value) and value > 0):
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((factor * power for factor in (1.0, 2.0, 5.0) if factor * power >= value), 10.0 * power)


def _central(places: Floats, counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[float, float]:
    """Where nearly all rows lie: from the 1st to the 99th percentile."""
    there = np.flatnonzero(~np.isnan(places))
    if not len(there):
        return 0.0, 0.0
    order = there[np.argsort(places[there], kind="stable")]
    running = np.cumsum(counts[order])
    low, high = np.searchsorted(running, (0.01 * running[-1], 0.99 * running[-1]))
    return float(places[order[low]]), float(places[order[min(high, len(order) - 1)]])


def _covered(begin: Floats, end: Floats, low: float, high: float) -> Floats:
    """How much of where nearly all rows lie each span covers, as a share."""
    if not high > low:
        return np.zeros(len(begin))
    return np.clip((np.minimum(end, high) - np.maximum(begin, low)) / (high - low), 0.0, 1.0)


def _share(texts: Sequence[Label], fits: Callable[[str], object]) -> float:
    known = [text for text in texts if text is not None]
    return sum(bool(fits(text)) for text in known) / len(known) if known else 0.0


def _is_state(text: str) -> bool:
    return text.strip().upper() in _REGION_OF


def _is_cep(texts: Sequence[Label], kind: str) -> bool:
    return kind == "cep" or _share(texts, lambda text: "-" in text and _CEP.fullmatch(text)) >= _NEARLY


def _ceps(texts: Sequence[Label]) -> Hierarchy:
    found = [None if text is None else _CEP.fullmatch(text.strip().zfill(8)) for text in texts]
    whole = [text if match is None else f"{match[1]}-{match[2]}" for text, match in zip(texts, found, strict=True)]
    steps = [Step("cep", whole)]
    for digits in (5, 3, 2, 1):
        labels = [
            _misfit(text) if match is None else match[1][:digits] + "*" * (5 - digits) + "-***"
            for text, match in zip(texts, found, strict=True)
        ]
        steps.append(Step(f"{digits}", labels))
    return hierarchy("cep", steps)


def _states(texts: Sequence[Label]) -> Hierarchy:
    states = [None if text is None else text.strip().upper() for text in texts]
    whole = [state if state is None or state in _REGION_OF else text for state, text in zip(states, texts, strict=True)]
    regions = [_misfit(state) if state is None else _REGION_OF.get(state, ALL) for state in states]
    country = [region if region in (None, ALL) else "Brasil" for region in regions]
    return hierarchy("uf", [Step("uf", whole), Step("region", regions), Step("country", country)])


def _misfit(text: Label) -> Label:
    """What stands above level 0 for a value without the column's form."""
    return None if text is None else ALL


def _is_coded(values: Values) -> bool:
    known = [text for text in values.texts if text is not None]
    return (
        len(known) > _FEW
        and len({len(text) for text in known}) == 1
        and all(_CODE.fullmatch(text) and any(sign.isdigit() for sign in text) for text in known)
    )


def _codes(texts: Sequence[Label]) -> Hierarchy:
    length = next(len(text) for text in texts if text is not None)
    lengths = sorted({round(length * part / (_PREFIXES + 1)) for part in range(1, _PREFIXES + 1)} - {0}, reverse=True)
    steps = [Step("codes", texts)]
    for kept in lengths:
        labels = [None if text is None else text[:kept] + "*" * (length - kept) for text in texts]
        steps.append(Step(f"{kept}", labels))
    return hierarchy("codes", steps)


def _categories(values: Values) -> Hierarchy:
    rows = max(int(values.counts.sum()), 1)
    other = "(…)"
    labels = [
        text if text is None or count >= _FREQUENT * rows else other
        for text, count in zip(values.texts, values.counts.tolist(), strict=True)
    ]
    steps = [Step("texts", values.texts)]
    if set(labels) - {None, other}:
        steps.append(Step("frequent", labels))
    return hierarchy("categories", steps)


def thinned(hierarchies: Sequence[Hierarchy], nodes_max: int) -> tuple[Hierarchy, ...]:
    """The hierarchies with inner levels left out, of the highest one first, until there are at most so many nodes."""
    made = list(hierarchies)
    while math.prod(len(each.levels) for each in made) > nodes_max:
        place = max(range(len(made)), key=lambda number: len(made[number].levels))
        if len(made[place].levels) <= 2:
            break
        made[place] = made[place].without(_dullest(made[place]))
    return tuple(made)


def _dullest(found: Hierarchy) -> int:
    """The inner level that differs least from the one below."""
    sizes = [len(level.labels) for level in found.levels]
    ratios = [math.log(finer / coarser) for finer, coarser in pairwise(sizes)]
    return min(range(1, len(sizes) - 1), key=lambda level: ratios[level - 1])

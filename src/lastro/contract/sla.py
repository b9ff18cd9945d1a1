"""Service levels: how fresh a contract promises its dataset to be.

Rules:

1. `latency` of a column: the newest value of that column is at most so old. Without an element it is about the newest
   version instead.
2. `frequency`: a new version is made at least so often.
3. Other service levels are kept with the contract and not judged here.
4. What cannot be read is told as a note; it never counts as kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lastro.contract.contract import Contract
from lastro.model.errors import ConfigurationError
from lastro.model.period import parse_period
from lastro.model.text import _

_LATENCY = {"latency", "ly", "freshness"}
_FREQUENCY = {"frequency", "fy"}


@dataclass(frozen=True, slots=True)
class FreshnessPromise:
    """At most `period` old: the newest value of `column`, or the newest version where it is empty."""

    property: str
    period: timedelta
    column: str = ""


@dataclass(frozen=True, slots=True)
class ServiceLevels:
    """What a contract promises about freshness, and what of it could not be read."""

    freshness: tuple[FreshnessPromise, ...] = ()
    notes: tuple[str, ...] = ()


def service_levels(contract: Contract) -> ServiceLevels:
    """The freshness that a contract promises."""
    promises: list[FreshnessPromise] = []
    notes: list[str] = []
    for level in contract.document.get("slaProperties") or ():
        name = str(level.get("property", "")).lower()
        if name not in _LATENCY | _FREQUENCY:
            continue
        try:
            promises += _promises(name, level, contract)
        except ConfigurationError as error:
            notes.append(_("{property}: {what}").format(property=name, what=error.what))
    return ServiceLevels(tuple(promises), tuple(notes))


def _promises(name: str, level: Mapping[str, Any], contract: Contract) -> list[FreshnessPromise]:  # Any: JSON values
    period = parse_period(f"{level.get('value')} {level.get('unit') or 'd'}")
    if name in _FREQUENCY:
        return [FreshnessPromise("frequency", period)]
    elements = [text.strip() for text in str(level.get("element") or "").split(",") if text.strip()]
    if not elements:
        return [FreshnessPromise("latency", period)]
    return [FreshnessPromise("latency", period, column) for column in _columns(elements, contract)]


def _columns(elements: list[str], contract: Contract) -> list[str]:
    """The elements that are columns of this dataset: `column`, or `dataset.column`. Raises `ConfigurationError`."""
    known = {column.name for column in contract.plan().columns}
    found = []
    for element in elements:
        table, _dot, column = element.rpartition(".")
        if table and table != contract.dataset and element not in known:
            continue
        name = element if element in known else column
        if name not in known:
            raise ConfigurationError(_("there is no column {column}").format(column=element[:80]))
        found.append(name)
    return found

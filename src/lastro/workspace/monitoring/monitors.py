"""`monitors:` of `lastro.yaml`: which datasets are watched for drift, against what, and who is told.

Rules:

1. A monitor watches one dataset against one reference: a version that a selector names, or the version that a run read.
2. It looks at the rows that came since a date or version, or within a window – of time by a column, or by when they
   came – and without either at those that came since its last look. Rounds look; every other ingestion does where
   `at_ingestion` says so.
3. Everything is checked when the file is read; a misspelt key or name is an error that names the nearest known one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from lastro.contract import document
from lastro.contract.document import Node
from lastro.model.errors import LastroError
from lastro.model.period import parse_period
from lastro.model.reference import Moment, Reference, check_name
from lastro.model.text import _
from lastro.workspace import keeping

KEYS = (
    *("dataset", "reference", "run", "window", "since", "time", "columns", "margin", "margins"),
    *("budget", "looks", "when_spent", "every", "alert", "at_ingestion"),
)
LOOKS = 30
LOOKS_MAX = 1_000_000
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?%", re.ASCII)


class WhenSpent(StrEnum):
    """What becomes of looks once the month's budget is used up: they are recorded only, or alarm all the same."""

    RECORD = "record"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Monitor:
    """One entry of `monitors:`. `budget` is the chance of any false alarm in a month, `looks` how many share it;
    `every` is the least time between two looks of rounds and ingestions; `alert` names whom to tell, all who hear of
    drift if it is None. `at_ingestion` is true if it looks after each ingestion, not only in rounds.
    """

    name: str
    dataset: str
    reference: str | None = None
    run: str | None = None
    window: str | None = None
    since: str | None = None
    time: str | None = None
    columns: tuple[str, ...] = ()
    margin: float = 0.05
    margins: Mapping[str, float] = field(default_factory=dict)
    budget: float = 0.05
    looks: int = LOOKS
    when_spent: WhenSpent = WhenSpent.RECORD
    every: timedelta | None = None
    alert: tuple[str, ...] | None = None
    at_ingestion: bool = False


def monitors(node: Node, datasets: Collection[str], targets: Collection[str]) -> Mapping[str, Monitor]:
    """The monitors by name; what is wrong is noted at its place. `targets` are the names of those who can be told."""
    if node.data is None:
        return {}
    if not isinstance(node.data, dict):
        node.refuse(_("keys and values belong here"), _("write a name for each monitor, and its keys below it"))
        return {}
    return {name: _monitor(name, node.child(name), datasets, targets) for name in node.data}


def names_of(alerts: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:  # Any: a target's own options
    """The names of alerts' targets, as `alert.target` gives them."""
    return tuple(str(entry.get("name") or f"target-{number}") for number, entry in enumerate(alerts, start=1))


def _monitor(name: str, node: Node, datasets: Collection[str], targets: Collection[str]) -> Monitor:
    values = keeping.values_of(node, KEYS)
    with _noting(node):
        check_name(name)
    _check_dataset(node, datasets)
    _check_reference(node)
    _check_window(node)
    return Monitor(
        name=name,
        dataset=str(values.get("dataset")),
        reference=_text(node, "reference"),
        run=_text(node, "run"),
        window=_text(node, "window"),
        since=_text(node, "since"),
        time=_text(node, "time"),
        columns=_names(node, "columns") or (),
        margin=_share(node.child("margin"), 0.05, least=0.0),
        margins=_margins(node.child("margins")),
        budget=_share(node.child("budget"), 0.05, least=1e-9),
        looks=_looks(node.child("looks")),
        when_spent=_when_spent(node.child("when_spent")),
        every=_every(node.child("every")),
        alert=_alert(node, targets),
        at_ingestion=keeping.truth(node, "at_ingestion") if values.get("at_ingestion") is not None else False,
    )


@contextmanager
def _noting(node: Node) -> Iterator[None]:
    """Within, an error of ours is noted at the node."""
    try:
        yield
    except LastroError as error:
        node.refuse(error.what, error.do)


def _check_dataset(node: Node, datasets: Collection[str]) -> None:
    given = node.child("dataset")
    if given.data in datasets and isinstance(given.data, str):
        return
    if not isinstance(given.data, str):
        given.refuse(_("the name of a dataset belongs here"), _("write dataset: NAME"))
        return
    near = document.nearest(given.data, list(datasets))
    others = _("known datasets: {names}").format(names=", ".join(datasets) or _("none; add one with lastro add"))
    given.refuse(
        _("there is no dataset {name}").format(name=document.shown(given.data)),
        _("did you mean {key}?").format(key=near) if near else others,
    )


def _check_reference(node: Node) -> None:
    reference, run = node.child("reference"), node.child("run")
    if (reference.data is None) == (run.data is None):
        node.refuse(
            _("a monitor has a reference or a run"), _("write reference: TAG, or run: RUN for what that run read")
        )
        return
    if reference.data is not None:
        with _noting(reference):
            Reference.parse(f"x@{reference.data}")
        return
    from lastro.catalog.run_record import check_run_id

    with _noting(run):
        check_run_id(str(run.data))


def _check_window(node: Node) -> None:
    window, since, time = node.child("window"), node.child("since"), node.child("time")
    if window.data is not None and since.data is not None:
        since.refuse(_("since and window both say where the rows begin"), _("give one of them"))
    if window.data is not None:
        with _noting(window):
            parse_period(str(window.data))
    selector = None
    if since.data is not None:
        with _noting(since):
            selector = Reference.parse(f"x@{since.data}").selector
    if time.data is not None and window.data is None and not isinstance(selector, Moment):
        time.refuse(_("a time column without a beginning"), _("add since: DATE, or window: 7d"))


def _text(node: Node, key: str) -> str | None:
    """A text; a number is one too, as a version's number is."""
    value = node.child(key).data
    if value is None or (isinstance(value, str) and value):
        return value
    if type(value) is int:
        return str(value)
    node.child(key).refuse(_("a text belongs here"), _("write {key}: TEXT").format(key=key))
    return None


def _names(node: Node, key: str) -> tuple[str, ...] | None:
    value = node.child(key).data
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(name, str) and name for name in value) and value:
        return tuple(value)
    node.child(key).refuse(_("a list of names belongs here"), _("write {key}: [NAME, …]").format(key=key))
    return None


def _share(node: Node, usual: float, *, least: float) -> float:
    if node.data is None:
        return usual
    found = _PERCENT.fullmatch(str(node.data))
    if found and least <= float(found[1]) / 100 < 1:
        return float(found[1]) / 100
    node.refuse(_("a percentage below 100 % belongs here"), _("write a number and its sign, such as 5%"))
    return usual


def _margins(node: Node) -> Mapping[str, float]:
    if node.data is None:
        return {}
    if not isinstance(node.data, dict):
        node.refuse(_("keys and values belong here"), _("write COLUMN: 10% lines below it"))
        return {}
    return {name: _share(node.child(name), 0.05, least=0.0) for name in node.data}


def _looks(node: Node) -> int:
    if node.data is None:
        return LOOKS
    if type(node.data) is int and 1 <= node.data <= LOOKS_MAX:
        return node.data
    node.refuse(
        _("{key} is a whole number from 1 to {most:,}").format(key="looks", most=LOOKS_MAX), _("correct the number")
    )
    return LOOKS


def _when_spent(node: Node) -> WhenSpent:
    if node.data is None:
        return WhenSpent.RECORD
    if node.data in tuple(WhenSpent):
        return WhenSpent(node.data)
    node.refuse(
        _("{word!r} does not say what becomes of looks beyond the budget").format(word=document.shown(node.data)),
        _("use one of {words}").format(words=", ".join(WhenSpent)),
    )
    return WhenSpent.RECORD


def _every(node: Node) -> timedelta | None:
    period = None
    if node.data is not None:
        with _noting(node):
            period = parse_period(str(node.data))
    return period


def _alert(node: Node, targets: Collection[str]) -> tuple[str, ...] | None:
    names = _names(node, "alert")
    for name in names or ():
        if name not in targets:
            near = document.nearest(name, list(targets))
            node.child("alert").refuse(
                _("alerts has no target {name}").format(name=document.shown(name)),
                _("did you mean {key}?").format(key=near)
                if near
                else _("its targets are: {names}").format(names=", ".join(targets) or "–"),
            )
    return names

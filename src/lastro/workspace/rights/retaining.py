"""Retention over a workspace's datasets: counted first, applied if asked. See `governance.retain`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from lastro.contract.retention import Retention as Rule
from lastro.contract.retention import retention
from lastro.governance import retain as law
from lastro.model.access import Act
from lastro.model.errors import LastroError
from lastro.model.retained import Retained, Retention
from lastro.model.text import _
from lastro.workspace.access.admission import refuse_forbidden
from lastro.workspace.dataset import run_id
from lastro.workspace.indexing import rebuild
from lastro.workspace.rights.erasing import finish_first

if TYPE_CHECKING:
    from lastro.governance.finding import Telling
    from lastro.store.table import Table
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace

BASIS = "GDPR art. 5(1)(e), LGPD art. 15, 16"
_FLOOR = timedelta(hours=24)


def retain(workspace: Workspace, names: Sequence[str], *, apply: bool) -> Retention:
    """Looks at these datasets, or all; one that cannot be looked at stops no other. Raises as `Workspace.retain`."""
    if apply:
        finish_first(workspace)
    now = workspace.clock()
    chosen = tuple(dict.fromkeys(names)) or workspace.datasets()
    datasets = [workspace.dataset(name) for name in chosen]
    found = tuple(_looked_at(dataset, now) for dataset in datasets)
    if apply:
        both = zip(datasets, found, strict=True)
        found = tuple(
            _applied(dataset, now, each) if each in Retention(False, found).due else each for dataset, each in both
        )
    return Retention(apply, found)


def _looked_at(dataset: Dataset, now: datetime) -> Retained:
    """What is past in a dataset, or why nothing can be told."""
    try:
        contract = dataset.contract() if dataset.has_contract() else None
        rule = None if contract is None else retention(contract)
        if contract is None or rule is None or dataset.table.head() is None:
            return Retained(dataset.name, kept_for="" if rule is None else str(rule))
        looked, hold = _looked(dataset, rule, now), contract.personal.hold
        if hold is not None and law.is_held(hold, now.date()):
            until = hold.until.isoformat() if hold.until is not None else _("without end")
            return replace(looked, held=_("{basis}, until {day}").format(basis=hold.basis, day=until))
    except LastroError as error:
        return Retained(dataset.name, fault=error.what)
    return looked


def _looked(dataset: Dataset, rule: Rule, now: datetime) -> Retained:
    before, engine = rule.before(now), dataset.workspace.engine()
    aside = _aside(dataset, rule, before)
    beside = law.counted(dataset.workspace.table(f"{dataset.name}.quarantine"), engine, aside).rows
    base = Retained(dataset.name, str(rule), rule.column, before, quarantined=beside)
    if rule.column:
        rows = law.counted(dataset.table, engine, law.Past(rule.column, before), column=rule.column)
        newest = dataset.table.head()
        older = {number: n for number, n in rows.versions.items() if newest is None or number != newest.number}
        return replace(base, rows=rows.rows, versions=older, undated=rows.undated)
    expiring = _collected(dataset, before, now, apply=False)
    return replace(base, expiring=expiring, pinned=_pinned(dataset, before, expiring))


def _aside(dataset: Dataset, rule: Rule, before: datetime) -> law.PastAside:
    table = dataset.workspace.table(f"{dataset.name}.quarantine")
    return law.PastAside.of(table, dataset.contract().plan(), rule.column, before)


def _collected(dataset: Dataset, before: datetime, now: datetime, *, apply: bool) -> tuple[int, ...]:
    """The versions of the dataset that go as a whole (rule 3)."""
    done = dataset.workspace.gc(dataset.name, grace=max(now - before, _FLOOR), apply=apply)
    return next((each.expired for name, each in done.collected if name == dataset.name), ())


def _pinned(dataset: Dataset, before: datetime, expiring: Sequence[int]) -> tuple[int, ...]:
    """Versions that are past, and that something keeps."""
    history = dataset.table.history()[::-1]
    gone = {*dataset.table.expired(), *expiring}
    past = [info.number for info, after in pairwise(history) if after.committed <= before]
    return tuple(number for number in past if number not in gone)


def _applied(dataset: Dataset, now: datetime, looked: Retained) -> Retained:
    rule = retention(dataset.contract())
    if rule is None:
        return looked
    refuse_forbidden(dataset, Act.ERASE)
    before, made, gone = rule.before(now), None, tuple[int, ...]()
    if rule.column and (looked.rows or looked.versions):
        withheld = dataset.target().withheld_of(dataset.table.history(limit=1)[0].schema)
        past = law.Past(rule.column, before)
        made, gone = _let_go(dataset, dataset.table, past, str(rule), withheld=withheld)
    if looked.quarantined:
        table = dataset.workspace.table(f"{dataset.name}.quarantine")
        names = frozenset(table.history(limit=1)[0].schema.names)
        _let_go(dataset, table, _aside(dataset, rule, before), str(rule), withheld=names)
    if looked.expiring:
        _collected(dataset, before, now, apply=True)
    return replace(looked, made=made, erased=gone)


def _let_go(
    dataset: Dataset, table: Table, past: Telling, kept_for: str, *, withheld: frozenset[str]
) -> tuple[int | None, tuple[int, ...]]:
    """Removes rows by a new version, then from all before it; gives its number, and the versions that lost rows."""
    ledger = dataset.workspace.ledger
    info, rows = law.removed(table, past, withheld=withheld, run=run_id())
    if info is not None:
        if table is dataset.table:
            dataset.enter(info)
        ledger.expired(info, rows, kept_for=kept_for)
    done = law.erased(table, past)
    if done.generation:
        lost = sum(each.rows for each in done.replaced)
        generation = (done.generation, done.digest)
        ledger.erased(table.dataset, rows=lost, request=law.SOURCE, basis=BASIS, generation=generation)
        rebuild(dataset.workspace, wipe=True)
    return None if info is None else info.number, tuple(sorted(done.rows))

"""Checking where the data lives: a contract's rules held to what one of its servers gives. Nothing is stored.

Rules:

1. Rows are read once, whole, and land in a temporary folder as they arrived; rules are held to them there, with the
   casts of every ingestion. A table of a database is read in one snapshot; several, where it shares one.
2. The contract's cleaning is applied only if it is asked for. Before it, a column made by cleaning alone is not there.
3. Nothing is set aside: table rules see every row, with a value that cannot be read as missing. A row rule's threshold
   holds as the contract states it (`quality.judge`, rule 10).
4. A column of the contract that is not there is a finding, and so is each rule that reads it. Columns that the contract
   does not name are told. Records that cannot be taken apart are a finding.
5. Keys are looked up in the contract's other schema objects, at the same server, and in a workspace's stored versions
   where it is a dataset that is checked. What is in neither cannot be judged; nor can a rule about a batch.
6. A contract says who may know a value that was cleaned. Values of a column with a `transformLogic` are not shown as
   they stand, nor those of a source's column that a withheld one is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.contract import Contract
from lastro.contract.document import nearest
from lastro.contract.servers import Server
from lastro.engine import database
from lastro.engine.protocol import MALFORMED, Engine, OtherRows
from lastro.engine.rules import columns_read, source_plan
from lastro.engine.scan import Csv, FileScan
from lastro.model.check import Category, CheckedRule
from lastro.model.errors import SourceBroken
from lastro.model.finding import Finding, Policy, Severity, Verdict
from lastro.model.plan import Orphans, Plan, Scope, TableRule
from lastro.model.schema import Schema
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.pipeline.held import (
    Asked,
    Checked,
    Held,
    Rule,
    absent,
    checked,
    empty,
    named,
    refuse_unknown,
    rules_of,
    whole_plan,
)
from lastro.pipeline.landing import Landed, land, sniffed, typed
from lastro.pipeline.lookups import Lookups
from lastro.quality.judge import NONE_ALLOWED, in_words, judge_source, unjudged
from lastro.quality.nature import CONFORMITY
from lastro.source import create
from lastro.source.protocol import Opened, Shareable, Unchanged
from lastro.source.server import DELTA, DUCKDB, options_of

if TYPE_CHECKING:
    from lastro.engine.sql.stored import StoredPlan

_WRITTEN = frozenset({"delimiter", "quote", "escape", "header", "null_texts", "skip", "columns"})
"""Options that say how delimited text is written: where one is given, none is guessed."""
_NO_SOURCE = (DELTA, DUCKDB)
Newest = Callable[[str], "str | None"]
"""The greatest value of a column, as text; None if nobody may be told, or there is none."""
Also = Callable[[Newest, int], Sequence[CheckedRule]]
"""Further findings, told how to ask for a column's newest value, and how many rows there are."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How a server is read: by which engine, from where paths begin, into which folder, and whether rows are cleaned
    before they are judged; in which of its states, if it shares one. `looked` are versions of a workspace's datasets.
    """

    engine: Engine
    base: Path
    folder: Path
    cleaned: bool = False
    shared: str | None = None
    looked: Lookups = field(default_factory=Lookups)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A schema object's rows, landed, and its plan for them."""

    contract: Contract
    held: Held
    landed: Landed
    label: str
    notes: tuple[str, ...] = ()


def looked_up(contract: Contract) -> frozenset[str]:
    """The datasets in which the contract's rules look keys up, beside its own."""
    measures = (rule.measure for rule in contract.plan().table_rules)
    found = {measure.dataset for measure in measures if isinstance(measure, Orphans)}
    return frozenset(found - {contract.dataset})


@contextmanager
def together(contracts: Sequence[Contract], server: Server, serving: Serving) -> Iterator[Serving]:
    """So that these schema objects are read in one state of the server, where it can share one.

    Raises `ConfigurationError`, `MissingExtra`, `SourceUnreachable`.
    """
    options = [_options(contract, server) for contract in contracts]
    sources = [create(each, base=serving.base) for each in options if each["kind"] not in _NO_SOURCE]
    if not sources or not isinstance(sources[0], Shareable):
        yield serving
        return
    with sources[0].sharing(sources[1:]) as shared:
        yield replace(serving, shared=shared)


def fetch(contract: Contract, server: Server, serving: Serving) -> Fetched:
    """Reads a schema object at its server.

    Raises `ConfigurationError`, `MissingExtra`, `SourceError`, `StoreError`, `SqlRefused`, `EngineError`.
    """
    serving.engine.check(contract.plan())
    plan = whole_plan(contract.plan())
    wanted = columns_read(plan, cleaned=serving.cleaned)
    with _opened(contract, server, serving) as (opened, declared):
        landed = land(serving.engine, opened, wanted, serving.folder / contract.dataset, declared=declared)
        label, notes = opened.label, opened.notes
    stored = source_plan(plan, landed.schema, cleaned=serving.cleaned)
    unshown = _unshown(plan)
    held = Held(
        serving.engine,
        plan,
        stored,
        landed.paths,
        landed.schema,
        landed.rows,
        plan.withheld if serving.cleaned else plan.withheld | unshown,
        unshown=unshown,
    )
    return Fetched(contract, held, landed, label, notes)


def check(fetched: Fetched, asked: Asked, others: Mapping[str, Fetched], serving: Serving, *, also: Also) -> Checked:
    """Holds the rules to fetched rows; `others` are the contract's other schema objects by name.

    Raises `UnknownName` for a rule or dimension that the contract has not, `SqlRefused`, `EngineError`.
    """
    held, landed = fetched.held, fetched.landed
    columns = (*_columns(fetched), *_malformed(landed, asked))
    levels = also(lambda column: _newest(fetched, column, serving), landed.rows)
    known = [*columns, *(checked(rule, named(rule)) for rule in rules_of(held.plan)), *levels, _record(0, 0)]
    refuse_unknown(asked, known)
    doubtful = _doubtful(fetched, others, serving.looked)
    wanted = {rule.name for rule in rules_of(held.plan) if rule.name not in doubtful and asked.takes(named(rule))}
    tally = held.tally(wanted, _keys(held.plan, wanted, others, serving))
    plan = held.counted(tally)
    tally = replace(tally, rows=tally.rows + landed.malformed)
    findings = {finding.rule: finding for finding in judge_source(plan, tally, against=serving.looked.versions)}
    judged = [
        checked(rule, _told(rule, landed.rows), reason=doubtful[rule.name])
        if rule.name in doubtful
        else held.discreet(rule, checked(rule, findings[rule.name]))
        for rule in rules_of(held.plan)
        if rule.name in doubtful or rule.name in findings
    ]
    chosen = tuple(each for each in (*columns, *judged, *levels) if asked.takes(each.finding))
    if not landed.rows:
        chosen = (empty(), *chosen)
    return Checked(chosen, None if asked.failures is None else held.failing(chosen, asked))


@contextmanager
def _opened(contract: Contract, server: Server, serving: Serving) -> Iterator[tuple[Opened, Schema | None]]:
    options = _options(contract, server)
    if options["kind"] == DELTA:
        from lastro.store.elsewhere import elsewhere

        found = elsewhere(options["path"], serving.base)
        yield Opened(found.scan, dict, found.label), found.schema
        return
    if options["kind"] == DUCKDB:
        path, temp = serving.base / options["path"], serving.folder
        with database(path, options["schema"], options["table"], temp=temp) as scan:
            yield Opened(scan, dict, scan.label), None
        return
    source = create(options, base=_base(options, serving))
    if serving.shared is not None and isinstance(source, Shareable):
        source = source.within(serving.shared)
    with source.open(None, Mode.OVERWRITE) as opened:
        if isinstance(opened, Unchanged):
            raise SourceBroken(_("there is nothing to read"), where=source.label, do=_("check the location"))
        guessed = options["kind"] == "files" and not _WRITTEN & options.keys() and _is_csv(opened)
        yield sniffed(opened) if guessed else opened, None


def _options(contract: Contract, server: Server) -> Mapping[str, Any]:  # Any: a source's options
    physical = next(str(each.get("physicalName") or "") for each in contract.document["schema"] if _is(each, contract))
    return options_of(server, name=contract.dataset, physical=physical or contract.dataset)


def _base(options: Mapping[str, Any], serving: Serving) -> Path:  # Any: a source's options
    """Where paths begin; of what must be fetched, which has none, our own folder, so that it is fetched into that."""
    if "://" not in str(options.get("path")):
        return serving.base
    (serving.folder / ".lastro" / "staging").mkdir(parents=True, exist_ok=True)
    return serving.folder


def _is(entry: object, contract: Contract) -> bool:
    return isinstance(entry, dict) and entry.get("name") == contract.dataset


def _is_csv(opened: Opened) -> bool:
    return isinstance(opened.scan, FileScan) and isinstance(opened.scan.format, Csv)


def _unshown(plan: Plan) -> frozenset[str]:
    """The columns whose values as they stand are not those that the contract speaks of (rule 6)."""
    hidden: set[str] = set()
    for column in plan.columns:
        if column.name in plan.withheld:
            alone = Plan(plan.dataset, "", (column,))
            hidden |= {name.casefold() for name in (column.source, *columns_read(alone, cleaned=True))}
    return frozenset(
        column.name for column in plan.columns if column.expression is not None or column.source.casefold() in hidden
    )


def _columns(fetched: Fetched) -> Iterator[CheckedRule]:
    """A finding for each column of the contract that was not read."""
    stored, rows = fetched.held.stored, fetched.landed.rows
    sources = {column.name: column.source for column in fetched.held.plan.columns}
    for name in stored.missing:
        near = nearest(sources[name], list(fetched.landed.unread))
        reason = _("what was read has no column {name}").format(name=repr(sources[name]))
        if near:
            reason = _("{reason}; did you mean {near!r}? Then set physicalName").format(reason=reason, near=near)
        yield absent(name, rows, reason)
    for name in stored.unfit:
        yield absent(name, rows, _("the type that it has there cannot be the contract's"))
    for column in stored.plan.columns:
        alone = Plan(stored.plan.dataset, "", (column,))
        if lost := [name for name in columns_read(alone, cleaned=True) if name in fetched.landed.partly]:
            reason = _("some of the files have no column {name}; its rows there have no value")
            yield absent(column.name, rows, reason.format(name=repr(lost[0])))
        if column.expression is None and column.source in fetched.landed.absent:
            found = absent(column.name, rows, _("no object that was read has this member"))
            told = replace(found.finding, verdict=Verdict.WARNING, severity=Severity.WARNING, policy=Policy.WARN)
            yield replace(found, finding=told)


def _malformed(landed: Landed, asked: Asked) -> tuple[CheckedRule, ...]:
    is_told = landed.malformed or MALFORMED in asked.rules
    return (_record(landed.malformed, landed.rows + landed.malformed),) if is_told else ()


def _record(malformed: int, total: int) -> CheckedRule:
    """The finding for records that cannot be taken apart."""
    finding = Finding(
        MALFORMED,
        Verdict.FAILED if malformed else Verdict.PASSED,
        Severity.ERROR,
        Policy.FAIL,
        dimension=CONFORMITY,
        measured=float(malformed),
        expected=in_words(NONE_ALLOWED),
        rows_refused=malformed,
        rows_total=total,
    )
    reason = _("records that cannot be taken apart; no other rule sees them") if malformed else ""
    return CheckedRule(finding, Category.SCHEMA, "record", reason=reason)


def _doubtful(fetched: Fetched, others: Mapping[str, Fetched], looked: Lookups) -> dict[str, str]:
    """Why each of the rules that cannot be judged cannot be."""
    stored = fetched.held.stored
    found: dict[str, str] = {}
    for rule in rules_of(fetched.held.plan):
        if rule.name in stored.unjudged:
            found[rule.name] = _unreadable(stored, stored.unjudged[rule.name])
        elif isinstance(rule, TableRule) and rule.scope is Scope.BATCH:
            found[rule.name] = _("cannot be judged: it is about one batch, and where the data lives there are none")
        elif isinstance(rule, TableRule) and (reason := _unfindable(rule, fetched, others, looked)):
            found[rule.name] = reason
    return found


def _unreadable(stored: StoredPlan, names: Sequence[str]) -> str:
    made = [name for name in names if name in stored.made]
    missing = [name for name in names if name in stored.missing]
    if missing:
        return _("cannot be judged: what was read has no column {names}").format(names=", ".join(missing))
    if made:
        return _("cannot be judged before cleaning, which makes {names}").format(names=", ".join(made))
    return _("cannot be judged: {names} has another type there").format(names=", ".join(names))


def _unfindable(rule: TableRule, fetched: Fetched, others: Mapping[str, Fetched], looked: Lookups) -> str:
    """Why no key can be looked up; empty if it can, or none is."""
    measure = rule.measure
    if not isinstance(measure, Orphans) or measure.dataset in {fetched.contract.dataset, *looked.rows}:
        return ""
    if measure.dataset not in others:
        what = _("cannot be judged: {name} could not be read, or is no schema object of this contract")
        return what.format(name=measure.dataset)
    there = others[measure.dataset].held.stored.plan.schema.names
    lost = [their for _mine, their in measure.columns if their not in there]
    if lost:
        return _("cannot be judged: {name} has no column {names}").format(name=measure.dataset, names=", ".join(lost))
    return ""


def _told(rule: Rule, rows: int) -> Finding:
    """The finding of a rule that cannot be judged; one about a batch only warns."""
    finding = unjudged(rule, rows)
    is_of_batch = isinstance(rule, TableRule) and rule.scope is Scope.BATCH
    return replace(finding, verdict=Verdict.WARNING) if is_of_batch else finding


def _keys(plan: Plan, wanted: set[str], others: Mapping[str, Fetched], serving: Serving) -> dict[str, OtherRows]:
    """The rows in which the wanted rules look keys up: of each other schema object the columns that they name."""
    columns: dict[str, set[str]] = {}
    for rule in plan.table_rules:
        if rule.name in wanted and isinstance(rule.measure, Orphans) and rule.measure.dataset in others:
            columns.setdefault(rule.measure.dataset, set()).update(their for _mine, their in rule.measure.columns)
    found = dict(serving.looked.rows)
    for name, chosen in columns.items():
        other = others[name]
        keys = typed(serving.engine, other.landed, other.held.stored.plan, tuple(chosen), serving.folder)
        found[name] = OtherRows(keys.paths, keys.schema)
    return found


def _newest(fetched: Fetched, column: str, serving: Serving) -> str | None:
    held = fetched.held
    if held.withholds(column) or column not in held.stored.plan.schema.names:
        return None
    values = typed(held.engine, fetched.landed, held.stored.plan, (column,), serving.folder)
    measures = held.engine.measure(values.paths, values.schema, (), table=fetched.contract.dataset)
    return measures.columns[column].maximum

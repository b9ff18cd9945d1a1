"""Rules held to rows that stand in files: what a version's check and a server's have in common.

Rules:

1. What cannot be judged is told with the reason, and never counted as kept.
2. The number of a query that reads a withheld column is withheld, unless the query only counts: it could be a value.
3. Rows that fail are shown if they are asked for, as they stand: their key, and the columns that the rules they break
   read, without those whose values are withheld. They are those of rules that failed or warn, and of all rules asked
   for by name: a rule that allows some rows to break it would bury them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.engine.protocol import PRIMARY_KEY, Engine, FailingRow, OtherRows, Tally
from lastro.engine.rules import read_by
from lastro.model.check import Category, CheckedRule, FailingValues, Failures
from lastro.model.errors import UnknownName
from lastro.model.finding import Finding, Policy, Severity, Verdict
from lastro.model.plan import CastHolds, Duplicates, Foreseen, Holds, Plan, Query, RowRule, TableRule
from lastro.model.schema import Schema
from lastro.model.text import _
from lastro.pipeline.discretion import hidden_in
from lastro.quality.judge import NONE_ALLOWED, unjudged
from lastro.quality.nature import CONFORMITY, COVERAGE, nature

if TYPE_CHECKING:
    from lastro.engine.sql.stored import StoredPlan

EMPTY = "empty"
"""The rule's name where there are no rows."""
_PRESENT = "present"
"""`<column>.present`: the rows have the column, in a type that can be the contract's."""
_LIMIT_MAX = 10_000
"""So many failing rows are shown at most; `lastro read --where` writes more."""

Rule = RowRule | TableRule


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rules are asked for, by name and by dimension (all, where none is), and of how many rows that fail the
    values are to be shown; None for no rows at all.
    """

    rules: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    failures: int | None = None

    def takes(self, finding: Finding) -> bool:
        """True if the finding is one that was asked for."""
        named = not self.rules or finding.rule in self.rules
        return named and (not self.dimensions or finding.dimension in self.dimensions)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules say, in the contract's order, and the rows that break them if they were asked for."""

    rules: tuple[CheckedRule, ...]
    failures: Failures | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """`rows` rows in files with the columns of `schema`, and the contract's `plan` restated for them as `stored`.

    `withheld` are columns of the contract whose values nobody may be told; `unshown` those that beside them are not
    shown as they stand. `only` is the truth column of the rows that table rules see.
    """

    engine: Engine
    plan: Plan
    stored: StoredPlan
    files: tuple[Path, ...]
    schema: Schema
    rows: int
    withheld: frozenset[str] = field(default_factory=frozenset)
    only: str | None = None
    unshown: frozenset[str] = field(default_factory=frozenset)

    def withholds(self, name: str) -> bool:
        """True if nobody may be told the column's values."""
        return name.casefold() in {each.casefold() for each in self.withheld}

    def shows(self, name: str) -> bool:
        """True if the column's values may be shown as they stand."""
        return not self.withholds(name) and name.casefold() not in {each.casefold() for each in self.unshown}

    def discreet(self, rule: Rule, found: CheckedRule) -> CheckedRule:
        """The finding without its number, if that could tell a value that is withheld."""
        names = () if found.finding.measured is None else hidden_in(rule, self.plan, self.withheld)
        if not names:
            return found
        reason = _("its number is withheld: it is made of values of {names}").format(names=", ".join(names))
        return replace(found, finding=replace(found.finding, measured=None), reason=reason)

    def tally(self, wanted: set[str], others: Mapping[str, OtherRows]) -> Tally:
        """Counts for these rules. Raises `SqlRefused`, `Corrupted`, `EngineError`."""
        plan = _reduced(self.stored.plan, wanted)
        return self.engine.tally(self.files, self.schema, plan, only=self.only, others=others)

    def counted(self, tally: Tally) -> Plan:
        """The rules that were counted, to be judged."""
        measured = {*tally.refused, *tally.table_rules}
        plan = self.stored.plan
        return replace(
            plan,
            row_rules=tuple(rule for rule in plan.row_rules if rule.name in measured),
            table_rules=tuple(rule for rule in plan.table_rules if rule.name in measured),
        )

    def failing(self, found: Sequence[CheckedRule], asked: Asked) -> Failures:
        """The rows that break these rules, of those that rule 3 shows."""
        doubtful = [each for each in found if each.finding.verdict is not Verdict.PASSED or asked.rules]
        return _failures(self, doubtful, limit=min(asked.failures or 0, _LIMIT_MAX))


def whole_plan(plan: Plan) -> Plan:
    """The contract's plan with the primary key as a rule, and without what only a source can break."""
    rows = tuple(rule for rule in plan.row_rules if not isinstance(rule.condition, Foreseen))
    if not plan.primary_key:
        return replace(plan, row_rules=rows)
    column = plan.primary_key[0] if len(plan.primary_key) == 1 else None
    unique = TableRule(PRIMARY_KEY, Duplicates(plan.primary_key), NONE_ALLOWED, column=column)
    return replace(plan, row_rules=rows, table_rules=(unique, *plan.table_rules))


def rules_of(plan: Plan) -> tuple[Rule, ...]:
    """Its row rules, then its table rules."""
    return (*plan.row_rules, *plan.table_rules)


def named(rule: Rule) -> Finding:
    """The rule before it is judged: a finding that has only what does not depend on the data."""
    return _with_dimension(rule, unjudged(rule, 0))


def _with_dimension(rule: Rule, finding: Finding) -> Finding:
    return replace(finding, dimension=nature(rule).dimension)


def checked(rule: Rule, finding: Finding, *, reason: str = "") -> CheckedRule:
    """The rule's finding, with what kind of rule it is."""
    match rule:
        case RowRule(condition=Holds(expression)):
            sql = expression
        case TableRule(measure=Query(text)):
            sql = text
        case _:
            sql = ""
    return CheckedRule(_with_dimension(rule, finding), Category.QUALITY, nature(rule).kind, sql, reason)


def refuse_unknown(asked: Asked, known: Sequence[CheckedRule]) -> None:
    """Raises `UnknownName` for a rule or dimension that is asked for and is none of these."""
    names = [each.finding.rule for each in known] + [EMPTY]
    dimensions = sorted({each.finding.dimension for each in known if each.finding.dimension})
    for name in asked.rules:
        if name not in names:
            near = difflib.get_close_matches(name, names, 3) or names[:20]
            raise UnknownName(
                _("the contract has no rule {name!r}").format(name=name[:80]),
                do=_("use one of: {names}").format(names=", ".join(near)),
            )
    for name in asked.dimensions:
        if name not in dimensions:
            raise UnknownName(
                _("no rule of the contract is about {name!r}").format(name=name[:80]),
                do=_("use one of: {names}").format(names=", ".join(dimensions)),
            )


def _reduced(plan: Plan, wanted: set[str]) -> Plan:
    """The rules that are asked for, and those that say which values can be read, on which others depend."""
    rows = tuple(rule for rule in plan.row_rules if rule.name in wanted or isinstance(rule.condition, CastHolds))
    return replace(plan, row_rules=rows, table_rules=tuple(rule for rule in plan.table_rules if rule.name in wanted))


def absent(column: str, rows: int, reason: str) -> CheckedRule:
    """The finding for a column of the contract that the rows lack."""
    finding = Finding(
        f"{column}.{_PRESENT}",
        Verdict.FAILED,
        Severity.ERROR,
        Policy.FAIL,
        column=column,
        dimension=CONFORMITY,
        expected=_("a column of the contract"),
        rows_total=rows,
    )
    return CheckedRule(finding, Category.SCHEMA, "field_is_present", reason=reason)


def empty() -> CheckedRule:
    """The finding where there are no rows."""
    finding = Finding(
        EMPTY,
        Verdict.WARNING,
        Severity.WARNING,
        Policy.WARN,
        dimension=COVERAGE,
        measured=0.0,
        expected=_("at least one row"),
    )
    return CheckedRule(finding, Category.QUALITY, "row_count", reason=_("there is no row that could break a rule"))


def _failures(held: Held, found: Sequence[CheckedRule], *, limit: int) -> Failures:
    """The rows that break these rules, as far as they could be judged."""
    stored = held.stored
    counted = {each.finding.rule: each.finding for each in found if not each.reason}
    broken = [rule for rule in rules_of(stored.plan) if rule.name in counted and _is_broken(rule, counted[rule.name])]
    if not broken:
        return Failures(0, ())
    sources = {each.name: each.source for each in stored.plan.columns}
    read = {rule.name: tuple(name for name in read_by(rule, stored.plan)) for rule in broken}
    key = tuple(name for name in held.plan.primary_key if name in sources)
    every = dict.fromkeys((*key, *(name for names in read.values() for name in names)))
    show = {name: sources[name] for name in every if held.shows(name)}
    failing = held.engine.failing(
        held.files,
        held.schema,
        stored.plan,
        [rule.name for rule in broken],
        show=tuple(show.values()),
        limit=limit,
        only=held.only,
    )

    def shown(row: FailingRow) -> FailingValues:
        of_rules = dict.fromkeys(name for rule in row.rules for name in read[rule])
        return FailingValues(
            row.row,
            row.rules,
            key={name: row.values[show[name]] for name in key if name in show},
            values={name: row.values[show[name]] for name in of_rules if name in show},
            withheld=tuple(name for name in dict.fromkeys((*key, *of_rules)) if name not in show),
        )

    return Failures(failing.total, tuple(map(shown, failing.rows)))


def _is_broken(rule: Rule, finding: Finding) -> bool:
    if isinstance(rule, RowRule):
        return finding.rows_refused > 0
    return isinstance(rule.measure, Duplicates) and bool(finding.measured)

"""Checking: every rule of a dataset's contract held to one stored version. Nothing is changed.

Rules:

1. The contract is the one that stands in its file now; the version is any that is still stored.
2. A column of the contract that the version does not have is a finding, and so is each rule that reads it: that it
   cannot be judged is told, and never counted as kept. Columns that the version has beside the contract's are none.
3. Rows that a rule would have set aside must not be in the table: one is too many (`quality.judge`, rule 8).
4. Rows with equal primary keys are a finding. In a history only its current rows count, as they do when it is made.
5. A rule about a batch is judged on the version if that is one batch; else its finding is the one of the commit, if it
   was made under the same contract; else it cannot be judged.
6. A version without rows keeps most promises for lack of any that could break them: that is a warning.
7. A rule about values that the contract protects was held on the way in, before they were protected: rows that break it
   are not there, if the version was made under the same contract. Else, and where it only warns, it cannot be judged.
8. What is shown of rows and numbers, `held` decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lastro.engine.protocol import Tally
from lastro.engine.rules import read_by, stored_plan
from lastro.model.check import CheckedRule
from lastro.model.finding import Policy, Verdict
from lastro.model.plan import CastHolds, NotNull, Orphans, Plan, RowRule, Scope, TableRule
from lastro.model.text import _
from lastro.model.version import Mode, VersionInfo
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
from lastro.pipeline.lookups import Lookups, lookups
from lastro.pipeline.target import Target
from lastro.quality.judge import judge_stored, unjudged

if TYPE_CHECKING:
    from lastro.engine.sql.stored import StoredPlan


def check(target: Target, info: VersionInfo, asked: Asked, *, also: Sequence[CheckedRule] = ()) -> Checked:
    """Holds the contract's rules to a version; `also` are findings of others about it, to be chosen among as well.

    Raises `UnknownName` for a rule or dimension that the contract has not, `SqlRefused`, `Corrupted`, `Expired`.
    """
    target.engine.check(target.plan)
    plan = whole_plan(target.plan)
    stored = stored_plan(plan, info.schema)
    columns = _columns(stored, info)
    refuse_unknown(asked, [*columns, *(checked(rule, named(rule)) for rule in rules_of(plan)), *also])
    looked = lookups(target)
    held = Held(
        target.engine,
        plan,
        stored,
        tuple(target.table.paths(info)),
        info.schema,
        info.rows,
        target.withheld,
        _only(target, info),
    )
    wanted = {rule.name for rule in rules_of(plan) if asked.takes(named(rule)) and not _looks_into(rule, looked.absent)}
    tally = held.tally(wanted, looked.rows)
    judged = _judged(target, info, held, tally, looked)
    chosen = tuple(each for each in (*columns, *judged, *also) if asked.takes(each.finding))
    if info.rows == 0:
        chosen = (empty(), *chosen)
    return Checked(chosen, None if asked.failures is None else held.failing(chosen, asked))


def _only(target: Target, info: VersionInfo) -> str | None:
    """The column that says which rows of a history are current; None where the version is no history."""
    history = target.history
    return history.current if set(history.columns) <= set(info.schema.names) else None


def _looks_into(rule: Rule, datasets: frozenset[str]) -> bool:
    measure = rule.measure if isinstance(rule, TableRule) else None
    return isinstance(measure, Orphans) and measure.dataset in datasets


def _judged(target: Target, info: VersionInfo, held: Held, tally: Tally, looked: Lookups) -> tuple[CheckedRule, ...]:
    stored, plan = held.stored, held.plan
    findings = {finding.rule: finding for finding in judge_stored(held.counted(tally), tally, against=looked.versions)}
    found = []
    for rule in rules_of(plan):
        if rule.name in stored.unjudged:
            reason = _unreadable(stored, stored.unjudged[rule.name])
            found.append(checked(rule, unjudged(rule, info.rows), reason=reason))
        elif _looks_into(rule, looked.absent):
            reason = _("the other dataset is not there")
            found.append(checked(rule, unjudged(rule, info.rows), reason=reason))
        elif isinstance(rule, TableRule) and rule.scope is Scope.BATCH and not _is_one_batch(target, info):
            found.append(held.discreet(rule, _of_batch(rule, plan, info)))
        elif shut := _protected_in(rule, plan, target.protected):
            found.append(_on_the_way_in(rule, plan, info, shut))
        elif rule.name in findings:
            found.append(held.discreet(rule, checked(rule, findings[rule.name])))
    return tuple(found)


def _protected_in(rule: Rule, plan: Plan, protected: frozenset[str]) -> tuple[str, ...]:
    """The protected columns whose values a row rule is about."""
    if not protected or not isinstance(rule, RowRule) or isinstance(rule.condition, NotNull | CastHolds):
        return ()
    return tuple(name for name in read_by(rule, plan) if name in protected)


def _on_the_way_in(rule: Rule, plan: Plan, info: VersionInfo, names: Sequence[str]) -> CheckedRule:
    """What is known of a rule about values that are no longer there (rule 7)."""
    if info.origin.contract_digest == plan.contract_digest and rule.policy is not Policy.WARN:
        finding = replace(unjudged(rule, info.rows), verdict=Verdict.PASSED)
        return checked(
            rule, finding, reason=_("held on the way in, before {names} was protected").format(names=", ".join(names))
        )
    finding = replace(unjudged(rule, info.rows), verdict=Verdict.WARNING)
    return checked(rule, finding, reason=_("cannot be judged: {names} is protected").format(names=", ".join(names)))


def _unreadable(stored: StoredPlan, names: Sequence[str]) -> str:
    missing = [name for name in names if name in stored.missing]
    if missing:
        return _("cannot be judged: this version has no column {names}").format(names=", ".join(missing))
    return _("cannot be judged: {names} has another type in this version").format(names=", ".join(names))


def _is_one_batch(target: Target, info: VersionInfo) -> bool:
    """True if the version's rows are those of one batch (as `reading.is_alone` says of a batch)."""
    mode = info.origin.mode
    is_first = info.parent is None and mode is not Mode.SCD2
    return (is_first or mode is Mode.OVERWRITE) and target.deletes.column is None


def _of_batch(rule: TableRule, plan: Plan, info: VersionInfo) -> CheckedRule:
    """What was found when the version's batch was committed."""
    if info.origin.contract_digest == plan.contract_digest:
        for told in info.origin.findings:
            if told.get("rule") == rule.name:
                recorded = replace(
                    unjudged(rule, int(told.get("rows_total") or 0)),
                    verdict=Verdict(told["verdict"]),
                    measured=told.get("measured"),
                )
                return checked(rule, recorded, reason=_("as it was judged when its batch was committed"))
    finding = replace(unjudged(rule, info.rows), verdict=Verdict.WARNING)
    return checked(rule, finding, reason=_("cannot be judged: it is about one batch, and this version holds several"))


def _columns(stored: StoredPlan, info: VersionInfo) -> tuple[CheckedRule, ...]:
    """A finding for each column of the contract that the version lacks."""
    found = [absent(name, info.rows, _("this version has no such column")) for name in stored.missing]
    unfit = _("its type in this version cannot be the contract's")
    return (*found, *(absent(name, info.rows, unfit) for name in stored.unfit))

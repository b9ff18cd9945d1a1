"""Discretion: which numbers of rules may not be told, since they could be a value that is withheld.

A finding is kept with the version, told to people and sent to others. So the number of a rule that is made of withheld
values, and does not only count, is not in it: it could be one person's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lastro.engine.rules import read_by, tells_values
from lastro.model.finding import Finding
from lastro.model.plan import Plan, RowRule, TableRule


def hidden_in(rule: RowRule | TableRule, plan: Plan, withheld: frozenset[str]) -> tuple[str, ...]:
    """The withheld columns of which a rule's number could tell a value; none if it only counts.

    Raises `SqlRefused`.
    """
    hidden = {name.casefold() for name in withheld}
    if not hidden or not tells_values(rule, plan):
        return ()
    return tuple(name for name in read_by(rule, plan) if name.casefold() in hidden)


def discreet(
    plan: Plan, withheld: frozenset[str], rules: Iterable[TableRule], findings: Iterable[Finding]
) -> tuple[Finding, ...]:
    """The findings of these rules, without numbers that could tell a withheld value. Raises `SqlRefused`."""
    silent = {rule.name for rule in rules if hidden_in(rule, plan, withheld)}
    return tuple(replace(each, measured=None) if each.rule in silent else each for each in findings)

"""Suggested rules: one in a row, with what speaks for it."""

from __future__ import annotations

from typing import Any

from lastro.model.text import _, ngettext
from lastro.quality.suggestion import Kind, Suggested, Suggestion
from lastro.report.blocks import Blocks, Column, table
from lastro.report.numbers import NOTHING, number

LISTED_MAX = 6


def suggestions(found: Suggested) -> Blocks:
    """One row per rule."""
    if not found.suggestions:
        return ()
    columns = (Column(_("column")), Column(_("rule")), Column(_("suggested because")))
    return (table(columns, [(each.column or NOTHING, _rule(each), each.why) for each in found.suggestions]),)


def suggestions_verdict(found: Suggested) -> str:
    """How many there are, and where they stand now."""
    count = len(found.suggestions)
    if not count and found.written is None:
        return _("{name} has every rule that its versions speak for, or too few rows").format(name=found.dataset)
    if found.written is None:
        sentence = ngettext("{n} rule suggested, nothing written", "{n} rules suggested, nothing written", count)
        return sentence.format(n=number(count))
    sentence = ngettext("{n} rule written to {file}; it warns", "{n} rules written to {file}; they warn", count)
    return sentence.format(n=number(count), file=found.written.name)


def _rule(suggestion: Suggestion) -> str:
    rule = suggestion.rule
    match suggestion.kind:
        case Kind.REQUIRED:
            return _("never missing")
        case Kind.MISSING:
            return _("at most {share} % missing").format(share=number(rule["mustBeLessOrEqualTo"]))
        case Kind.ENUM:
            return _("one of {values}").format(values=_listed(rule["arguments"]["validValues"]))
        case Kind.PATTERN:
            return _("looks like {pattern}").format(pattern=rule["arguments"]["pattern"])
        case Kind.RANGE | Kind.LENGTH:
            return str(rule["implementation"]["expression"])
        case Kind.UNIQUE:
            return _("never repeated")
        case Kind.ROWS:
            return _rows(rule)


def _rows(rule: dict[str, Any]) -> str:  # Any: JSON values
    if "mustBeBetween" not in rule:
        return _("at least {n} rows").format(n=number(rule["mustBeGreaterOrEqualTo"]))
    low, high = rule["mustBeBetween"]
    return _("{low} to {high} rows").format(low=number(low), high=number(high))


def _listed(values: list[str]) -> str:
    return ", ".join(values[:LISTED_MAX]) + (", …" if len(values) > LISTED_MAX else "")

"""`lastro contract`: contracts by themselves, without a workspace."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from lastro.cli.answer import Answer
from lastro.cli.verb import Family, Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import BreakingChange
from lastro.model.text import _, ngettext
from lastro.report.numbers import number

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
command = Family("contract", help=help_text("contract", _("Contracts are Open Data Contract Standard files.")))


@command.command(
    "check",
    cls=Verb,
    short_help=_("Check one contract."),
    help="\n\n".join(
        [
            _("Check one contract."),
            _(
                "FILE is held against the standard, its rules are compiled and their SQL is checked; nothing is "
                "executed. Each error names line, key and repair."
            ),
        ]
    ),
)
@click.argument("path", metavar=_("FILE"), type=_FILE)
def check(path: Path) -> Answer:
    """Reads, compiles and checks."""
    from lastro import contract
    from lastro.engine.sql.compile import check as check_sql
    from lastro.report.contracts import notes

    found = contract.load(path)
    plan = found.plan()
    check_sql(plan)
    rules = len(plan.row_rules) + len(plan.table_rules)
    columns = ngettext("{n} column", "{n} columns", len(plan.columns)).format(n=number(len(plan.columns)))
    counted = ngettext("{n} rule", "{n} rules", rules).format(n=number(rules))
    return Answer(
        values={
            "file": path,
            "dataset": found.dataset,
            "version": found.version,
            "digest": found.digest,
            "columns": len(plan.columns),
            "rules": rules,
            "upgraded": found.changes,
            "notes": found.notes,
        },
        blocks=lambda: notes(
            [(_("Upgraded while it was read"), found.changes), (_("Kept, but not executed"), found.notes)]
        ),
        verdict=_("{path} is a contract that holds together, for {name}: {columns}, {rules}").format(
            path=path, name=found.dataset, columns=columns, rules=counted
        ),
    )


@command.command(
    "compare",
    cls=Verb,
    short_help=_("Compare two contracts of a dataset."),
    help="\n\n".join(
        [
            _("Compare two contracts of a dataset."),
            _(
                "Every difference is compatible, or breaking for rows that are stored or for those who read them; then "
                "the exit code is 1."
            ),
        ]
    ),
)
@click.argument("before", metavar=_("BEFORE"), type=_FILE)
@click.argument("after", metavar=_("AFTER"), type=_FILE)
def compare(before: Path, after: Path) -> Answer:
    """Compares field by field."""
    from lastro import contract
    from lastro.report.contracts import comparison, comparison_verdict

    found = contract.compare(contract.load(before), contract.load(after))
    return Answer(
        values=found.to_dict(),
        blocks=lambda: comparison(found),
        verdict=comparison_verdict(found),
        next="" if found.breaking else f"lastro contract check {shlex.quote(str(after))}",
        exit_code=BreakingChange.exit_code if found.breaking else 0,
    )

"""`lastro policy`: what policies give to whom, and whether their examples hold."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.arguments import ACTIONS
from lastro.cli.verb import Family, Verb
from lastro.cli.verbs import help_text
from lastro.model.access import Reach
from lastro.model.errors import NotPermitted
from lastro.model.text import _
from lastro.report import policies as report

command = Family(
    "policy",
    help=help_text(
        "policy",
        _(
            "Policies are files in Cedar's language, policies/*.cedar. Where there is one, nothing is read that no "
            "policy and no role of the contract gives, and one that forbids wins."
        ),
    ),
)


@command.command(
    "explain",
    cls=Verb,
    short_help=_("Say of each column who gets what, and why."),
    help="\n\n".join(
        [
            _("Say of each column who gets what, and why."),
            _("VERSION is NAME, or NAME@REF. Nothing is read; it is about whoever asks, if not --as."),
        ]
    ),
)
@click.argument("reference", metavar=_("VERSION"))
@click.option("--as", "who", metavar=_("NAME"), help=_("Somebody else, with the roles of lastro.yaml."))
@click.option("--purpose", metavar=_("PURPOSE"), help=_("What it would be read for."))
@click.option("--action", type=click.Choice(ACTIONS), default="read", show_default=True, help=_("What would be done."))
def explain(reference: str, who: str | None, purpose: str | None, action: str) -> Answer:
    """Explains a decision."""
    found = lastro.open().explain(reference, who=who, purpose=purpose, act=action)
    columns = found.access.columns
    denied = len(found.access.named(Reach.DENIED))
    name = found.access.asked.principal.name
    told = _("{name} gets {some} of {all} columns of {reference}").format(
        name=name, some=len(columns) - denied, all=len(columns), reference=found.reference
    )
    verdict = _("{name} reads nothing of {reference}").format(name=name, reference=found.reference)
    return Answer(
        values=found.to_dict(),
        blocks=lambda: report.explained(columns, (found.refusal, found.consent)),
        verdict=verdict if found.refusal else told,
        next="lastro policy test",
        exit_code=NotPermitted.exit_code if found.refusal else 0,
    )


@command.command(
    "test",
    cls=Verb,
    short_help=_("Run the examples of policies/*.test.yaml."),
    help="\n\n".join(
        [
            _("Run the examples of policies/*.test.yaml."),
            _("No data is read: an example is about the contract's columns. Exit code 1 if one does not hold."),
        ]
    ),
)
def test() -> Answer:
    """Tests the policies."""
    outcomes = lastro.open().test_policies()
    failed = next((each.example.dataset for each in outcomes if not each.passed), None)
    values = [
        {
            "file": each.example.file,
            "name": each.example.name,
            "passed": each.passed,
            "missed": list(each.missed),
        }
        for each in outcomes
    ]
    return Answer(
        values={"passed": failed is None, "tests": values},
        blocks=lambda: report.tested(outcomes),
        verdict=report.tested_verdict(outcomes),
        next=f"lastro policy explain {failed}" if failed else "",
        exit_code=0 if failed is None else 1,
    )

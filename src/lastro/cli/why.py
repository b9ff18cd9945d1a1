"""`lastro why`: what changed since a derived dataset was built."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report.derived import reasons, why_verdict
from lastro.transform.derived.why import Why
from lastro.workspace.derived import build


@click.command(
    "why",
    cls=Verb,
    help=help_text(
        "why",
        _(
            "Compares code, parameters, upstream versions and contract; reads no data. What keeps it from being built "
            "gives the exit code, too."
        ),
    ),
)
@click.argument("name", metavar=_("NAME"))
def command(name: str) -> Answer:
    """Why a dataset is stale, or not."""
    found = build.why(lastro.open(), name)
    return Answer(
        values=found.to_dict(),
        blocks=lambda: reasons((found,)),
        verdict=why_verdict(found),
        next=_next(found),
        exit_code=0 if found.fault is None else found.fault.exit_code,
    )


def _next(found: Why) -> str:
    if found.fault is not None:
        return found.fault.do
    return f"lastro build {found.dataset}" if found.is_stale else f"lastro log {found.dataset}"

"""`lastro why`: what changed since a derived dataset was built."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report.derived import reasons, why_verdict
from lastro.workspace import build


@click.command(
    "why",
    cls=Verb,
    help=help_text("why", _("Compares code, parameters, upstream versions and contract; reads no data.")),
)
@click.argument("name", metavar=_("NAME"))
def command(name: str) -> Answer:
    """Why a dataset is stale, or not."""
    found = build.why(lastro.open(), name)
    return Answer(
        values=found.to_dict(),
        blocks=lambda: reasons((found,)),
        verdict=why_verdict(found),
        next=f"lastro build {name}" if found.is_stale else f"lastro log {name}",
    )

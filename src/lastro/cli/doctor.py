"""`lastro doctor`: what the workspace promises, what it cannot, and what is to be put right."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report.examined import examined, examined_verdict
from lastro.workspace.access.doctor import Level


@click.command(
    "doctor",
    cls=Verb,
    help=help_text(
        "doctor",
        _(
            "Looks at modes, keys, policies, purposes, the ledger, git, the disk and libraries; reads no row and "
            "changes nothing. Exit code 1 if something is to be put right."
        ),
    ),
)
@click.pass_obj
def command(settings: Settings) -> Answer:
    """Examines the workspace."""
    with working(_("looking"), settings):
        found = lastro.open().doctor()
    bad, notes = found.of(Level.BAD), found.of(Level.NOTE)
    rows = [(each.check, each.level.value, each.what, each.do) for each in found.symptoms]
    return Answer(
        values=found.to_dict(),
        blocks=lambda: examined(rows, found.promises, found.cannot),
        verdict=examined_verdict(len(bad), len(notes)),
        next=next((each.do for each in (*bad, *notes) if each.do.startswith("lastro ")), "lastro verify"),
        exit_code=0 if found.passed else 1,
    )

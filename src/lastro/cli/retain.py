"""`lastro retain`: what is past its retention, and its removal."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report import retention as report


@click.command(
    "retain",
    cls=Verb,
    help=help_text(
        "retain",
        _(
            "The contract says how long, by the retention among its slaProperties; its element is the column from "
            "which the time counts. Without --apply, what is past is only counted. A dataset that a law holds keeps "
            "everything (GDPR 5(1)(e), LGPD 15, 16)."
        ),
    ),
)
@click.argument("names", nargs=-1, metavar=_("[NAME]..."))
@click.option("--apply", is_flag=True, help=_("Remove it. Without this, only say what would be removed."))
@click.pass_obj
def command(settings: Settings, names: tuple[str, ...], *, apply: bool) -> Answer:
    """Counts or removes what is past."""
    workspace = lastro.open()
    with working(_("looking"), settings):
        found = workspace.retain(*names, apply=apply)
    due = bool(found.due) and not apply
    return Answer(
        values={"applied": found.applied, "datasets": found.datasets},
        blocks=lambda: report.retention(found),
        verdict=report.verdict(found),
        next=" ".join(["lastro retain", *names, "--apply"]) if due else "",
        exit_code=2 if found.failed else 0,
    )

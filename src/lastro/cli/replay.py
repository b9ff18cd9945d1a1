"""`lastro replay`: the proof that a run's result came from its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report.blocks import Blocks, Column, Line, Title, table
from lastro.report.numbers import number, short_digest

if TYPE_CHECKING:
    from lastro.workspace.training.replay import ReplayResult


@click.command(
    "replay",
    cls=Verb,
    help=help_text(
        "replay",
        _(
            "The digests of its inputs are proven, then its command runs again on the same versions; what differs is "
            "named, with exit code 1. RUN is an id of lastro runs. It runs the recorded command: replay only what you "
            "trust."
        ),
    ),
)
@click.argument("run", metavar=_("RUN"))
@click.pass_obj
def command(settings: Settings, run: str) -> Answer:
    """Proves the inputs and runs the command again."""
    with working(run, settings):
        result = lastro.open().replay(run)
    return Answer(
        values=result.to_dict(),
        blocks=lambda: _report(result),
        verdict=_verdict(run, result),
        next="lastro runs",
    )


def _verdict(run: str, result: ReplayResult) -> str:
    if all(pair.equal for pair in result.metrics):
        return _("{run} gave the same again: same inputs, same parameters, same metrics").format(run=run)
    return _("{run} ran again on the same versions, less the rows that were erased since").format(run=run)


def _report(result: ReplayResult) -> Blocks:
    blocks: Blocks = (
        Title(_("Inputs")),
        table(
            [Column(_("version")), Column(_("digest"))],
            [(used.reference, short_digest(used.digest)) for used in result.inputs],
        ),
    )
    if result.metrics:
        columns = (Column(_("metric")), Column(_("recorded"), right=True), Column(_("again"), right=True))
        rows = ((pair.name, number(pair.before), number(pair.after)) for pair in result.metrics)
        blocks += (Title(_("Metrics")), table(columns, rows))
    if result.notes:
        blocks += (Title(_("What is different, and made no difference")), *(Line(f"  {note}") for note in result.notes))
    return blocks

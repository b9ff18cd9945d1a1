"""`lastro runs`: what was executed with the workspace's data."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import ngettext
from lastro.report import runs as report
from lastro.report.numbers import number


@click.command("runs", cls=Verb, help=help_text("runs"))
def command() -> Answer:
    """Runs, newest first."""
    workspace = lastro.open()
    records = workspace.runs()
    sentence = ngettext("{n} run in {path}", "{n} runs in {path}", len(records))
    return Answer(
        values={"runs": [report.run_values(record) for record in records]},
        blocks=lambda: report.runs(records) if records else (),
        verdict=sentence.format(n=number(len(records)), path=workspace.root),
        next=f"lastro replay {records[0].id}" if records else "",
    )

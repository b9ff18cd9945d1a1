"""`lastro lock`: the versions that a commit of the code goes with."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _, ngettext
from lastro.report import locked as report
from lastro.report.numbers import number


@click.command(
    "lock",
    cls=Verb,
    help=help_text(
        "lock", _("Commit the file with the code that goes with the data. Locked versions are never collected.")
    ),
)
def command() -> Answer:
    """Locks every dataset at its newest version."""
    result = lastro.open().lock()
    count = len(result.locked)
    sentence = ngettext("{n} dataset is locked in {path}", "{n} datasets are locked in {path}", count)
    return Answer(
        values=result.to_dict(),
        blocks=lambda: report.changes(result),
        verdict=sentence.format(n=number(count), path=result.path.name),
        next=f"git add {result.path.name}",
    )

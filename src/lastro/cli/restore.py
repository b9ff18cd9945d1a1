"""`lastro restore`: an earlier version becomes the newest again."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import exact
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report.numbers import number


@click.command(
    "restore",
    cls=Verb,
    help=help_text(
        "restore",
        _("It becomes a new version; the history stays as it is."),
    ),
)
@click.argument("reference", metavar="NAME@REF")
@click.pass_obj
def command(settings: Settings, reference: str) -> Answer:
    """Commits the earlier version's rows as a new version."""
    name, selector = exact(reference)
    dataset = lastro.open().dataset(name)
    with working(reference, settings):
        info = dataset.restore(selector)
    sentence = _("{name} is at version {n}, which holds the rows of {reference} again")
    return Answer(
        values={"dataset": name, "version": info.number, "digest": info.digest, "restored": reference},
        verdict=sentence.format(name=name, n=number(info.number), reference=reference),
        next=f"lastro log {name}",
    )

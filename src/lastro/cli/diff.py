"""`lastro diff`: what differs between two versions."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import purpose_option
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report.difference import difference, difference_verdict


@click.command(
    "diff",
    cls=Verb,
    help=help_text(
        "diff",
        _(
            "BEFORE and AFTER are numbers, tags, dates, digests or 'latest'. Rows are matched by the primary key; the "
            "examples are people's data, and --limit 0 leaves them out."
        ),
    ),
)
@click.argument("name", metavar=_("NAME"))
@click.argument("before", metavar=_("BEFORE"))
@click.argument("after", metavar=_("AFTER"))
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help=_("Show at most N differing rows."),
)
@purpose_option()
@click.pass_obj
def command(settings: Settings, name: str, before: str, after: str, limit: int) -> Answer:
    """Compares schema, rows, cells and numbers."""
    dataset = lastro.open().dataset(name)
    with working(name, settings):
        found = dataset.diff(before, after, limit=limit)
    values = found.to_dict()
    values["columns"] = values.pop("schema")  # `schema` names the object's own
    return Answer(
        values=values,
        blocks=lambda: difference(found),
        verdict=difference_verdict(found),
        next=f"lastro log {name}" if found.equal else f"lastro tag {name} {_('TAG')}",
    )

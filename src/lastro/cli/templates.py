"""`lastro templates`: what the messages of a version have in common."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import purpose_option
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report.templates import Counted, templates, templates_verdict


@click.command(
    "templates",
    cls=Verb,
    help=help_text(
        "templates",
        _(
            "A template is a sentence with wildcards for what varies. One that few rows have may tell of people: those "
            "of fewer rows than --minimum are counted together, as <*>. Nothing is written."
        ),
    ),
)
@click.argument("reference", metavar="NAME@REF")
@click.option("--column", required=True, metavar=_("COLUMN"), help=_("The column of text."))
@click.option("--time", metavar=_("COLUMN"), help=_("When each row was; else rows are numbered, from 0."))
@click.option(
    "--similarity",
    type=float,
    default=0.6,
    show_default=True,
    metavar="S",
    help=_("The share of equal words that makes two messages alike."),
)
@click.option(
    "--minimum",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    metavar="N",
    help=_("Tell only templates of at least N rows."),
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help=_("Show at most N templates, the most frequent first."),
)
@purpose_option()
@click.pass_obj
def command(
    settings: Settings, reference: str, column: str, time: str | None, similarity: float, minimum: int, limit: int
) -> Answer:
    """Counts the templates of one column."""
    version = lastro.open().version(reference)
    with working(reference, settings):
        counts = lastro.templates(version, column, time=time, similarity=similarity, minimum=minimum).counts()
    found = sorted((Counted(**row) for row in counts.to_pylist()), key=lambda one: (-one.count, one.template_id))
    messages, told = sum(one.count for one in found), sum(one.template_id > 0 for one in found)
    return Answer(
        values={
            "reference": version.reference,
            "digest": version.digest,
            "column": column,
            "messages": messages,
            "missing": len(version) - messages,
            "found": told,
            "templates": found[:limit],
        },
        blocks=lambda: templates(found[:limit], messages),
        verdict=templates_verdict(version.reference, told, messages),
        next=f"lastro log {version.info.dataset}",
    )

"""`lastro reveal`: tokens turned back into values, for a purpose, on record."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.arguments import purpose_option
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.reference import Reference
from lastro.model.text import _, ngettext
from lastro.report.numbers import number
from lastro.report.vault import revealed


@click.command(
    "reveal",
    cls=Verb,
    help=help_text(
        "reveal",
        _(
            "Shows people's data: the columns with tokens, as values, of the rows that are named. Who asked, for which "
            "purpose, and for how many rows is in the ledger before anything is shown."
        ),
    ),
)
@click.argument("reference", metavar="NAME@REF")
@click.option(
    "--token", "tokens", multiple=True, metavar=_("TOKEN"), help=_("Rows in which this token stands; may be repeated.")
)
@click.option("--where", metavar=_("CONDITION"), help=_("Only rows for which this SQL condition is true."))
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help=_("Show at most N rows.")
)
@purpose_option()
def command(reference: str, tokens: tuple[str, ...], where: str | None, limit: int) -> Answer:
    """Reveals rows."""
    if not tokens and where is None:
        raise UsageError(_("nothing says which rows"), do=_("name them: --token TOKEN, or --where CONDITION"))
    name = Reference.parse(reference).name
    selector = reference.partition("@")[2] or "latest"
    found = lastro.open().dataset(name).reveal(selector, tokens=tokens, where=where, limit=limit)
    sentence = ngettext(
        "{n} of {total} row of {reference} is revealed for {purpose}",
        "{n} of {total} rows of {reference} are revealed for {purpose}",
        found.total,
    )
    return Answer(
        values={
            "reference": found.reference,
            "purpose": found.purpose,
            "columns": found.columns,
            "total": found.total,
            "rows": list(found.rows),
        },
        blocks=lambda: revealed(found.columns, found.rows),
        verdict=sentence.format(
            n=number(len(found.rows)), total=number(found.total), reference=found.reference, purpose=found.purpose
        ),
        next="lastro ledger show --action reveal",
    )

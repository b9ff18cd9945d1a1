"""`lastro add`: a source becomes a dataset."""

from __future__ import annotations

from typing import Any

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import setting
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Line, Title


@click.command(
    "add",
    cls=Verb,
    help=help_text(
        "add",
        _(
            "LOCATION is a file, a pattern such as 'logs/*.log.gz', a database or an address. Nothing is ingested yet: "
            "read the contract first, above all what it guessed."
        ),
    ),
)
@click.argument("location", metavar=_("LOCATION"))
@click.option("--as", "name", required=True, metavar=_("NAME"), help=_("The dataset's name."))
@click.option(
    "--mode", type=click.Choice(["append", "overwrite", "upsert"]), help=_("How later batches change the dataset.")
)
@click.option(
    "--option",
    "options",
    multiple=True,
    type=setting,
    metavar=_("KEY=VALUE"),
    help=_("An option of the source, such as format=csv; may be repeated."),
)
@click.pass_obj
def command(
    settings: Settings,
    location: str,
    name: str,
    mode: str | None,
    options: tuple[tuple[str, Any], ...],  # Any: JSON values
) -> Answer:
    """Infers a contract and enters the dataset in `lastro.yaml`."""
    workspace = lastro.open()
    with working(name, settings):
        added = workspace.add(location, name=name, mode=mode, options=dict(options))
    sentence = ngettext(
        "{name} is added with {n} column; its contract is {path}",
        "{name} is added with {n} columns; its contract is {path}",
        added.columns,
    )
    return Answer(
        values=added.to_dict(),
        blocks=lambda: _notes(added.notes),
        verdict=sentence.format(name=name, n=added.columns, path=added.contract),
        next=f"lastro ingest {name}",
    )


def _notes(notes: tuple[str, ...]) -> Blocks:
    if not notes:
        return ()
    return Title(_("Look at these before you trust the contract")), *(Line(f"  ! {note}") for note in notes)

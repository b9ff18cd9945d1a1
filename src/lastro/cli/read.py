"""`lastro read`: a version's rows in a file."""

from __future__ import annotations

from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import purpose_option
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _, ngettext
from lastro.report.numbers import number, size
from lastro.report.policies import handed


@click.command(
    "read",
    cls=Verb,
    help=help_text(
        "read",
        _(
            "The file's name says its form: .parquet, .csv, .jsonl or .arrow. Every byte that is read is checked "
            "against what was committed."
        ),
    ),
)
@click.argument("reference", metavar="NAME@REF")
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar=_("FILE"),
    help=_("The file to write."),
)
@click.option("--columns", metavar="A,B,…", help=_("Only these columns, in this order."))
@click.option("--where", metavar=_("CONDITION"), help=_("Only rows for which this SQL condition is true."))
@purpose_option()
@click.pass_obj
def command(settings: Settings, reference: str, target: Path, columns: str | None, where: str | None) -> Answer:
    """Writes the rows, verified."""
    version = lastro.open().version(reference)
    chosen = None if columns is None else [name.strip() for name in columns.split(",") if name.strip()]
    if chosen is not None and not chosen:
        raise UsageError(_("--columns names no column"), do=_("write --columns a,b or leave it out"))
    with working(reference, settings):
        rows = version.write(target, columns=chosen, where=where)
    count = target.stat().st_size
    denied = [] if chosen else [name for name in version.columns if name not in version.readable]
    masked = [name for name in version.masked if name in (chosen or version.columns)]
    sentence = ngettext(
        "{n} row of {reference} is in {path} ({size})", "{n} rows of {reference} are in {path} ({size})", rows
    )
    return Answer(
        values={
            "reference": version.reference,
            "digest": version.digest,
            "file": target,
            "rows": rows,
            "bytes": count,
            "denied": denied,
            "masked": masked,
        },
        blocks=lambda: handed(denied, masked),
        verdict=sentence.format(n=number(rows), reference=version.reference, path=target, size=size(count)),
        next=f"lastro log {version.info.dataset}",
    )

"""`lastro lineage`: where a version comes from, and what came of it."""

from __future__ import annotations

from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, UsageError
from lastro.model.lineage import Lineage
from lastro.model.text import _
from lastro.report import drawing
from lastro.report import lineage as report
from lastro.workspace import configuration


@click.command(
    "lineage",
    cls=Verb,
    help=help_text(
        "lineage",
        _(
            "REFERENCE is NAME, or NAME@ and a number, tag, date or digest. Upstream are sources, steps, versions and "
            "runs, as far back as they are recorded; downstream the runs that read the version, and the datasets whose "
            "newest version was made from it. Columns are known where SQL made them. Reads no data."
        ),
    ),
)
@click.argument("reference", metavar=_("REFERENCE"))
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), help=_("Draw the graph into this new file, too.")
)
@click.option("--columns", is_flag=True, help=_("Show what each column of the version was made from."))
@click.option("--column", metavar=_("NAME"), help=_("Follow one column, up to the sources and down to its uses."))
def command(reference: str, svg: Path | None, columns: bool, column: str | None) -> Answer:
    """The graph around one version, or one of its columns."""
    if columns and column is not None:
        raise UsageError(
            _("--columns and --column exclude each other"),
            do=_("ask for all columns, or follow one"),
        )
    workspace = lastro.open()
    found = workspace.lineage(reference, column=column)
    if svg is not None:
        _draw(found, svg)
    values = {**found.to_dict(), "columns": None, "svg": svg}
    following = f"lastro log {found.start.name.partition('@')[0]}"
    if not columns:
        verdict = report.lineage_verdict(found)
        return Answer(values=values, blocks=lambda: report.lineage(found), verdict=verdict, next=following)
    origins = workspace.columns(reference)
    return Answer(
        values={**values, "columns": [one.to_dict() for one in origins]},
        blocks=lambda: report.columns(found.start.name, origins),
        verdict=report.columns_verdict(found.start.name, origins),
        next=following,
    )


def _draw(found: Lineage, svg: Path) -> None:
    if svg.exists():
        raise ConfigurationError(
            _("{path} is there already").format(path=svg), do=_("choose another name, or remove it first")
        )
    with configuration.writing(svg):
        write_durably(svg, drawing.to_svg(found).encode())

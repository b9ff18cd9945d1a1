"""`lastro lineage`: where a version comes from, and what came of it."""

from __future__ import annotations

from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _
from lastro.report import drawing
from lastro.report import lineage as report
from lastro.workspace.configuration import write_new


@click.command(
    "lineage",
    cls=Verb,
    help=help_text(
        "lineage",
        _(
            "REFERENCE is NAME, or NAME@ and a number, tag, date or digest. Upstream are sources, steps, versions and "
            "runs, as far back as they are recorded; downstream the runs that read the version, and the datasets whose "
            "newest version was made from it. Columns are known where SQL made them. Reads no data. "
            "With --import, REFERENCE is left out: FILE holds OpenLineage's run events, one a line or as a list."
        ),
    ),
)
@click.argument("reference", metavar=_("[REFERENCE]"), required=False)
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), help=_("Draw the graph into this new file, too.")
)
@click.option("--columns", is_flag=True, help=_("Show what each column of the version was made from."))
@click.option("--column", metavar=_("NAME"), help=_("Follow one column, up to the sources and down to its uses."))
@click.option(
    "--import",
    "file",
    type=click.Path(path_type=Path),
    metavar=_("FILE"),
    help=_("Take in what other programs read and wrote, from their events."),
)
def command(reference: str | None, svg: Path | None, columns: bool, column: str | None, file: Path | None) -> Answer:
    """The graph around one version, or one of its columns; or events of others are taken in."""
    if (reference is None) == (file is None) or (file is not None and (svg or columns or column is not None)):
        raise UsageError(
            _("either a reference, with its options, or --import"),
            do=_("name a dataset, or a file with the events of other programs"),
        )
    if file is not None:
        return _import(file)
    return _show(reference or "", svg, columns, column)


def _import(file: Path) -> Answer:
    found = lastro.open().take_lineage(file)
    return Answer(
        values=found.to_dict(),
        blocks=lambda: report.imported(found.new, found.known, found.skipped, found.own),
        verdict=report.imported_verdict(found.new, found.datasets),
        next=f"lastro lineage {found.datasets[0]}" if found.datasets else "lastro log",
        schema="lastro.lineage.import/1",
    )


def _show(reference: str, svg: Path | None, columns: bool, column: str | None) -> Answer:
    if columns and column is not None:
        raise UsageError(
            _("--columns and --column exclude each other"),
            do=_("ask for all columns, or follow one"),
        )
    workspace = lastro.open()
    found = workspace.lineage(reference, column=column)
    if svg is not None:
        write_new(svg, drawing.to_svg(found))
    values = {**found.to_dict(), "columns": None, "svg": svg}
    following = f"lastro log {found.start.name.partition('@')[0]}"
    if not columns:
        verdict = report.lineage_verdict(found)
        return Answer(values=values, blocks=lambda: report.lineage(found), verdict=_drawn(verdict, svg), next=following)
    origins = workspace.columns(reference)
    return Answer(
        values={**values, "columns": [one.to_dict() for one in origins]},
        blocks=lambda: report.columns(found.start.name, origins),
        verdict=_drawn(report.columns_verdict(found.start.name, origins), svg),
        next=following,
    )


def _drawn(verdict: str, svg: Path | None) -> str:
    return verdict if svg is None else _("{verdict}; drawn into {path}").format(verdict=verdict, path=svg)

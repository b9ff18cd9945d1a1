"""`lastro lineage`: where a version comes from, and what came of it."""

from __future__ import annotations

from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError
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
            "newest version was made from it. Reads no data."
        ),
    ),
)
@click.argument("reference", metavar=_("REFERENCE"))
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), help=_("Draw the graph into this new file, too.")
)
def command(reference: str, svg: Path | None) -> Answer:
    """The graph around one version."""
    found = lastro.open().lineage(reference)
    if svg is not None:
        if svg.exists():
            raise ConfigurationError(
                _("{path} is there already").format(path=svg), do=_("choose another name, or remove it first")
            )
        with configuration.writing(svg):
            write_durably(svg, drawing.to_svg(found).encode())
    return Answer(
        values={**found.to_dict(), "svg": svg},
        blocks=lambda: report.lineage(found),
        verdict=report.lineage_verdict(found),
        next=f"lastro log {found.start.name.partition('@')[0]}",
    )

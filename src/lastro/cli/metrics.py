"""`lastro metrics`: the datasets' numbers as Prometheus reads them."""

from __future__ import annotations

from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.durable import write_durably
from lastro.model.text import _, ngettext
from lastro.report.numbers import number
from lastro.report.prometheus import exposition
from lastro.workspace import configuration
from lastro.workspace.monitoring.metrics import families


@click.command(
    "metrics",
    cls=Verb,
    help=help_text(
        "metrics",
        _(
            "The text is Prometheus's own (exposition format 0.0.4). With --output it replaces a file in one step, as "
            "the textfile collector of the node exporter wants it: the name should end in .prom."
        ),
    ),
)
@click.argument("names", metavar=_("[NAME]..."), nargs=-1)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help=_("Write into this file."))
def command(names: tuple[str, ...], output: Path | None) -> Answer:
    """Rows, sizes, freshness, quarantine and the last round of every dataset."""
    found = lastro.open().status(*names)
    told = families(found)
    text = exposition(told)
    if output is not None:
        with configuration.writing(output):
            write_durably(output, text.encode())
    sentence = ngettext("{n} dataset measured", "{n} datasets measured", len(found))
    samples = [
        {"name": family.name, "labels": dict(sample.labels), "value": sample.value}
        for family in told
        for sample in family.samples
    ]
    return Answer(
        values={"samples": samples, "output": output},
        verdict=sentence.format(n=number(len(found))),
        next="lastro status",
        text=text if output is None else "",
    )

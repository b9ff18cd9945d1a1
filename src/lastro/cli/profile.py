"""`lastro profile`: every column of a version in numbers."""

from __future__ import annotations

from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report.profiles import profile, profile_html, profile_verdict
from lastro.workspace.configuration import write_new


@click.command(
    "profile",
    cls=Verb,
    help=help_text(
        "profile",
        _(
            "VERSION is NAME, or NAME@REF with a number, tag, date or digest. The profile was counted when the version "
            "was made, so that nothing is read; only of older versions it is counted now. Numbers of a text column are "
            "about its length in characters. Of columns that the contract classifies, only the missing are told."
        ),
    ),
)
@click.argument("reference", metavar=_("VERSION"))
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help=_("Write the profile into this new file, too, as a page with pictures that needs no network."),
)
@click.pass_obj
def command(settings: Settings, reference: str, html: Path | None) -> Answer:
    """Shows missing values, distributions and frequent values."""
    name, _at, selector = reference.partition("@")
    with working(name, settings):
        found = lastro.open().dataset(name).profile(selector or "latest")
    verdict = profile_verdict(found.info.reference, found.summary)
    if html is not None:
        write_new(html, profile_html(found.summary, found.info.reference))
        verdict = _("{verdict}; written to {path}").format(verdict=verdict, path=html)
    return Answer(
        values={**found.to_dict(), "html": html},
        blocks=lambda: profile(found.summary),
        verdict=verdict,
        next=f"lastro log {name}",
    )

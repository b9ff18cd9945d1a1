"""`lastro classify`: which columns are personal."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _
from lastro.report.classes import classes, classes_verdict


@click.command(
    "classify",
    cls=Verb,
    help=help_text(
        "classify",
        _(
            "VERSION is NAME, or NAME@REF with a number, tag, date or digest. Some of its rows are looked at: check "
            "digits, forms, names of people, identifiers inside of texts. Shown are shares and counts, never a value. "
            "What is not confirmed stays restricted. In a contract with classes, so does every column without one."
        ),
    ),
)
@click.argument("reference", metavar=_("VERSION"))
@click.option("--write", is_flag=True, help=_("Write the proposals into the contract, to be confirmed."))
@click.option(
    "--confirm", "confirmed", multiple=True, metavar=_("COLUMN"), help=_("Confirm this proposal; may be repeated.")
)
@click.option("--all", "everything", is_flag=True, help=_("Confirm every proposal."))
@click.option(
    "--as",
    "said",
    multiple=True,
    metavar=_("COLUMN=CLASS[:KIND]"),
    help=_("Say what a column is, whatever is proposed; may be repeated."),
)
@click.pass_obj
def command(
    settings: Settings, reference: str, write: bool, confirmed: tuple[str, ...], everything: bool, said: tuple[str, ...]
) -> Answer:
    """Proposes, and writes what was asked for."""
    overruled = dict(map(_pair, said))
    if everything and confirmed:
        raise UsageError(_("--all and --confirm exclude each other"), do=_("confirm all, or name the columns"))
    name, _at, selector = reference.partition("@")
    with working(name, settings):
        found = (
            lastro.open()
            .dataset(name)
            .classify(selector or "latest", write=write, confirm=everything or confirmed, said=overruled)
        )
    following = f"lastro classify {reference} --write" if not found.classes else f"lastro classify {reference} --all"
    is_done = all(each.is_settled for each in found.classes) and found.classes
    return Answer(
        values=found.to_dict(),
        blocks=lambda: classes(found),
        verdict=classes_verdict(found),
        next="lastro report data-map" if is_done else following,
    )


def _pair(text: str) -> tuple[str, str]:
    column, sign, of = text.rpartition("=")
    if not (sign and column and of):
        raise UsageError(
            _("{text!r} does not say which column is what").format(text=text[:80]),
            do=_("write --as cpf=identifier:cpf"),
        )
    return column, of

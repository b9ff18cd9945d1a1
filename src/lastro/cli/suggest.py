"""`lastro suggest`: rules that a dataset's versions speak for."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _
from lastro.report.suggestions import suggestions, suggestions_verdict


@click.command(
    "suggest",
    cls=Verb,
    help=help_text(
        "suggest",
        _(
            "VERSION is NAME, or NAME@REF with a number, tag, date or digest; several must be of one dataset. A rule "
            "is suggested if each of them keeps it and the contract has none of its kind. Written rules only warn, and "
            "carry what they were made from: nothing is refused by a guess. Of columns that the contract classifies, "
            "only the missing are looked at."
        ),
    ),
)
@click.argument("references", metavar=_("VERSION..."), nargs=-1, required=True)
@click.option("--write", is_flag=True, help=_("Write the rules into the contract, as warnings."))
@click.pass_obj
def command(settings: Settings, references: tuple[str, ...], write: bool) -> Answer:
    """Suggests, and writes if asked to."""
    pairs = [reference.partition("@") for reference in references]
    name = pairs[0][0]
    other = next((each for each, _at, _selector in pairs if each != name), None)
    if other is not None:
        raise UsageError(
            _("{name} and {other} are two datasets, and rules are suggested for one").format(name=name, other=other),
            do=_("name versions of one dataset"),
        )
    with working(name, settings):
        found = lastro.open().dataset(name).suggest(*[selector or "latest" for *_at, selector in pairs], write=write)
    following = (
        f"lastro suggest {' '.join(references)} --write" if not found.written else f"lastro ingest {name} --plan"
    )
    return Answer(
        values=found.to_dict(),
        blocks=lambda: suggestions(found),
        verdict=suggestions_verdict(found),
        next=following if found.suggestions else "",
    )

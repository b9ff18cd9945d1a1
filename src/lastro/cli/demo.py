"""`lastro demo`: the whole story, told as it happens."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from lastro.cli.answer import Answer, Settings
from lastro.cli.show import page_for, write
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _


@click.command(
    "demo",
    cls=Verb,
    help=help_text(
        "demo",
        _(
            "DIR is a new or an empty folder. An invented lender ingests loans, customers and access logs, sets faulty "
            "rows aside, trains a model, takes in the next month, and replays the training from the same data."
        ),
    ),
)
@click.argument("folder", metavar=_("DIR"), type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def command(settings: Settings, folder: Path) -> Answer:
    """Tells the story a step at a time, as each happens."""
    from lastro.demo.story import tell

    silent = settings.json or settings.quiet
    tell(folder, out=_nobody if silent else _aloud, page=page_for(sys.stdout, settings))
    return Answer(
        values={"workspace": folder.resolve()},
        verdict=_("{path} is a workspace with the story's datasets").format(path=folder),
        next=f"lastro -C {shlex.quote(str(folder))} log",
    )


def _aloud(text: str) -> None:
    write(text, sys.stdout)


def _nobody(_text: str) -> None:
    pass

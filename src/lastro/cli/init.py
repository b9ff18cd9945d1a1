"""`lastro init`: an empty workspace."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _


@click.command(
    "init",
    cls=Verb,
    help=help_text(
        "init",
        _("DIR is made if it does not exist; without DIR, this folder becomes the workspace."),
    ),
)
@click.argument("folder", metavar=_("[DIR]"), default=".", type=click.Path(path_type=Path))
def command(folder: Path) -> Answer:
    """Makes `lastro.yaml`, the contracts' folder and what else a workspace needs."""
    workspace = lastro.init(folder)
    enter = "" if folder == Path() else f"-C {shlex.quote(str(folder))} "
    return Answer(
        values={"workspace": workspace.root},
        verdict=_("{path} is a workspace without datasets").format(path=workspace.root),
        next=f"lastro {enter}add {_('LOCATION')} --as {_('NAME')}",
    )

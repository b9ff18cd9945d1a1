"""`lastro emit`: the schedule, in the words of what people already run."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.period import parse_period
from lastro.model.text import _
from lastro.report.schedules import KINDS, Schedule, emit
from lastro.workspace.configuration import write_new
from lastro.workspace.round import sourced


@click.command(
    "emit",
    cls=Verb,
    help=help_text(
        "emit",
        _("Lastro has no scheduler of its own: this writes the text, and installs nothing. Secrets stay variables."),
    ),
)
@click.argument("kind", type=click.Choice(list(KINDS)), metavar="|".join(KINDS))
@click.option("--every", default="1h", show_default=True, metavar=_("PERIOD"), help=_("How often: 15m, 1h, 1d."))
@click.option("--program", help=_("How lastro is called there; for cron and systemd else its own path."))
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help=_("Write into this new file."))
def command(kind: str, every: str, program: str | None, output: Path | None) -> Answer:
    """The schedule of a workspace for one scheduler."""
    workspace = lastro.open()
    names = sourced(workspace)
    text = emit(kind, Schedule(workspace.root, parse_period(every), names, program or _program(kind)))
    if output is not None:
        write_new(output, text)
    return Answer(
        values={"kind": kind, "every": every, "datasets": names, "text": text, "output": output},
        verdict=_("{kind} schedule written to {path}").format(kind=kind, path=output),
        text=text if output is None else "",
    )


def _program(kind: str) -> str:
    """How lastro is called there: by its path where the scheduler looks in no virtual environment."""
    if kind not in {"cron", "systemd"}:
        return "lastro"
    beside = Path(sys.executable).absolute().with_name("lastro")
    found = str(beside) if beside.is_file() else shutil.which("lastro")
    return str(Path(found).absolute()) if found else "lastro"

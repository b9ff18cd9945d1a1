"""`lastro run`: one round over everything, or a round at every beat."""

from __future__ import annotations

import click

import lastro
from lastro.cli import journal
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.show import show_answer, show_error
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import Locked, StoreError, UsageError
from lastro.model.period import parse_period
from lastro.model.text import _
from lastro.report.rounds import played, played_verdict
from lastro.workspace.loop import Stop, beats, stopping_on_signals
from lastro.workspace.round import play
from lastro.workspace.workspace import Workspace


@click.command(
    "run",
    cls=Verb,
    help=help_text(
        "run",
        _(
            "One round brings every dataset with a source up to date, then builds what is derived and stale; one that "
            "fails stops no other. A workspace has one round at a time. With --every, rounds "
            "follow at a steady beat until SIGTERM or Ctrl-C, which lets the step under way finish; with --json, each "
            "round is one line."
        ),
    ),
)
@click.argument("names", metavar=_("[NAME]..."), nargs=-1)
@click.option("--every", metavar=_("PERIOD"), help=_("Go on: a round every 15m, 1h, 1d."))
@click.option("--retries", default=2, show_default=True, type=click.IntRange(0, 100), help=_("Of a step, per round."))
@click.option("--rounds", type=click.IntRange(1), help=_("With --every: stop after so many."))
@click.pass_obj
def command(settings: Settings, names: tuple[str, ...], every: str | None, retries: int, rounds: int | None) -> Answer:
    """One round, or many."""
    if every is None:
        if rounds is not None:
            raise UsageError(_("--rounds goes with --every"), do="lastro run --every 15m --rounds 4")
        return _round(lastro.open(), names, retries, settings, Stop())
    period, stop = parse_period(every), Stop()
    answer = None
    with stopping_on_signals(stop):
        for beat in beats(period, stop):
            if answer is not None:
                show_answer(answer, "lastro.run/1", settings)
            try:
                answer = _round(lastro.open(), names, retries, settings, stop)
            except Locked as error:  # another process's round is under way, which does the same: this beat is left out
                answer = None
                show_error(error, settings)
            if rounds is not None and beat + 1 >= rounds:
                break
    return answer or Answer(values={"steps": []}, verdict=_("no round was made"), next="lastro status")


def _round(workspace: Workspace, names: tuple[str, ...], retries: int, settings: Settings, stop: Stop) -> Answer:
    found = play(
        workspace, names, retries=retries, working=lambda name: working(name, settings), sleep=stop.wait, stopping=stop
    )
    journal.note(settings.log_json, "round", "run", **found.to_dict())
    told, exit_code = _watch(workspace, names)
    notes = (*found.notes, *told, *workspace.untold.notes())
    return Answer(
        values={**found.to_dict(), "notes": notes},
        blocks=lambda: played(found, notes),
        verdict=played_verdict(found),
        next="lastro status",
        exit_code=max(found.exit_code, exit_code),
    )


def _watch(workspace: Workspace, names: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """Notes of watching, and an exit code. Damaged incidents stop no round: what was ingested is there."""
    from lastro.workspace.monitoring.watch import watch

    try:
        return watch(workspace, workspace.status(*(names or workspace.datasets()))), 0
    except StoreError as error:
        told = _("nobody could be told: {what} ({where}); {do}")
        return (told.format(what=error.what, where=error.where, do=error.do),), error.exit_code

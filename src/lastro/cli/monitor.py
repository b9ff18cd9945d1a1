"""`lastro monitor`: looks with monitors now, or shows the looks that were taken."""

from __future__ import annotations

import click

import lastro
from lastro.catalog.look_record import Look
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import DataRefused, UsageError
from lastro.model.text import _
from lastro.report import looks as report
from lastro.report.blocks import Blocks, Line, Tone
from lastro.workspace.workspace import Workspace


@click.command(
    "monitor",
    cls=Verb,
    help=help_text(
        "monitor",
        _(
            "A look compares what came with the monitor's reference, is recorded, and spends a part of the month's "
            "false-alarm budget; once that is used up, looks are recorded and raise no alarm. Drift becomes an "
            "incident, and whoever is to be told of it is told once. Without names, all monitors of lastro.yaml look. "
            "Exit code 1 says that one found drift, or had no rows to compare."
        ),
    ),
)
@click.argument("names", metavar=_("[NAME]..."), nargs=-1)
@click.option("--past", is_flag=True, help=_("Show the looks that were taken, and take none."))
@click.option("--again", type=click.IntRange(min=0), metavar="N", help=_("Make look N of a monitor again, as a proof."))
@click.pass_obj
def command(settings: Settings, names: tuple[str, ...], *, past: bool, again: int | None) -> Answer:
    """Looks now, or shows past looks."""
    from lastro.workspace.monitoring.watch import tell

    workspace = lastro.open()
    chosen = names or tuple(workspace.settings.monitors)
    if not chosen:
        raise UsageError(
            _("lastro.yaml has no monitors"), do=_("write one there; docs/how-to/monitor-drift.md shows how")
        )
    if again is not None:
        if past or len(chosen) != 1:
            raise UsageError(_("one look is made again"), do=_("write lastro monitor NAME --again N"))
        return _again(workspace, chosen[0], again, settings)
    if past:
        return _answer(tuple(look for name in chosen for look in workspace.looks(name)), (), past=True)
    found = tuple(_look(workspace, name, settings) for name in chosen)
    return _answer(found, tell(workspace), past=False)


def _again(workspace: Workspace, name: str, number: int, settings: Settings) -> Answer:
    recorded = next((look for look in workspace.looks(name) if look.number == number), None)
    with working(name, settings):
        found = workspace.look_again(name, number)
    is_same = found == recorded
    told = _("look {number} comes to the same again") if is_same else _("look {number} comes to something else now")
    return Answer(
        values={"same": is_same, "look": found.to_dict()},
        blocks=lambda: _blocks((found,), past=True),
        verdict=told.format(number=number),
        next=found.command,
        exit_code=0 if is_same else DataRefused.exit_code,
        schema="lastro.monitor.again/1",
    )


def _look(workspace: Workspace, name: str, settings: Settings) -> Look:
    with working(name, settings):
        return workspace.look(name)


def _answer(found: tuple[Look, ...], notes: tuple[str, ...], *, past: bool) -> Answer:
    alarms = [look for look in found if look.alarm]
    is_refused = bool(alarms) or any(look.is_empty for look in found)
    exit_code = max((look.exit_code for look in found), default=0) or (DataRefused.exit_code if is_refused else 0)
    passed = not alarms if past else not exit_code
    return Answer(
        values={"passed": passed, "looks": [look.to_dict() for look in found], "notes": notes},
        blocks=lambda: (*_blocks(found, past=past), *(Line(f"  {note}", Tone.DOUBTFUL) for note in notes)),
        verdict=report.looks_verdict(found),
        next=_next(found, alarms),
        exit_code=0 if past else exit_code,
    )


def _next(found: tuple[Look, ...], alarms: list[Look]) -> str:
    if alarms or not found:
        return "lastro incidents"
    failed = next((look for look in found if look.code), None)
    return found[-1].command if failed is None else f"lastro log {failed.dataset}"


def _blocks(found: tuple[Look, ...], *, past: bool) -> Blocks:
    worst = () if past else tuple(block for look in found if look.alarm for block in report.worst_columns(look))
    return (*(report.looks(found) if found else ()), *worst)

"""`lastro incidents`: what was found, how it stands, and what people did about it."""

from __future__ import annotations

from datetime import datetime

import click

import lastro
from lastro.alert.incident import Action, Incident
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.reference import Moment, Reference
from lastro.model.text import _, ngettext
from lastro.report import incidents as report
from lastro.report.blocks import Line, Tone
from lastro.report.numbers import number
from lastro.workspace.workspace import Workspace

ACTIONS = {
    "ack": Action.ACKNOWLEDGED,
    "assign": Action.ASSIGNED,
    "mute": Action.MUTED,
    "resolve": Action.RESOLVED,
    "reopen": Action.REOPENED,
}


@click.command(
    "incidents",
    cls=Verb,
    help=help_text(
        "incidents",
        _(
            "Alone it lists what is not resolved; with an ID, one incident and its history. ack ID, assign ID, mute "
            "ID, resolve ID and reopen ID change it, each with a --reason, which is kept with who did it and when. An "
            "incident opens again by itself if the same is found again."
        ),
    ),
)
@click.argument("words", metavar=_("[ACTION] [ID]"), nargs=-1)
@click.option("--all", "everything", is_flag=True, help=_("List resolved ones, too."))
@click.option("--reason", metavar=_("TEXT"), help=_("Why, for whoever reads it later."))
@click.option("--until", metavar=_("DATE"), help=_("With mute: until when nothing is said."))
@click.option("--to", metavar=_("NAME"), help=_("With assign: who takes care of it."))
def command(
    words: tuple[str, ...], *, everything: bool, reason: str | None, until: str | None, to: str | None
) -> Answer:
    """Lists, shows or changes incidents."""
    from lastro.workspace.monitoring.watch import tell

    workspace = lastro.open()
    match words:
        case ():
            _refuse_options(reason, until, to)
            return _list(workspace, everything=everything)
        case (action,) if action in ACTIONS:
            raise UsageError(
                _("which incident?"),
                do=_("write lastro incidents {action} ID --reason TEXT; lastro incidents lists them").format(
                    action=action
                ),
            )
        case (given,):
            _refuse_options(reason, until, to)
            return _shown(workspace, workspace.incident(_number(given)), ())
        case (action, given) if action in ACTIONS and not everything:
            moment = None if until is None else _moment(until)
            changed = workspace.change_incident(
                _number(given), ACTIONS[action], reason=reason or "", until=moment, to=to or ""
            )
            return _shown(workspace, changed, tell(workspace))
    raise UsageError(
        _("that is no change of an incident"),
        do=_("use one of {names}, then the incident's ID").format(names=", ".join(ACTIONS)),
    )


def _list(workspace: Workspace, *, everything: bool) -> Answer:
    found, now = workspace.incidents(everything=everything), workspace.clock()
    sentence = ngettext("{n} incident", "{n} incidents", len(found))
    if not everything:
        sentence = ngettext("{n} incident is not resolved", "{n} incidents are not resolved", len(found))
    return Answer(
        values={"incidents": [report.incident_values(one, now) for one in found]},
        blocks=lambda: report.incidents(found, now) if found else (),
        verdict=sentence.format(n=number(len(found))),
        next=f"lastro incidents {found[0].number}" if found else "lastro incidents --all",
    )


def _shown(workspace: Workspace, one: Incident, notes: tuple[str, ...]) -> Answer:
    now = workspace.clock()
    state = report.state_text(one.state(now))
    return Answer(
        values={"incident": report.incident_values(one, now), "notes": notes},
        blocks=lambda: (*report.incident(one, now), *(Line(f"  {note}", Tone.DOUBTFUL) for note in notes)),
        verdict=_("incident {number} is {state}").format(number=number(one.number), state=state),
        next=one.opening.do or "lastro incidents",
        schema="lastro.incidents.one/1",
    )


def _refuse_options(*given: str | None) -> None:
    if any(value is not None for value in given):
        raise UsageError(
            _("--reason, --until and --to are for changes"),
            do=_("say which: lastro incidents ack ID --reason TEXT"),
        )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise UsageError(
            _("{text!r} is no incident's ID").format(text=text[:80]), do=_("lastro incidents --all lists them")
        )
    return int(text)


def _moment(text: str) -> datetime:
    """A date (until its end) or a moment. Raises `UsageError`, `NameRefused`."""
    selector = Reference.parse(f"x@{text}").selector
    if not isinstance(selector, Moment):
        raise UsageError(_("{text!r} is not a date").format(text=text[:80]), do=_("write --until 2026-12-31"))
    return selector.moment

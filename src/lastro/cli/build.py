"""`lastro build`: what is stale among derived datasets is made anew."""

from __future__ import annotations

import click

import lastro
from lastro.cli import journal
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.status import Outcome, Round
from lastro.model.text import _, ngettext
from lastro.report.derived import reasons
from lastro.report.numbers import number
from lastro.report.rounds import played, played_verdict
from lastro.transform.derived.intervals import Asked, asked
from lastro.workspace.derived import build
from lastro.workspace.workspace import Workspace


@click.command(
    "build",
    cls=Verb,
    help=help_text(
        "build",
        _(
            "A dataset is derived by a file in transforms/: NAME.sql holds one SELECT, NAME.py a function. With NAME, "
            "it and all that it is made from are built; without, everything. Steps run one after another; what is made "
            "from a step that failed is skipped, and the exit code is that of the first failure. Of a step that is "
            "made by intervals, the missing ones are made; with --from, --to or --all, those of NAME that are missing "
            "or outdated."
        ),
    ),
)
@click.argument("names", metavar=_("[NAME]..."), nargs=-1)
@click.option("--plan", is_flag=True, help=_("Show what would be built and why, and build nothing."))
@click.option("--from", "start", metavar=_("MOMENT"), help=_("Make NAME's intervals from here on: 2026-01-31, in UTC."))
@click.option("--to", "end", metavar=_("MOMENT"), help=_("And that end by here; without, all that are over."))
@click.option("--all", "everything", is_flag=True, help=_("Make all of NAME's intervals that are outdated."))
@click.option("--anew", is_flag=True, help=_("Let the first of them replace all rows, of whatever columns."))
@click.option("--retries", default=0, show_default=True, type=click.IntRange(0, 100), help=_("Of a step."))
@click.pass_obj
def command(
    settings: Settings,
    names: tuple[str, ...],
    plan: bool,
    start: str | None,
    end: str | None,
    everything: bool,
    anew: bool,
    retries: int,
) -> Answer:
    """Builds, or plans to."""
    workspace = lastro.open()
    intervals = asked(start, end, everything=everything, anew=anew)
    if plan:
        return _plan(workspace, names, intervals)
    found = build.build(
        workspace, names, asked=intervals, retries=retries, working=lambda name: working(name, settings)
    )
    journal.note(settings.log_json, "built", "build", **found.to_dict())
    notes = workspace.untold.notes()
    return Answer(
        values={**found.to_dict(), "notes": notes},
        blocks=lambda: played(found, notes) if found.steps else (),
        verdict=played_verdict(found) if found.steps else _("there is nothing to build: transforms/ has no file"),
        next=_next(found, workspace),
        exit_code=_exit_code(found),
    )


def _plan(workspace: Workspace, names: tuple[str, ...], intervals: Asked) -> Answer:
    found = build.plan(workspace, names, asked=intervals)
    stale = sum(one.is_stale for one in found)
    sentence = ngettext("{n} dataset, {stale} to be built", "{n} datasets, {stale} to be built", len(found))
    return Answer(
        values={"steps": [one.to_dict() for one in found]},
        blocks=lambda: reasons(found) if found else (),
        verdict=sentence.format(n=number(len(found)), stale=number(stale)),
        next=" ".join(["lastro build", *names, *_options(intervals)]) if stale else "",
        schema="lastro.build.plan/1",
    )


def _options(intervals: Asked) -> list[str]:
    """The options that ask for these intervals, so that what is told next does what was planned."""
    given = {"--from": intervals.start, "--to": intervals.end}
    found = [f"{option} {moment:%Y-%m-%dT%H:%MZ}" for option, moment in given.items() if moment is not None]
    flags = {"--all": intervals.everything, "--anew": intervals.anew}
    return [*(one.removesuffix("T00:00Z") for one in found), *(flag for flag, given in flags.items() if given)]


def _exit_code(found: Round) -> int:
    return next((step.exit_code for step in found.steps if step.outcome is Outcome.FAILED), 0)


def _next(found: Round, workspace: Workspace) -> str:
    for step in found.steps:
        if step.outcome is Outcome.FAILED:
            is_derived = workspace.dataset(step.dataset).entry.derived
            return f"lastro {'why' if is_derived else 'flatten'} {step.dataset}"
    aside = next((step.dataset for step in found.steps if step.quarantined), "")
    return f"lastro quarantine {aside}" if aside else "lastro log"

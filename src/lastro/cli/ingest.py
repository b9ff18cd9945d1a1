"""`lastro ingest`: what is new at the sources becomes new versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import lastro
from lastro.cli import journal
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.show import show_error
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import LastroError
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Line, Title, Tone
from lastro.report.ingested import ingested, ingested_verdict, is_drifted
from lastro.report.numbers import number
from lastro.report.plans import plan_blocks, plan_values
from lastro.report.troubles import leading

if TYPE_CHECKING:
    from lastro.pipeline.result import IngestResult
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace


@click.command(
    "ingest",
    cls=Verb,
    help=help_text(
        "ingest",
        _(
            "Without NAME, all datasets that are not derived are ingested; one that fails does not stop the others. A "
            "source with nothing new makes no version."
        ),
    ),
)
@click.argument("names", metavar=_("[NAME]..."), nargs=-1)
@click.option("--plan", is_flag=True, help=_("Show what would be done, and do nothing."))
@click.option(
    "--mode",
    type=click.Choice(["append", "overwrite", "upsert", "snapshot", "scd2"]),
    help=_("How this batch changes the dataset; else as lastro.yaml says."),
)
@click.option(
    "--schema-change",
    type=click.Choice(["evolve", "freeze", "discard_value", "quarantine"]),
    help=_("What becomes of this batch if the source's columns changed; else as lastro.yaml says."),
)
@click.option(
    "--source-is",
    type=click.Choice(["same", "another"]),
    help=_("Of a source with a new path or name, for append: go on after what was read, or read it from its start."),
)
@click.pass_obj
def command(
    settings: Settings,
    names: tuple[str, ...],
    plan: bool,
    mode: str | None,
    schema_change: str | None,
    source_is: str | None,
) -> Answer:
    """Ingests one dataset, several, or all."""
    workspace = lastro.open()
    chosen = names or tuple(name for name, entry in workspace.settings.datasets.items() if not entry.derived)
    asked = {"mode": mode, "schema_change": schema_change, "source_is": source_is}
    if plan:
        return _plans(workspace, chosen, asked)
    results: list[IngestResult] = []
    errors: dict[str, LastroError] = {}
    for name in chosen:
        try:
            with working(name, settings) as told:
                dataset = workspace.dataset(name)
                results.append(dataset.ingest(progress=told, **asked))
            journal.note(settings.log_json, "ingested", "ingest", **results[-1].to_dict())
        except LastroError as error:
            if len(chosen) == 1:
                for note in _tell(workspace):
                    error.add_note(note)  # the ingestion's own failure is the one to be told
                raise
            errors[name] = error
            if not settings.json:
                show_error(error, settings)
    return _answer(results, errors, (*_tell(workspace), *workspace.untold.notes()))


def _tell(workspace: Workspace) -> tuple[str, ...]:
    """Tells those who are to be told of what was found; gives notes. What was ingested is there whoever hears of it."""
    if not workspace.settings.alerts:
        return ()
    from lastro.workspace.monitoring.watch import tell

    try:
        return tell(workspace)
    except LastroError as error:
        told = _("nobody could be told: {what} ({where}); {do}")
        return (told.format(what=error.what, where=error.where, do=error.do),)


def _answer(results: list[IngestResult], errors: dict[str, LastroError], notes: tuple[str, ...]) -> Answer:
    codes = [error.exit_code for error in errors.values()] + [0 if result.passed else 1 for result in results]
    return Answer(
        values={
            "results": [result.to_dict() for result in results],
            "errors": [error.to_dict() for error in errors.values()],
            "notes": notes,
        },
        blocks=lambda: (*_report(results), *(Line(f"  {note}", Tone.DOUBTFUL) for note in notes)),
        verdict=_verdict(results, errors),
        next=_next(results, errors),
        exit_code=max(codes, default=0),
    )


def _report(results: list[IngestResult]) -> Blocks:
    if len(results) == 1:
        return ingested(results[0])
    blocks: Blocks = ()
    for result in results:
        blocks += (Title(result.dataset), *ingested(result), Line("  " + ingested_verdict(result)))
    return blocks


def _verdict(results: list[IngestResult], errors: dict[str, LastroError]) -> str:
    if len(results) == 1 and not errors:
        return ingested_verdict(results[0])
    if not results and not errors:
        return _("there is no dataset to ingest")
    made = sum(not result.unchanged for result in results)
    count = len(results) + len(errors)
    sentence = ngettext(
        "{n} dataset: {made} with a new version, {same} unchanged, {failed} failed",
        "{n} datasets: {made} with a new version, {same} unchanged, {failed} failed",
        count,
    )
    told = sentence.format(
        n=number(count), made=number(made), same=number(len(results) - made), failed=number(len(errors))
    )
    drifted = tuple(result.dataset for result in results if is_drifted(result))
    return leading(told, failed=tuple(errors), drifted=drifted, aside=_aside(results))


def _aside(results: list[IngestResult]) -> dict[str, int]:
    """How many rows each dataset set aside, of those that did."""
    counted = ((result.dataset, result.counts.quarantined) for result in results if result.counts is not None)
    return {name: count for name, count in counted if count}


def _next(results: list[IngestResult], errors: dict[str, LastroError]) -> str:
    if errors:
        return f"lastro ingest {next(iter(errors))}"
    for look in (look for result in results for look in result.looks if look.alarm):
        return look.do
    aside = _aside(results)
    if aside:
        return f"lastro quarantine {next(iter(aside))}"
    if not results:
        return ""
    return f"lastro log {results[0].dataset}" if len(results) == 1 else "lastro log"


def _look(dataset: Dataset, asked: dict[str, str | None]) -> tuple[dict[str, Any], list[str]]:  # Any: JSON values
    """How the source's columns differ from the contract's, as values and as lines."""
    try:
        found = dataset.preview(**asked)
    except LastroError as error:
        return {"error": error.to_dict()}, [_("could not be looked at: {what}").format(what=error.what)]
    refused = [_("the batch would be refused: {why}").format(why=found.refused)] if found.refused else []
    lines = [*refused, *found.notes] or [_("as the contract names them")]
    return {**found.arrived.to_dict(), "refused": found.refused}, lines


def _plans(workspace: Workspace, names: tuple[str, ...], asked: dict[str, str | None]) -> Answer:
    views = {name: workspace.dataset(name).plan() for name in names}
    looks = {name: _look(workspace.dataset(name), asked) for name in names}
    values = [
        {"dataset": name, "sql": view.sql, **plan_values(view.plan), "source": looks[name][0]}
        for name, view in views.items()
    ]
    heads = len(views) > 1

    def report() -> Blocks:
        blocks: Blocks = ()
        for name, view in views.items():
            blocks += ((Title(name),) if heads else ()) + plan_blocks(view.plan, view.sql)
            blocks += (Title(_("Columns of the source")), *(Line(f"  {line}") for line in looks[name][1]))
        return blocks

    return Answer(
        values={"plans": values},
        blocks=report,
        verdict=_("nothing was done: this is the plan"),
        next=" ".join(["lastro ingest", *names]),
        schema="lastro.plan/1",
    )

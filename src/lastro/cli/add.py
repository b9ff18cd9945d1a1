"""`lastro add`: a source becomes a dataset."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import setting, written
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Title, Tone, table
from lastro.source import options_for
from lastro.source.listing import asks_for_all
from lastro.workspace.add import Added
from lastro.workspace.add_all import Addition, Asked, Outcome
from lastro.workspace.workspace import Workspace

NOTES_SHOWN = 4
"""How many guesses of a table are told where a whole database is added."""


@click.command(
    "add",
    cls=Verb,
    help=help_text(
        "add",
        _(
            "LOCATION is a file, a pattern such as 'logs/*.log.gz', a database or an address. Without it, NAME stands "
            "in lastro.yaml with its source and gets the contract that it lacks. Nothing is ingested yet: read the "
            "contract first, above all what it guessed."
        ),
    ),
)
@click.argument("location", metavar=_("[LOCATION]"), required=False)
@click.option("--as", "name", metavar=_("NAME"), help=_("The dataset's name; without it for a whole database."))
@click.option("--prefix", metavar=_("TEXT"), help=_("For a whole database: what each dataset's name begins with."))
@click.option("--plan", is_flag=True, help=_("For a whole database: show what would be added, and add nothing."))
@click.option("--views", is_flag=True, help=_("For a whole database: add its views, too."))
@click.option(
    "--mode", type=click.Choice(["append", "overwrite", "upsert"]), help=_("How later batches change the dataset.")
)
@click.option(
    "--option",
    "options",
    multiple=True,
    type=setting,
    metavar=_("KEY=VALUE"),
    help=_("An option of the source, such as format=csv; may be repeated."),
)
@click.option(
    "--flatten",
    is_flag=True,
    help=_("Make a child dataset of each list, with the key of its row; also of lists that come later."),
)
@click.pass_obj
def command(
    settings: Settings,
    /,
    location: str | None,
    name: str | None,
    mode: str | None,
    flatten: bool,
    options: tuple[tuple[str, Any], ...],  # Any: JSON values
    **whole: Any,  # Any: the options that are for a whole database
) -> Answer:
    """Infers a contract and enters the dataset in `lastro.yaml`."""
    workspace = lastro.open()
    if name is None:
        if location is None:
            raise UsageError(_("which source? name its location, or a dataset of lastro.yaml with --as NAME"))
        if flatten:
            raise UsageError(_("--flatten is for one dataset; add --as NAME"))
        asked = Asked(whole["prefix"] or "", mode, whole["plan"], whole["views"])
        return _all(workspace, settings, location, asked, dict(options))
    if any(given not in (None, False) for given in whole.values()):
        raise UsageError(_("--prefix, --plan and --views are for a whole database, which has no --as"))
    with working(name, settings):
        added = workspace.add(location, name=name, mode=mode, options=dict(options), flatten=flatten)
    sentence = ngettext(
        "{name} is added with {n} column; its contract is {path}",
        "{name} is added with {n} columns; its contract is {path}",
        added.columns,
    )
    return Answer(
        values=added.to_dict(),
        blocks=lambda: (*_notes(added.notes), *_children(added.children)),
        verdict=sentence.format(name=name, n=added.columns, path=added.contract),
        next=f"lastro classify {name}" if _may_be_personal(workspace, name) else f"lastro ingest {name}",
    )


def _may_be_personal(workspace: Workspace, name: str) -> bool:
    """Whether a person should look before the first row is stored: what is protected is not written in the clear."""
    return bool(workspace.dataset(name).contract().plan().withheld)


def _all(
    workspace: Workspace,
    settings: Settings,
    location: str,
    asked: Asked,
    options: dict[str, Any],  # Any: JSON values
) -> Answer:
    if not asks_for_all(options_for(location, options)):
        raise UsageError(_("which name? add --as NAME; a whole database ends in #* or #SCHEMA.*"))
    found = workspace.add_all(location, **asdict(asked), options=options, working=lambda name: working(name, settings))
    counts = {outcome: sum(each.outcome is outcome for each in found) for outcome in Outcome}
    return Answer(
        values={"tables": [each.to_dict() for each in found]},
        blocks=lambda: _tables(found),
        verdict=_counted(len(found), counts, asked),
        next=_again(location, asked, options) if asked.plan else "lastro run",
        exit_code=max((each.error.exit_code for each in found if each.error), default=0),
        schema="lastro.add-all/1",
    )


def _counted(tables: int, counts: Mapping[Outcome, int], asked: Asked) -> str:
    """How many tables came to what, in one sentence."""
    added, would, there, skipped = (
        counts[each] for each in (Outcome.ADDED, Outcome.WOULD_BE, Outcome.THERE, Outcome.SKIPPED)
    )
    parts = [
        ngettext("{n} would be added", "{n} would be added", would).format(n=would)
        if asked.plan
        else ngettext("{n} added", "{n} added", added).format(n=added),
        ngettext("{n} there already", "{n} there already", there).format(n=there),
        ngettext("{n} skipped", "{n} skipped", skipped).format(n=skipped),
    ]
    if not asked.plan:
        parts.append(_("{n} failed").format(n=counts[Outcome.FAILED]))
    return f"{ngettext('{n} table', '{n} tables', tables).format(n=tables)}: {', '.join(parts)}"


def _again(
    location: str,
    asked: Asked,
    options: dict[str, Any],  # Any: JSON values
) -> str:
    """The command that adds what was planned."""
    parts = ["lastro", "add", location]
    parts += ["--prefix", asked.prefix] if asked.prefix else []
    parts += ["--views"] if asked.views else []
    parts += ["--mode", asked.mode] if asked.mode else []
    for key, value in options.items():
        parts += ["--option", written(key, value)]
    return shlex.join(parts)


def _tables(found: tuple[Addition, ...]) -> Blocks:
    columns = (Column(_("table")), Column(_("dataset")), Column(_("outcome"), fixed=True))
    failed = [
        line
        for each in found
        if each.error is not None
        for line in (Line(f"  {each.table}: {each.error.what}", Tone.BAD), Line(f"    {each.error.do}"))
    ]
    skipped = [Line(f"  {each.table}: {each.skipped[0]}; {each.skipped[1]}") for each in found if each.skipped]
    rows = [(each.table, each.name or "", _outcome(each)) for each in found]
    return (table(columns, rows), *failed, *skipped, *_guesses(found))


def _guesses(found: tuple[Addition, ...]) -> Blocks:
    """What each contract guessed, a line for each table: the first of it, and how much more its contract tells."""
    lines = [Line(f"  ! {each.table}: {_briefly(each.added)}") for each in found if each.added and each.added.notes]
    return (Title(_("Look at these before you trust the contracts")), *lines) if lines else ()


def _briefly(added: Added) -> str:
    mark = _("guessed: {what}").format(what="")
    told = "; ".join(note.removeprefix(mark) for note in added.notes[:NOTES_SHOWN])
    rest = len(added.notes) - NOTES_SHOWN
    if rest <= 0:
        return _("guessed: {what}").format(what=told)
    sentence = ngettext("{told}; {n} more in {path}", "{told}; {n} more in {path}", rest)
    return _("guessed: {what}").format(what=sentence.format(told=told, n=rest, path=added.contract))


def _outcome(found: Addition) -> Cell:
    match found.outcome:
        case Outcome.ADDED:
            return Cell(_("added"), Tone.GOOD)
        case Outcome.WOULD_BE:
            return Cell(_("would be added"))
        case Outcome.THERE:
            return Cell(_("there already"), Tone.FAINT)
        case Outcome.SKIPPED:
            return Cell(_("skipped"), Tone.FAINT)
        case Outcome.FAILED:
            return Cell(_("failed {code}").format(code=found.error.code if found.error else ""), Tone.BAD)


def _children(names: tuple[str, ...]) -> Blocks:
    if not names:
        return ()
    title = Title(_("Its lists are datasets of their own, which lastro build makes"))
    return title, *(Line(f"  {name}  transforms/{name}.sql") for name in names)


def _notes(notes: tuple[str, ...]) -> Blocks:
    if not notes:
        return ()
    return Title(_("Look at these before you trust the contract")), *(Line(f"  ! {note}") for note in notes)

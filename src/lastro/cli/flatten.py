"""`lastro flatten`: each list in a dataset becomes a child dataset."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.numbers import number
from lastro.workspace.derived.flatten import Child


@click.command(
    "flatten",
    cls=Verb,
    help=help_text(
        "flatten",
        _(
            "For each list, and each list within it, one SELECT in transforms/ and one contract are written: a row for "
            "each element, with the key of its row and its position. They are yours to change; a file that is there is "
            "never written over. lastro build makes the rows."
        ),
    ),
)
@click.argument("name", metavar=_("NAME"))
@click.option("--plan", is_flag=True, help=_("Show what would be written, and write nothing."))
def command(name: str, plan: bool) -> Answer:
    """Writes, or plans to."""
    found = lastro.open().flatten(name, plan=plan)
    new = [child for child in found if not child.is_there]
    lists = ngettext("{n} list", "{n} lists", len(found)).format(n=number(len(found)))
    verdict = f"{lists}, {ngettext('{n} new', '{n} new', len(new)).format(n=number(len(new)))}"
    following = f"lastro flatten {name}" if plan else "lastro build"
    return Answer(
        values={"dataset": name, "plan": plan, "children": [child.to_dict() for child in found]},
        blocks=lambda: _children(found, plan) if found else (),
        verdict=verdict if found else _("{name} holds no list").format(name=name),
        next=following if new else "",
    )


def _children(found: tuple[Child, ...], plan: bool) -> Blocks:
    columns = (
        Column(_("list")),
        Column(_("dataset")),
        Column(_("key")),
        Column(_("columns"), right=True),
        Column(_("outcome"), fixed=True),
    )
    texts = [line for child in found if plan and not child.is_there for line in _text(child)]
    return (table(columns, [_row(child, plan) for child in found]), *texts)


def _text(child: Child) -> tuple[Title | Line, ...]:
    return Title(child.file), *(Line(f"  {line}") for line in child.sql.splitlines())


def _row(child: Child, plan: bool) -> tuple[Cell | str, ...]:
    outcome = Cell(_("written"), Tone.GOOD)
    if plan:
        outcome = Cell(_("would be written"))
    if child.is_there:
        outcome = Cell(_("there already"), Tone.FAINT)
    path = ".".join((child.parent, *child.path))
    return path, child.dataset, ", ".join(child.key), number(child.columns), outcome

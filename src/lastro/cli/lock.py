"""`lastro lock`: the versions that a commit of the code goes with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Column, table
from lastro.report.numbers import NOTHING, number, short_digest

if TYPE_CHECKING:
    from lastro.workspace.training.lockfile import LockedVersion, LockResult


@click.command(
    "lock",
    cls=Verb,
    help=help_text(
        "lock", _("Commit the file with the code that goes with the data. Locked versions are never collected.")
    ),
)
def command() -> Answer:
    """Locks every dataset at its newest version."""
    result = lastro.open().lock()
    count = len(result.locked)
    sentence = ngettext("{n} dataset is locked in {path}", "{n} datasets are locked in {path}", count)
    return Answer(
        values=result.to_dict(),
        blocks=lambda: _changes(result),
        verdict=sentence.format(n=number(count), path=result.path.name),
        next=f"git add {result.path.name}",
    )


def _changes(result: LockResult) -> Blocks:
    if not result.changes:
        return ()
    columns = (Column(_("dataset")), Column(_("change")), Column(_("before")), Column(_("after")))
    words = {"added": _("added"), "removed": _("removed"), "moved": _("moved"), "rewritten": _("rewritten")}
    rows = (
        (change.dataset, words.get(change.change, change.change), _version(change.before), _version(change.after))
        for change in result.changes
    )
    return (table(columns, rows),)


def _version(locked: LockedVersion | None) -> str:
    return f"{locked.version} {short_digest(locked.digest)}" if locked else NOTHING

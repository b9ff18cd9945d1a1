"""`lastro log`: a dataset's versions, or every dataset's newest."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _, ngettext
from lastro.report import versions as report
from lastro.report.numbers import number


@click.command("log", cls=Verb, help=help_text("log"))
@click.argument("name", metavar=_("[NAME]"), required=False)
def command(name: str | None) -> Answer:
    """Versions, newest first; without a name, one line per dataset."""
    return _datasets() if name is None else _versions(name)


def _versions(name: str) -> Answer:
    dataset = lastro.open().dataset(name)
    versions, tags = dataset.log(), dict(dataset.tags())
    sentence = ngettext("{name} has {n} version", "{name} has {n} versions", len(versions))
    if len(versions) > 1:
        following = f"lastro diff {name} {versions[1].number} {versions[0].number}"
    else:
        following = f"lastro tag {name} {_('TAG')}" if versions else f"lastro ingest {name}"
    return Answer(
        values={"dataset": name, "versions": [report.version_values(info) for info in versions], "tags": tags},
        blocks=lambda: report.log(versions, tags) if versions else (),
        verdict=sentence.format(name=name, n=number(len(versions))),
        next=following,
    )


def _datasets() -> Answer:
    workspace = lastro.open()
    newest = {name: next(iter(workspace.dataset(name).log()), None) for name in workspace.datasets()}
    sentence = ngettext("{n} dataset in {path}", "{n} datasets in {path}", len(newest))
    values = [
        {"dataset": name, "newest": report.version_values(info) if info else None} for name, info in newest.items()
    ]
    add = f"lastro add {_('LOCATION')} --as {_('NAME')}"
    return Answer(
        values={"workspace": workspace.root, "datasets": values},
        blocks=lambda: report.datasets(newest),
        verdict=sentence.format(n=number(len(newest)), path=workspace.root),
        next=f"lastro log {next(iter(newest))}" if newest else add,
        schema="lastro.datasets/1",
    )

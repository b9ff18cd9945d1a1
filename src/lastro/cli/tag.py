"""`lastro tag`: names for versions."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _, ngettext
from lastro.report import versions as report
from lastro.report.numbers import number


@click.command(
    "tag",
    cls=Verb,
    help=help_text(
        "tag",
        _("A tagged version is never collected. A tag that exists already moves to the version."),
    ),
)
@click.argument("name", metavar=_("NAME"))
@click.argument("tag", metavar=_("[TAG]"), required=False)
@click.option("--version", "version", type=click.IntRange(min=0), metavar="N", help=_("The version; else the newest."))
@click.option("--list", "listed", is_flag=True, help=_("List the tags."))
def command(name: str, tag: str | None, version: int | None, listed: bool) -> Answer:
    """Sets one tag, or lists all."""
    if listed == (tag is not None):
        raise UsageError(_("give either a tag or --list"), do=f"lastro tag {name} {_('TAG')}, lastro tag {name} --list")
    dataset = lastro.open().dataset(name)
    if tag is None:
        tags = dict(dataset.tags())
        sentence = ngettext("{name} has {n} tag", "{name} has {n} tags", len(tags))
        return Answer(
            values={"dataset": name, "tags": tags},
            blocks=lambda: report.tags(tags),
            verdict=sentence.format(name=name, n=number(len(tags))),
            next=f"lastro log {name}",
            schema="lastro.tags/1",
        )
    info = dataset.tag(tag, version)
    return Answer(
        values={"dataset": name, "tag": tag, "version": info.number, "digest": info.digest},
        verdict=_("{name}@{tag} is version {n}").format(name=name, tag=tag, n=number(info.number)),
        next=f"lastro read {name}@{tag} -o {name}.parquet",
    )

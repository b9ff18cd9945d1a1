"""`lastro gc`: versions that nothing pins give their space back."""

from __future__ import annotations

from datetime import timedelta

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import duration
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _, ngettext
from lastro.report.numbers import number, size
from lastro.report.upkeep import collected


@click.command(
    "gc",
    cls=Verb,
    help=help_text(
        "gc",
        _(
            "Without --apply, it only says what it would do. The newest version, tagged versions, those in lastro.lock "
            "and those a run has read are kept, and so is what was the newest within the grace period."
        ),
    ),
)
@click.argument("names", metavar=_("[NAME]..."), nargs=-1)
@click.option("--apply", "applied", is_flag=True, help=_("Do it."))
@click.option(
    "--grace",
    type=duration,
    default="7d",
    show_default=True,
    metavar=_("DURATION"),
    help=_("Keep what was the newest so lately; at least 24h."),
)
@click.pass_obj
def command(settings: Settings, names: tuple[str, ...], applied: bool, grace: timedelta) -> Answer:
    """Collects, or says what would be."""
    with working(_("collecting"), settings):
        report = lastro.open().gc(*names, apply=applied, grace=grace)
    files = sum(len(item.files) for _name, item in report.collected)
    pending = files > 0 and not report.applied
    return Answer(
        values=report.to_dict(),
        blocks=lambda: collected(report.collected),
        verdict=_verdict(files, sum(item.size for _name, item in report.collected), applied=report.applied),
        next=" ".join(["lastro gc", *names, "--apply"]) if pending else "lastro log",
    )


def _verdict(files: int, count: int, *, applied: bool) -> str:
    if not files:
        return _("there is nothing to collect")
    if applied:
        sentence = ngettext("{n} file is removed ({size})", "{n} files are removed ({size})", files)
    else:
        sentence = ngettext(
            "{n} file would be removed ({size}); nothing was changed",
            "{n} files would be removed ({size}); nothing was changed",
            files,
        )
    return sentence.format(n=number(files), size=size(count))

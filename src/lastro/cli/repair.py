"""`lastro repair`: mends what can be made again from what is there."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _, ngettext
from lastro.report.numbers import number
from lastro.report.upkeep import repairs


@click.command(
    "repair",
    cls=Verb,
    help=help_text(
        "repair",
        _(
            "Without --apply, it only says what it would do. Nothing that a version needs is ever removed; damaged "
            "data files are beyond repair and must come back from a copy."
        ),
    ),
)
@click.argument("names", metavar=_("[NAME]..."), nargs=-1)
@click.option("--apply", "applied", is_flag=True, help=_("Do it."))
@click.option("--rebuild-catalog", is_flag=True, help=_("Make the catalogue again from the tables, at once."))
@click.pass_obj
def command(settings: Settings, names: tuple[str, ...], applied: bool, rebuild_catalog: bool) -> Answer:
    """Repairs, or says what would be."""
    with working(_("repairing"), settings):
        report = lastro.open().repair(*names, apply=applied, rebuild_catalog=rebuild_catalog)
    pending = bool(report.repairs) and not report.applied
    return Answer(
        values=report.to_dict(),
        blocks=lambda: repairs(report.repairs),
        verdict=_verdict(len(report.repairs), applied=report.applied, rebuilt=report.catalog_rebuilt),
        next=" ".join(["lastro repair", *names, "--apply"]) if pending else " ".join(["lastro verify", *names]),
    )


def _verdict(count: int, *, applied: bool, rebuilt: bool) -> str:
    if not count:
        return _("the catalogue is made again from the tables") if rebuilt else _("there is nothing to repair")
    if applied:
        return ngettext("{n} file is repaired", "{n} files are repaired", count).format(n=number(count))
    sentence = ngettext(
        "{n} file would be repaired; nothing was changed", "{n} files would be repaired; nothing was changed", count
    )
    return sentence.format(n=number(count))

"""`lastro verify`: what is stored is held against what was committed."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import share
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import Corrupted
from lastro.model.text import _, ngettext
from lastro.report.numbers import number
from lastro.report.upkeep import damage, damaged_records


@click.command(
    "verify",
    cls=Verb,
    help=help_text(
        "verify",
        _(
            "Without NAME, all datasets are verified, and every record of looks and incidents. Manifests, logs and the "
            "sizes of all files are always compared; "
            "the data itself is hashed if asked for. Exit code 3 says that something is damaged."
        ),
    ),
)
@click.argument("names", metavar=_("[NAME]..."), nargs=-1)
@click.option("--read-data", is_flag=True, help=_("Hash every data file, too."))
@click.option("--subset", type=share, metavar=_("SHARE"), help=_("Hash only this share of the data files, such as 5%."))
@click.pass_obj
def command(settings: Settings, names: tuple[str, ...], read_data: bool, subset: float | None) -> Answer:
    """Finds and locates damage."""
    with working(_("verifying"), settings):
        report = lastro.open().verify(*names, read_data=read_data or subset is not None, subset=subset)
    damaged = len(report.damage) + len(report.records)
    mendable = any(found.repairable for _name, found in report.damage)
    return Answer(
        values=report.to_dict(),
        blocks=lambda: (*damage(report.damage), *damaged_records(report.records)),
        verdict=_damaged(damaged) if damaged else _whole(len(report.tables), report.versions),
        next="lastro repair" if mendable else "" if damaged else "lastro log",
        exit_code=0 if report.passed else Corrupted.exit_code,
    )


def _whole(tables: int, versions: int) -> str:
    of = ngettext("{n} table", "{n} tables", tables).format(n=number(tables))
    sentence = ngettext(
        "{n} version of {tables} is as it was committed",
        "{n} versions of {tables} are as they were committed",
        versions,
    )
    return sentence.format(n=number(versions), tables=of)


def _damaged(count: int) -> str:
    return ngettext("{n} file is damaged", "{n} files are damaged", count).format(n=number(count))

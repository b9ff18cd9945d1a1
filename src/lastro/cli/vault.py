"""`lastro vault`: what is in the vault, and backups of it."""

from __future__ import annotations

from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Family, Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _, ngettext
from lastro.report.numbers import number
from lastro.report.vault import vault as vault_shown

command = Family(
    "vault",
    help=help_text(
        "vault",
        _(
            "Tables hold tokens; the vault alone holds what they stand for, encrypted. A backup can be read until the "
            "key of its month is destroyed."
        ),
    ),
)


@command.command(
    "status",
    cls=Verb,
    short_help=_("Show how much is in the vault, and which backups can be read."),
    help=_("Show how much is in the vault, and which backups can be read."),
)
@click.option("--check", is_flag=True, help=_("Open every entry, and find any that was changed."))
@click.pass_obj
def status(settings: Settings, check: bool) -> Answer:
    """Counts, and shows no value."""
    with working("vault", settings):
        found = lastro.open().keys.status(check=check)
    entries = sum(found.held.entries.values())
    counted = ngettext(
        "{n} entry of {persons} persons, {erased} erased",
        "{n} entries of {persons} persons, {erased} erased",
        entries,
    )
    return Answer(
        values={
            "entries": dict(found.held.entries),
            "persons": found.held.subjects,
            "erased": found.held.tombstones,
            "checked": check,
            "backups": [{"epoch": each.name, "expires": str(each.expires)} for each in found.epochs],
            "expired": [each.name for each in found.expired],
        },
        blocks=lambda: vault_shown(found.held, found.epochs),
        verdict=counted.format(
            n=number(entries), persons=number(found.held.subjects), erased=number(found.held.tombstones)
        ),
        next="lastro vault backup DIR" if entries else "lastro ingest",
    )


@command.command(
    "backup",
    cls=Verb,
    short_help=_("Write the vault into a folder, under a key that expires."),
    help="\n\n".join(
        [
            _("Write the vault into a folder, under a key that expires."),
            _(
                "Keep a copy of the root key and of the epoch's key elsewhere: a backup needs both. Once the epoch's "
                "key is destroyed, everywhere, so are its backups."
            ),
        ]
    ),
)
@click.argument("folder", metavar=_("DIR"), type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(min=1, max=3650),
    metavar=_("DAYS"),
    help=_("How long after its month a new epoch's backups can be read; 90 days if not said."),
)
@click.pass_obj
def backup(settings: Settings, folder: Path, keep: int | None) -> Answer:
    """Writes a backup."""
    with working("vault", settings):
        path, expires = lastro.open().keys.back_up(folder, kept_days=keep)
    return Answer(
        values={"file": path, "expires": str(expires)},
        verdict=_("the vault is in {path}; it can be read until {day}").format(path=path, day=expires),
        next="lastro vault status",
    )


@command.command(
    "restore",
    cls=Verb,
    short_help=_("Bring a backup of the vault back."),
    help="\n\n".join(
        [
            _("Bring a backup of the vault back."),
            _("Who was erased since the backup stays so, as far as the vault that is there can tell."),
        ]
    ),
)
@click.argument("source", metavar=_("FILE|DIR"), type=click.Path(exists=True, path_type=Path))
@click.option("--replace", is_flag=True, help=_("Replace the vault that is there."))
@click.pass_obj
def restore(settings: Settings, source: Path, replace: bool) -> Answer:
    """Brings one back."""
    with working("vault", settings):
        header = lastro.open().keys.restore(source, replace=replace)
    return Answer(
        values={"made": header.made, "epoch": header.epoch, "expires": header.expires},
        verdict=_("the vault is as it was on {day}").format(day=header.made),
        next="lastro vault status --check",
    )


@command.command(
    "unblock",
    cls=Verb,
    short_help=_("Let somebody come in again who was erased."),
    help=_("Let somebody come in again who was erased."),
)
@click.argument("subject", metavar="KIND=VALUE")
def unblock(subject: str) -> Answer:
    """Removes a tombstone."""
    kind, equals, value = subject.partition("=")
    if not (kind and equals and value):
        raise UsageError(_("the person is not named"), do=_("write the kind and the value: cpf=123.456.789-09"))
    found = lastro.open().keys.unblock(kind, value)
    return Answer(
        values={"kind": kind, "unblocked": found},
        verdict=_("the person may come in again") if found else _("nobody of this name was erased"),
        next="lastro vault status",
        exit_code=0 if found else 1,
    )

"""`lastro keys`: the keys from which everything in the vault is protected, and turning them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Family, Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _, ngettext
from lastro.report.numbers import number
from lastro.report.vault import keys as keys_shown

if TYPE_CHECKING:
    from lastro.privacy.keys import KeyState

command = Family(
    "keys",
    help=help_text(
        "keys",
        _(
            "The root key is where `keys: root` of lastro.yaml says: a file that only you can read, the environment, "
            "the system's key ring, a program that prints it, or a provider. It wraps all others; without it nothing "
            "in the vault can be read."
        ),
    ),
)


@command.command(
    "status",
    cls=Verb,
    short_help=_("Show which keys there are, and where the root key is."),
    help=_("Show which keys there are, and where the root key is."),
)
def status() -> Answer:
    """Lists keys."""
    found = lastro.open().keys.status()
    counted = ngettext(
        "{n} key, wrapped by the root key ({root})", "{n} keys, wrapped by the root key ({root})", len(found.keys)
    )
    return Answer(
        values={"root": found.root, "keys": [_values(each) for each in found.keys]},
        blocks=lambda: keys_shown(found.keys),
        verdict=counted.format(n=number(len(found.keys)), root=found.root),
        next="lastro keys rotate" if found.keys else "lastro vault status",
    )


@command.command(
    "rotate",
    cls=Verb,
    short_help=_("Put new keys in the places of old ones."),
    help="\n\n".join(
        [
            _("Put new keys in the places of old ones."),
            _(
                "Without an option the root key, the key of the entries and the key of lookups are turned. Ingestions "
                "go on meanwhile; killed, the same command goes on where it stopped."
            ),
        ]
    ),
)
@click.option("--root", "purposes", flag_value="root", multiple=True, help=_("The root key."))
@click.option("--vault", "purposes", flag_value="record", multiple=True, help=_("The key that seals the entries."))
@click.option("--lookup", "purposes", flag_value="lookup", multiple=True, help=_("The key under which they are found."))
@click.option(
    "--hash", "purposes", flag_value="hash", multiple=True, help=_("The key of hashes, where none is stored.")
)
@click.option(
    "--block", "purposes", flag_value="block", multiple=True, help=_("The key of tombstones; old ones keep theirs.")
)
@click.option(
    "--column",
    "purposes",
    flag_value="column",
    multiple=True,
    help=_("The key of encrypted columns; files keep theirs."),
)
@click.option("--to", metavar=_("PLACE"), help=_("Where the new root key is: file, env:NAME, keyring:NAME."))
@click.pass_obj
def rotate(settings: Settings, purposes: tuple[str, ...], to: str | None) -> Answer:
    """Turns keys."""
    workspace = lastro.open()
    with working("keys", settings):
        turned = workspace.keys.rotate(*purposes, to=to)
    entries = sum(each.entries for each in turned if each.purpose != "root")
    counted = ngettext("{n} key is turned", "{n} keys are turned", len(turned)).format(n=number(len(turned)))
    sealed = ngettext("{n} entry is sealed anew", "{n} entries are sealed anew", entries).format(n=number(entries))
    moved = to is not None and to != workspace.settings.root_key
    return Answer(
        values={
            "turned": [{"purpose": each.purpose, "number": each.number, "entries": each.entries} for each in turned]
        },
        verdict=f"{counted}; {sealed}",
        next=_("write `keys: {{root: {place}}}` into lastro.yaml").format(place=to) if moved else "lastro keys status",
    )


def _values(key: KeyState) -> dict[str, str | int | bool]:
    return {
        "purpose": key.purpose,
        "number": key.number,
        "root": key.root,
        "made": key.made,
        "destroyed": key.destroyed,
    }

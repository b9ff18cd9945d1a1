"""The reference shows what the program prints, and tells of every command, code and key."""

import re
from importlib import import_module

from tests.cli.reference import PAGE, refreshed, shown

from lastro.cli import main
from lastro.cli.verb import Family
from lastro.cli.verbs import sections

SCHEMA = re.compile(r"`(lastro\.[a-z.-]+/\d+)`\n\n\| key \| meaning \|\n\|---\|---\|\n((?:\|.*\|\n)+)")


def documented() -> dict[str, set[str]]:
    """The keys of every schema that the page tells of."""
    found = SCHEMA.findall(PAGE.read_text(encoding="utf-8"))
    return {schema: set(re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)) for schema, rows in found}


def test_every_help_block_is_as_printed() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert refreshed(page) == page, "run `python -m tests.cli.reference`"


def test_every_command_has_its_help_on_the_page() -> None:
    verbs = [verb for names in sections().values() for verb in names]
    page = PAGE.read_text(encoding="utf-8")

    commands = [import_module(f"lastro.cli.{verb}").command for verb in verbs]
    inner = [f"{family.name} {verb}" for family in commands if isinstance(family, Family) for verb in family.commands]

    assert sorted(shown(page)) == sorted(["", *verbs, *inner])
    assert set(re.findall(r"^## ([a-z]+)$", page, re.MULTILINE)) == set(verbs)


def test_every_exit_code_is_told() -> None:
    codes = re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert codes == ["0", "1", "2", "3", "4", str(main.INTERRUPTED), str(main.PIPE_CLOSED)]


def test_schemas_are_told_once_each() -> None:
    named = re.findall(r"^(?:.*: )?`(lastro\.[a-z.-]+/\d+)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(named) == sorted(documented())

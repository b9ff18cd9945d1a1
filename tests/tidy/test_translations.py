"""The Portuguese catalogue holds every message, whole and compiled; see `translations.py` for the rules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from tests.tidy import translations
from tests.tidy.tree import Module, package, told


@pytest.fixture(scope="module")
def source() -> Catalog:
    return translations.collected()


@pytest.fixture(scope="module")
def written() -> Catalog:
    return translations.written()


def test_every_message_is_translated(written: Catalog, source: Catalog) -> None:
    lacking = translations.untranslated(written, source)

    assert not lacking, told([*map(repr, lacking), "run `make translations`, then translate them in lastro.po"])


def test_nothing_is_left_over(written: Catalog, source: Catalog) -> None:
    assert translations.left_over(written, source) == []


def test_translations_keep_the_placeholders(written: Catalog) -> None:
    wrong = translations.misplaced(written)

    assert not wrong, told(wrong)


def test_the_compiled_catalogue_is_fresh(written: Catalog) -> None:
    assert translations.MO.read_bytes() == translations.compiled(written), "run `make translations`"


def test_the_text_catalogue_is_as_the_tool_writes_it(written: Catalog, source: Catalog) -> None:
    assert translations.PO.read_bytes() == translations.text_of(translations.updated(written, source)), (
        "run `make translations`"
    )


def test_no_message_is_put_together_at_run_time() -> None:
    places = translations.built_at_run_time(package())

    assert not places, told(places)


def test_the_rules_find_what_they_must() -> None:
    """Each rule meets a catalogue that breaks it."""
    source = Catalog(locale="pt_BR")
    source.add("{n} rows of {name}")
    source.add(("{n} row", "{n} rows"))
    source.add("gone wrong")
    current = Catalog(locale="pt_BR")
    current.add("{n} rows of {name}", "{n} linhas")
    current.add(("{n} row", "{n} rows"), ("{n} linha", ""))
    current.add("gone wrong", "deu errado", flags=["fuzzy"])
    current.add("gone", "foi-se")

    assert translations.misplaced(current) == ["'{n} rows of {name}': '{n} linhas'"]
    assert sorted(translations.untranslated(current, source)) == ["gone wrong", "{n} row"]
    assert translations.left_over(current, source) == ["gone"]


def test_messages_built_at_run_time_are_found() -> None:
    text = '_(f"{x} rows")\n_("a" + b)\nngettext("row", str(rows), 2)\n_("fine" " too")\n_(marked)\n'
    path = translations.PACKAGE / "invented.py"
    module = Module(Path(path), "lastro.invented", text, ast.parse(text), frozenset())

    assert [place.rpartition(":")[2] for place in translations.built_at_run_time((module,))] == ["1", "2", "3"]


def test_messages_are_found_wherever_they_stand() -> None:
    tree = ast.parse('a = f"{_(\'next:\')} {x}"\nb = ngettext("row", "rows", n)\nc = [N_("one" " two")]\n_(other)')

    assert list(translations.messages_of(tree)) == [("next:",), ("row", "rows"), ("one two",)]


def test_an_update_keeps_translations_and_drops_the_rest() -> None:
    source = Catalog(locale="pt_BR")
    source.add("row")
    source.add("new")
    current = Catalog(locale="pt_BR")
    current.add("row", "linha")
    current.add("old", "velho")

    catalog = translations.updated(current, source)

    assert {message.id: message.string for message in catalog if message.id} == {"row": "linha", "new": None}

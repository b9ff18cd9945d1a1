"""The catalogue of messages: collected from the source, compared with what is translated, compiled.

`python -m tests.tidy.translations` brings `lastro.po` up to date and compiles `lastro.mo`; it then lists what is
still to be translated. The tests of `test_translations.py` hold the result to these rules:

1. Every message of `src/lastro`, and every one that Click may show, is translated; none is fuzzy, none is left over.
2. A translation has the placeholders of its message, all of them and no others.
3. The compiled catalogue is what the text catalogue compiles to.
4. A message is one plain string, or a name for one that `N_` marks where it stands: what is put together at run time
   cannot be looked up.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from tests.tidy.tree import PACKAGE, Module, package

LANGUAGE = "pt_BR"
PO = PACKAGE / "locale" / LANGUAGE / "LC_MESSAGES" / "lastro.po"
MO = PO.with_suffix(".mo")
KEYWORDS = {"_": 1, "N_": 1, "ngettext": 2}
"""How many of a call's arguments are messages."""
CLICK_SHOWN = ("core.py", "decorators.py", "exceptions.py", "formatting.py", "parser.py", "types.py")
"""Click's modules whose sentences a person can meet in our command line."""
CLICK_LOOKED_UP = ("required",)
"""What Click looks up by a variable."""
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in the catalogue's header: a fixed one, so that the same messages give the same bytes."""
PLACEHOLDER = re.compile(r"\{[A-Za-z_][^{}]*\}|\{\}|%\(\w+\)[a-z]|%[sd]")
WIDTH = 120

Texts = tuple[str, ...]


def collected() -> Catalog:
    """Every message of the source, without a translation."""
    catalog = _empty()
    folder = Path(click.__file__).parent
    for path in [*sorted(PACKAGE.rglob("*.py")), *(folder / name for name in CLICK_SHOWN)]:
        for texts in messages_of(ast.parse(path.read_bytes())):
            catalog.add(texts if len(texts) > 1 else texts[0])
    for text in CLICK_LOOKED_UP:
        catalog.add(text)
    return catalog


def messages_of(tree: ast.Module) -> Iterator[Texts]:
    """The messages of a module, those within f-strings too (which a reader of tokens misses before Python 3.12)."""
    for node in _calls(tree):
        texts = tuple(argument.value for argument in _arguments(node) if isinstance(argument, ast.Constant))
        if len(texts) == len(_arguments(node)) and all(isinstance(text, str) for text in texts):
            yield texts


def written() -> Catalog:
    """The catalogue as it stands in `lastro.po`; an empty one if there is none yet."""
    if not PO.exists():
        return _empty()
    with PO.open("rb") as stream:
        return read_po(stream, locale=LANGUAGE, abort_invalid=True)


def updated(current: Catalog, source: Catalog) -> Catalog:
    """The source's messages with the translations that are there; nothing is guessed, what is gone is dropped."""
    catalog = _empty()
    for message in _messages(source):
        known = current.get(message.id)
        same = known is not None and known.id == message.id and not known.fuzzy
        catalog.add(message.id, known.string if known and same else None)
    return catalog


def text_of(catalog: Catalog) -> bytes:
    """The catalogue as the bytes of a `.po` file, sorted and without places, so that moving code does not change it."""
    stream = io.BytesIO()
    write_po(stream, catalog, width=WIDTH, sort_output=True, ignore_obsolete=True, no_location=True)
    return stream.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as the bytes of a `.mo` file."""
    stream = io.BytesIO()
    write_mo(stream, catalog)
    return stream.getvalue()


def untranslated(current: Catalog, source: Catalog) -> list[str]:
    """The source's messages that have no translation, or only a fuzzy one."""
    lacking = []
    for message in _messages(source):
        known = current.get(message.id)
        if known is None or known.id != message.id or known.fuzzy or not all(_texts(known.string)):
            lacking.append(_texts(message.id)[0])
    return lacking


def left_over(current: Catalog, source: Catalog) -> list[str]:
    """Translated messages that no longer stand in the source."""
    wanted = {_texts(message.id)[0] for message in _messages(source)}
    return [_texts(message.id)[0] for message in _messages(current) if _texts(message.id)[0] not in wanted]


def misplaced(current: Catalog) -> list[str]:
    """Translations whose placeholders differ from their message's."""
    return [
        f"{_texts(message.id)[0]!r}: {text!r}"
        for message in _messages(current)
        for text in _texts(message.string)
        if text and not _fits(text, _texts(message.id))
    ]


def built_at_run_time(modules: tuple[Module, ...]) -> list[str]:
    """Calls of `_`, `N_` and `ngettext` whose messages are neither plain strings nor names of some."""
    return [
        module.at(node.lineno)
        for module in modules
        for node in _calls(module.tree)
        if not all(_plain(argument) for argument in _arguments(node))
    ]


def main() -> int:
    """Writes both files; the exit code is 1 while anything is untranslated."""
    source = collected()
    catalog = updated(written(), source)
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(text_of(catalog))
    MO.write_bytes(compiled(written()))
    lacking = untranslated(catalog, source)
    for text in lacking:
        print(f"untranslated: {text!r}")
    for text in misplaced(catalog):
        print(f"placeholders: {text}")
    for place in built_at_run_time(package()):
        print(f"put together at run time: {place}")
    print(f"{len(catalog)} messages, {len(lacking)} untranslated")
    return 1 if lacking else 0


def _empty() -> Catalog:
    return Catalog(
        locale=LANGUAGE,
        domain="lastro",
        header_comment="# Lastro in Brazilian Portuguese.",
        project="lastro",
        version="1",
        msgid_bugs_address="none",
        creation_date=EPOCH,
        revision_date=EPOCH,
        last_translator="The Lastro engineers",
        language_team="pt_BR",
        fuzzy=False,
    )


def _messages(catalog: Catalog) -> Iterator[Message]:
    """The catalogue's messages without its header."""
    return (message for message in catalog if message.id)


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls that look a message up or mark one, in the order they stand in."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    named = (node for node in found if isinstance(node.func, ast.Name) and node.func.id in KEYWORDS)
    return iter(sorted(named, key=lambda node: (node.lineno, node.col_offset)))


def _arguments(node: ast.Call) -> list[ast.expr]:
    """Those of a call's arguments that are messages."""
    assert isinstance(node.func, ast.Name)
    return node.args[: KEYWORDS[node.func.id]]


def _texts(texts: str | tuple[str, ...] | list[str] | None) -> Texts:
    if texts is None:
        return ("",)
    return (texts,) if isinstance(texts, str) else tuple(texts)


def _fits(text: str, originals: Texts) -> bool:
    """A singular may spell its number out (`one row`), so any form's placeholders will do."""
    found = set(PLACEHOLDER.findall(text))
    return any(found == set(PLACEHOLDER.findall(original)) for original in originals)


def _plain(argument: ast.expr) -> bool:
    if isinstance(argument, ast.Constant):
        return isinstance(argument.value, str)
    return isinstance(argument, ast.Name | ast.Attribute | ast.Subscript)


if __name__ == "__main__":
    sys.exit(main())

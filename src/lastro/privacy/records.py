"""Records of the quarantine, with tokens in the places of what is personal.

Rules:

1. A record is a JSON object of its source's columns (`raw`) or the table's (`clean`), or a line that could not be taken
   apart (`text`). Columns that are open stay as they are; those that are dropped are left out; in all others, and in
   those that nobody knows, each value stands as a vault token. What is missing or blank stays.
2. A value of a kind that has tokens stands as its kind's own token, by which the person is found; where the vault
   holds another spelling of it, a second token follows, of the very value: `tok_… tok_…`. Other values stand as a token
   of the very value alone. Exactly what was refused comes back.
3. Of a line, and of what is no object, the whole text is one entry; so it has the form `text` then.
4. Entries belong to the person whom the record names, if it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from lastro.privacy.token import TOKEN
from lastro.privacy.vault import Entry, Vault

EXACT = "lastro:record"
"""The kind of values that are kept to the letter, as JSON."""
LINE = "lastro:line"
"""The kind of lines that could not be taken apart."""
HASHED = "lastro:hash "
"""How the kinds of keyed hashes begin that stand in records."""
ERASED = ("raw", "{}")
"""What stands in the place of a record of somebody who was erased."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Columns:
    """What becomes of a record's columns, by their names there: `open` ones stay, `dropped` ones go, and `kinds` are
    those with tokens of their own. `subject` is the one that says whom the record is about.
    """

    open: frozenset[str]
    dropped: frozenset[str] = frozenset()
    kinds: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None
    is_shut: bool = True
    """False if nothing is protected, so that all columns are open."""


@dataclass(slots=True)
class _Row:
    """A record on its way: its members as JSON, None if it is no object."""

    form: str
    text: str
    members: dict[str, bytes] | None
    person: str | None = None


def sealed(
    vault: Vault,
    forms: Sequence[str],
    records: Sequence[str],
    columns: Mapping[str, Columns],
    *,
    subject_kind: str = "",
) -> tuple[list[str], list[str], list[bool]]:
    """The forms and records with tokens (rule 1), and which of them were of somebody who was erased, and are empty.

    `columns` say of each form, `raw` and `clean`, what becomes of its columns.
    """
    rows = [
        _Row(form, text, _members(text) if form in columns else None) for form, text in zip(forms, records, strict=True)
    ]
    subjects = [_subject(row, columns) for row in rows]
    blocked = vault.blocked(subject_kind, [each or "" for each in subjects])
    if all(each.is_shut for each in columns.values()):
        _seal(vault, rows, subjects, blocked, columns, subject_kind)
    for row, gone in zip(rows, blocked, strict=True):
        if gone:
            row.form, row.text = ERASED
    return [row.form for row in rows], [row.text for row in rows], list(blocked)


def _seal(
    vault: Vault,
    rows: Sequence[_Row],
    subjects: Sequence[str | None],
    blocked: Sequence[bool],
    columns: Mapping[str, Columns],
    kind: str,
) -> None:
    """Puts tokens into the records of those who are not blocked."""
    named = [each if each and not gone else "" for each, gone in zip(subjects, blocked, strict=True)]
    for row, token in zip(rows, vault.tokens(kind, named, is_subject=True) if any(named) else named, strict=True):
        row.person = token or None
    staying = [row for row, gone in zip(rows, blocked, strict=True) if not gone]
    _seal_lines(vault, [row for row in staying if row.members is None])
    whole = [row for row in staying if row.members is not None]
    _seal_members(vault, whole, columns)
    for row in whole:
        row.text = msgspec.json.encode(
            {name: msgspec.Raw(value) for name, value in (row.members or {}).items()}
        ).decode()


def opened(vault: Vault, forms: Sequence[str], records: Sequence[str]) -> list[str]:
    """The records as they were refused, as far as the vault still holds their values."""
    wanted = {token for record in records for token in TOKEN.findall(record)}
    entries = vault.reveal(wanted) if wanted else {}
    return [_opened(form, record, entries) for form, record in zip(forms, records, strict=True)]


def reopened(cell: str, entries: Mapping[str, Entry]) -> bytes | None:
    """The JSON of what a record's text stands for, None if it is no token of these."""
    tokens = cell.split(" ")
    found = entries.get(tokens[-1]) if all(map(TOKEN.fullmatch, tokens)) else None
    if found is None:
        return None
    return found.value.encode() if found.kind == EXACT else msgspec.json.encode(found.value)


def _opened(form: str, record: str, entries: Mapping[str, Entry]) -> str:
    if form == "text":
        found = entries.get(record)
        if found is None or found.kind not in {LINE, EXACT}:
            return record
        return found.value if found.kind == LINE else _plain(found.value.encode()) or ""
    members = _members(record)
    if members is None:
        return record
    shown = {name: msgspec.Raw(_reopened(value, entries)) for name, value in members.items()}
    return msgspec.json.encode(shown).decode()


def _reopened(value: bytes, entries: Mapping[str, Entry]) -> bytes:
    if not value.startswith(b'"tok_'):
        return value
    found = reopened(_TEXT.decode(value), entries)
    return value if found is None else found


def _members(record: str) -> dict[str, bytes] | None:
    try:
        return {name: bytes(value) for name, value in _OBJECT.decode(record).items()}
    except (msgspec.DecodeError, UnicodeError):
        return None


def _subject(row: _Row, columns: Mapping[str, Columns]) -> str | None:
    name = columns[row.form].subject if row.form in columns else None
    value = (row.members or {}).get(name or "")
    return None if value is None else _plain(value)


def _plain(value: bytes) -> str | None:
    """A value as a cell's text, as the engine reads it: JSON text without its quotes; None if there is none."""
    if value == b"null":
        return None
    try:
        return _TEXT.decode(value) if value.startswith(b'"') else value.decode()
    except msgspec.DecodeError:  # half of a surrogate pair
        return value.decode()


def _seal_lines(vault: Vault, rows: Sequence[_Row]) -> None:
    for row, token in zip(rows, vault.tokens(LINE, [row.text for row in rows]) if rows else (), strict=True):
        row.form, row.text = "text", token or row.text


def _seal_members(vault: Vault, rows: Sequence[_Row], columns: Mapping[str, Columns]) -> None:
    for row in rows:
        dropped = columns[row.form].dropped
        row.members = {name: value for name, value in (row.members or {}).items() if name not in dropped}
    own: dict[tuple[int, str], str] = {}
    for kind in sorted({kind for row in rows for kind in columns[row.form].kinds.values()}):
        cells = list(_cells(rows, lambda row, name, kind=kind: columns[row.form].kinds.get(name) == kind))  # type: ignore[misc]
        tokens = _tokens(vault, kind, [(row, text) for _place, row, _name, _value, text in cells])
        for (place, _row, name, _value, _text), token in zip(cells, tokens, strict=True):
            own[place, name] = token
    spelled = vault.reveal(own.values()) if own else {}
    rest = []
    for cell in _cells(rows, lambda row, name: name not in columns[row.form].open):
        place, row, name, value, text = cell
        token = own.get((place, name), "")
        if token and (token == text or reopened(token, spelled) == _compact(value)):
            _put(row, name, token)
        else:
            rest.append((row, name, value, token))
    exact = _tokens(vault, EXACT, [(row, value.decode()) for row, _name, value, _token in rest])
    for (row, name, _value, token), other in zip(rest, exact, strict=True):
        _put(row, name, f"{token} {other}" if token else other)


def _cells(rows: Sequence[_Row], wanted: Callable[[_Row, str], bool]) -> Iterator[tuple[int, _Row, str, bytes, str]]:
    """The wanted cells that hold something, and are no tokens of records already: place, row, name, JSON, text."""
    for place, row in enumerate(rows):
        for name, value in (row.members or {}).items():
            text = _plain(value)
            if text and not text.isspace() and wanted(row, name):
                yield place, row, name, value, text


def _tokens(vault: Vault, kind: str, cells: Sequence[tuple[_Row, str]]) -> list[str]:
    if not cells:
        return []
    return vault.tokens(kind, [text for _row, text in cells], subjects=[row.person for row, _text in cells])


def _compact(value: bytes) -> bytes:
    """A JSON text as this module writes it; other values as they are."""
    text = _plain(value)
    return msgspec.json.encode(text) if value.startswith(b'"') else value


def _put(row: _Row, name: str, cell: str) -> None:
    if row.members is not None:
        row.members[name] = msgspec.json.encode(cell)

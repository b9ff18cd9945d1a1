"""Who is sought, and in which rows of a dataset a person is found (GDPR 17; LGPD 18 IV and VI).

Rules:

1. A person is an identifier of a kind (`cpf`), and in the vault a token. Identifiers that stand in no other person's
   rows – an e-mail address, say – are the person's, too.
2. By the contract, a person is found in the subject's column, and in every column of the person's kinds; whole rows go.
   In columns that the contract does not know, or no longer, and in datasets that name no subject, every text is looked
   at.
   There, tokens are found within texts, and of values only those that mean nobody else: a number of a customer would be
   found in columns that count something else.
3. Where a column is protected, tokens are looked for. Otherwise values are, in whatever spelling of the identifier.
4. A row set aside is a person's if its record holds one of the tokens or spellings, as a word of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lastro.model.personal import Method, Personal
from lastro.privacy.canonical import form_of
from lastro.store.erasure.finding import AnyOf, ByText, ByValue, Doomed

if TYPE_CHECKING:
    import pyarrow as pa

_GROUPS = {"cpf": (3, 3, 3, 2), "cnpj": (2, 3, 3, 4, 2), "cep": (5, 3)}
_MARKS = {"cpf": "..-", "cnpj": "../-", "cep": "-"}
_TELLING = frozenset({"cpf", "cnpj", "email"})
_REMEMBERED = 10_000
SHORTEST = 5
"""Shorter identifiers are looked for in columns, not within texts and bytes: they would be found everywhere."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Some people: their tokens by kind, and the identifiers that were given, where they are still known."""

    kind: str
    tokens: Mapping[str, frozenset[str]]
    values: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def all_tokens(self) -> frozenset[str]:
        """The tokens of every kind."""
        return frozenset(token for tokens in self.tokens.values() for token in tokens)

    @property
    def spellings(self) -> frozenset[str]:
        """The identifiers as they were given, in their canonical form, and as people write them."""
        return frozenset(each for value in self.values for each in spellings(self.kind, value))

    @property
    def needles(self) -> frozenset[str]:
        """What must stand nowhere afterwards: tokens, and spellings that are long enough to be told from other text."""
        return self.all_tokens | {each for each in self.spellings if len(each) >= SHORTEST}


@dataclass(frozen=True, slots=True)
class ByForm:
    """The rows whose column has one of these identifiers, however it is written."""

    column: str
    kind: str
    forms: frozenset[str] = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True where the canonical form of the value is one of those."""
        import pyarrow as pa
        import pyarrow.compute as pc

        form = form_of(self.kind)
        found = batch.column(self.column)
        coded = found if isinstance(found, pa.DictionaryArray) else pc.dictionary_encode(found)
        values = (None if value is None else str(value) for value in coded.dictionary.to_pylist())
        return pc.take(pa.array([value is not None and form(value) in self.forms for value in values]), coded.indices)


def spellings(kind: str, value: str) -> Iterator[str]:
    """The ways in which an identifier is written."""
    plain = form_of(kind)(value)
    yield from (value, plain)
    groups = _GROUPS.get(kind, ())
    if groups and len(plain) == sum(groups):
        written, at = "", 0
        for length, mark in zip(groups, (*_MARKS[kind], ""), strict=True):
            written, at = written + plain[at : at + length] + mark, at + length
        yield written


def rows_of(sought: Sought, personal: Personal | None, texts: Sequence[str]) -> Doomed | None:
    """Which rows of a dataset are these people's. `texts` are the columns of text of any of its versions."""
    reasons: list[Doomed] = []
    known = personal or Personal()
    kinds = {each.column: each.kind for each in known.classes if each.kind}
    kinds |= {each.column: each.kind for each in known.protections if each.method is Method.TOKEN}
    if known.subject is not None:
        kinds[known.subject.column] = known.subject.kind
    for column, kind in kinds.items():
        reasons += _of_column(sought, column, kind, is_token=_is_token(known, column))
    for column in texts:
        if column not in kinds and (known.subject is None or known.of(column) is None):
            reasons += _of_text(sought, column)
    return AnyOf(reasons) if reasons else None


def set_aside(sought: Sought) -> Doomed | None:
    """Which rows of a quarantine are these people's."""
    return ByText("record", sought.needles) if sought.needles else None


def scrubber(sought: Sought) -> Callable[[str], str]:
    """A function that takes these people's tokens and identifiers out of a text, the longest first."""
    needles = sorted(sought.needles, key=len, reverse=True)

    @lru_cache(maxsize=_REMEMBERED)
    def scrubbed(text: str) -> str:
        for needle in needles:
            if needle in text:
                text = text.replace(needle, "<erased>")
        return text

    return scrubbed


def _of_column(sought: Sought, column: str, kind: str, *, is_token: bool) -> Iterator[Doomed]:
    tokens = sought.tokens.get(kind, frozenset())
    if tokens:
        yield ByValue(column, tokens)
    if kind == sought.kind and not is_token and sought.values:
        form = form_of(kind)
        yield ByForm(column, kind, frozenset(map(form, sought.values)))


def _of_text(sought: Sought, column: str) -> Iterator[Doomed]:
    if sought.all_tokens:
        yield ByText(column, sought.all_tokens)
    if sought.kind in _TELLING:
        yield from _of_column(sought, column, sought.kind, is_token=False)


def _is_token(personal: Personal, column: str) -> bool:
    found = personal.protection(column)
    return found is not None and found.method is Method.TOKEN

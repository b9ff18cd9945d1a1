"""Who is sought, and in which rows of a dataset a person is found (GDPR 17; LGPD 18 IV and VI).

Rules:

1. A person is an identifier of a kind (`cpf`), and in the vault a token. Their own name is looked for even where it
   stands in others' rows: as a guarantor's, say. Entries that stand in no other person's rows – an e-mail address – are
   found by their token. A further name is followed if the vault knows it to be theirs alone: an entry of another kind
   that names persons itself, belongs to nobody else, and to which nobody else belongs by the kind that was asked for. A
   person has one name of a kind: another one in their rows is a guarantor's, a mother's.
2. Rows *about* a person (`about`) have them in the column that a contract names as its `subject`; where it names
   none, in the columns that it says to hold identifiers. Rows that *name* a person (`naming`) have them in any column
   whose kind is known. What is found, exported and put right are rows about a person: a row that only names one is
   another's. What is erased are all rows that name them; whole rows go.
3. Columns of derived datasets that come from such columns, or have their name where it is not known what a column
   comes from, are such columns. One that holds neither value nor token, or nested values, tells of nobody.
4. Names of columns are compared without regard to capitals, values in their canonical form (`privacy.canonical`); a
   token in a value's place is that value.
5. To erase, every text is looked at in columns that the contract does not know, or no longer, that come from others,
   and in datasets that name no subject. There, tokens are found within texts, and of values only those that mean
   nobody else: a number of a customer would be found in columns that count something else.
6. To erase, a row set aside is a person's if its record holds one of the tokens or spellings as a word of its own, or
   one of the names in a column that names persons.
7. Retention asks for nobody: rows are past by their date (`governance.retain`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lastro.model.personal import Method, Personal, PersonalClass
from lastro.model.subject import Person, Place, Skipped
from lastro.model.text import _
from lastro.privacy.canonical import canonical, form_of
from lastro.store.erasure.finding import AnyOf, ByText, Doomed

if TYPE_CHECKING:
    import pyarrow as pa

    from lastro.privacy.vault import Entry, Vault

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
    linked: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
    """Further names that are theirs alone, by kind (rule 1)."""

    @property
    def names(self) -> dict[str, frozenset[str]]:
        """The identifiers of each kind, as they are known."""
        return {**self.linked, self.kind: self.values | self.linked.get(self.kind, frozenset())}

    @property
    def all_tokens(self) -> frozenset[str]:
        """The tokens of every kind."""
        return frozenset(token for tokens in self.tokens.values() for token in tokens)

    @property
    def spellings(self) -> frozenset[str]:
        """The identifiers as they were given, in their canonical form, and as people write them."""
        named = ((kind, value) for kind, values in self.names.items() for value in values)
        return frozenset(each for kind, value in named for each in spellings(kind, value))

    @property
    def needles(self) -> frozenset[str]:
        """What must stand nowhere afterwards: tokens, and spellings that are long enough to be told from other text."""
        return self.all_tokens | {each for each in self.spellings if len(each) >= SHORTEST}


@dataclass(frozen=True, slots=True)
class Rows:
    """Says which rows of a dataset are a person's: those in whose `columns` one of the names stands.

    `gone` is what `store.erasure` asks of a predicate, so that what is found is what can be erased.
    """

    kinds: Mapping[str, str]
    """The kind of each column, by its name."""
    values: Mapping[str, frozenset[str]] = field(repr=False)
    """The canonical values of each kind."""
    tokens: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, person: Person, places: Iterable[Place]) -> Rows:
        """The rows of a person in one dataset."""
        values: dict[str, set[str]] = {}
        for name in person.names:
            values.setdefault(name.kind, set()).add(canonical(name.kind, name.value))
        tokens = frozenset(name.token for name in person.names if name.token)
        return cls(
            {place.column: place.kind for place in places},
            {kind: frozenset(each) for kind, each in values.items()},
            tokens,
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell."""
        return tuple(self.kinds)

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True for each row of a batch that is the person's; columns that it lacks tell nothing."""
        import pyarrow as pa
        import pyarrow.compute as pc

        by_name = {name.casefold(): name for name in batch.schema.names}
        found = pa.array([False] * batch.num_rows, pa.bool_())
        for column, kind in self.kinds.items():
            name = by_name.get(column.casefold())
            coded = None if name is None else _coded(batch.column(name))
            if coded is not None:
                mine = pc.take(self._among(coded.dictionary, kind), coded.indices)
                found = pc.or_(found, pc.fill_null(mine, fill_value=False))
        return found

    def test(self, kind: str) -> Callable[[str], bool]:
        """Whether a text names the person."""
        form, values, tokens = form_of(kind), self.values.get(kind, frozenset()), self.tokens
        # Where tokens stand among values, they are told by their first letters.
        return lambda text: text in tokens or (not text.startswith("tok_") and form(text) in values)

    def _among(self, values: pa.Array, kind: str) -> pa.Array:
        """Which of these different texts name the person; where all are tokens, no value is."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not pc.all(pc.starts_with(values, "tok_")).as_py():
            test = self.test(kind)
            return pa.array([text is not None and test(text) for text in values.to_pylist()], pa.bool_())
        return pc.is_in(values, value_set=pa.array(sorted(self.tokens), pa.string()))

    @classmethod
    def named(cls, sought: Sought, column: str, kind: str) -> Rows:
        """The rows in which a column names these people."""
        values = {kind: frozenset(map(form_of(kind), found)) for kind, found in sought.names.items()}
        return cls({column: kind}, values, sought.all_tokens)


def _coded(column: pa.Array) -> pa.DictionaryArray | None:
    """The values as texts, each different one once; None where none can be a name: of lists, records and bytes."""
    import pyarrow as pa

    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    types = pa.types
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    bytes_of = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    if types.is_nested(kind) or any(test(kind) for test in bytes_of):
        return None
    if not types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(column.indices, column.dictionary.cast(pa.string()))


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


def about(personal: Personal) -> dict[str, str]:
    """The columns that say whom a row is about, and what they hold (rule 2)."""
    subject = personal.subject
    return _identifying(personal) if subject is None else {subject.column: subject.kind}


def naming(personal: Personal) -> dict[str, str]:
    """All columns that name persons, and what they hold (rule 2)."""
    kinds = {each.column: each.kind for each in personal.classes if each.kind} | _identifying(personal)
    return kinds if personal.subject is None else {**kinds, personal.subject.column: personal.subject.kind}


def _identifying(personal: Personal) -> dict[str, str]:
    """The columns of identifiers and of tokens; a kind that is not said is the column's name."""
    said = {each.column: each.kind or each.column for each in personal.classes if each.of is PersonalClass.IDENTIFIER}
    return said | {each.column: each.kind for each in personal.protections if each.method is Method.TOKEN}


Columns = Callable[[Personal], Mapping[str, str]]
"""`about` or `naming`."""


def is_theirs(vault: Vault, entry: Entry, person: str, kind: str) -> bool:
    """True if an entry is nobody's but this person's, who is known by a token and a kind (rule 1)."""
    if entry.token == person:
        return True
    if not set(vault.owners(entry.token)) <= {entry.token, person}:
        return False
    if not entry.is_subject:
        return True
    return entry.kind != kind and all(each.token == person for each in vault.entries(entry.token) if each.kind == kind)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a dataset before it is searched: `made_from` says of each column of a derived one which
    `(dataset, column)` it comes from, `upstream` what it is made of.
    """

    dataset: str
    personal: Personal
    columns: tuple[str, ...] = ()
    made_from: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    upstream: tuple[str, ...] = ()
    fault: str = ""


def where_to_look(
    known: Sequence[Known], kinds: Iterable[str], of: Columns
) -> tuple[tuple[Place, ...], tuple[Skipped, ...]]:
    """The columns to search for persons of these kinds – `about` them, or that `name` them –, those that come from them
    (rule 3), and the datasets that are not searched.
    """
    wanted = set(kinds)
    found = {each.dataset: places for each in known if (places := _own(each, wanted, of))}
    waiting = [each for each in known if each.upstream and not each.fault]
    while True:
        fresh = {each.dataset: new for each in waiting if (new := list(_inherited(each, found)))}
        if not fresh:
            break
        for name, places in fresh.items():
            found[name] = [*found.get(name, ()), *places]
    skipped = [Skipped(each.dataset, _why_not(each)) for each in known if each.dataset not in found]
    return tuple(place for each in known for place in found.get(each.dataset, ())), tuple(skipped)


def _own(each: Known, kinds: set[str], of: Columns) -> list[Place]:
    said = {} if each.fault else of(each.personal)
    return [Place(each.dataset, column, kind) for column, kind in said.items() if kind in kinds]


def _inherited(each: Known, found: Mapping[str, Sequence[Place]]) -> Iterator[Place]:
    """Columns of a derived dataset that come from places, and are none yet."""
    taken = {place.column.casefold() for place in found.get(each.dataset, ())}
    for upstream in dict.fromkeys(each.upstream):
        for place in found.get(upstream, ()):
            for column in each.columns:
                if column.casefold() not in taken and _comes_from(each, column, place):
                    taken.add(column.casefold())
                    yield Place(each.dataset, column, place.kind, f"{place.dataset}.{place.column}")


def _comes_from(each: Known, column: str, place: Place) -> bool:
    origins = each.made_from.get(column)
    if not origins:
        return column.casefold() == place.column.casefold()
    wanted = (place.dataset, place.column.casefold())
    return any((dataset, name.casefold()) == wanted for dataset, name in origins)


def _why_not(each: Known) -> str:
    if each.fault:
        return each.fault
    subject = each.personal.subject
    if subject is not None:
        return _("its subject is named by {kind}").format(kind=subject.kind)
    if each.personal.is_personal:
        return _("its contract names no subject, though it holds personal values")
    return _("its contract names no subject")


def rows_of(
    sought: Sought,
    personal: Personal | None,
    texts: Sequence[str],
    *,
    inherited: Mapping[str, str] | None = None,
    names: Sequence[str] = (),
) -> Doomed | None:
    """Which rows of a dataset name these people. `names` are the columns of any of its versions, `texts` those of text;
    `inherited` those that come from columns that name persons, and what they hold.
    """
    known = personal or Personal()
    own, classified = naming(known), {each.column.casefold() for each in known.classes}
    written = {column: _written(column, names) for column in {**(inherited or {}), **own}}
    reasons: list[Doomed] = [
        Rows.named(sought, name, kind)
        for column, kind in {**(inherited or {}), **own}.items()
        if sought.tokens.get(kind) or sought.names.get(kind)
        for name in written[column]
    ]
    told = {name for column in own for name in written[column]}
    for column in texts:
        if column not in told and (known.subject is None or column.casefold() not in classified):
            reasons += _of_text(sought, column)
    return AnyOf(reasons) if reasons else None


def _written(column: str, names: Sequence[str]) -> tuple[str, ...]:
    """A column's names in the versions of a table (rule 4)."""
    return tuple(name for name in names if name.casefold() == column.casefold()) or (column,)


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


def _of_text(sought: Sought, column: str) -> Iterator[Doomed]:
    if sought.all_tokens:
        yield ByText(column, sought.all_tokens)
    for kind in _TELLING & sought.names.keys():
        yield Rows.named(sought, column, kind)

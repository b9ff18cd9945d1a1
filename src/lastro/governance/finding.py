"""Finding a person: by what they are named, in which columns, in how many rows of which versions.

Rules:

1. A person is named by a kind and a value (`cpf=…`) or by a token of the vault.
2. Whose rows they are, in which columns, and how values are compared is said in `sought`; here, rows *about* the person
   are meant, since what is found is handed to them and put right.
3. Versions share files, and each file is read once. What was collected can no longer be searched; it is told.
4. Rows set aside are searched wherever they stand, open or not: in the subject's column of a record; in a line that
   could not be taken apart, as a word of it.
5. No error holds what was asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lastro.governance.aside import cells, holds, names_aside
from lastro.governance.sought import Rows, is_theirs
from lastro.model.errors import UnknownName, UsageError
from lastro.model.plan import Plan
from lastro.model.subject import Named, Person, Stands
from lastro.model.text import _
from lastro.privacy.canonical import canonical
from lastro.privacy.token import TOKEN
from lastro.privacy.vault import Entry, Vault

if TYPE_CHECKING:
    import pyarrow as pa

    from lastro.engine.protocol import Engine
    from lastro.store.table import Table

KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}", re.ASCII)


def identify(vault: Vault, asked: str, kinds: Iterable[str]) -> Person:
    """Whom `cpf=…`, or a token, means. `kinds` are those that contracts name subjects by. Raises `UsageError`,
    `UnknownName`.
    """
    known = sorted(set(kinds))
    if TOKEN.fullmatch(asked.strip()):
        return _by_token(vault, asked.strip())
    kind, equals, value = asked.partition("=")
    kind = kind.strip()
    if not equals or not KIND.fullmatch(kind):
        raise UsageError(
            _("this does not say who is meant"),
            do=_("write KIND=VALUE, such as cpf=…, or a token; kinds that contracts name: {kinds}").format(
                kinds=", ".join(known) or _("none")
            ),
        )
    if kind not in known:
        raise UnknownName(
            _("no contract names its subject by this kind"),
            do=_("use one of: {kinds}; a contract names its subject by `subject: COLUMN`").format(
                kinds=", ".join(known) or _("none")
            ),
        )
    if not canonical(kind, value):
        raise UsageError(_("the value is empty"), do=_("write KIND=VALUE, such as cpf=…"))
    if TOKEN.fullmatch(value.strip()):
        found = _by_token(vault, value.strip())
        if found.asked.kind != kind:
            raise UsageError(
                _("the token names somebody by another kind"), do=_("leave the kind out: the token tells it")
            )
        return found
    return _linked(vault, Named(kind, value, vault.find(kind, value)))


def _by_token(vault: Vault, token: str) -> Person:
    entry = vault.reveal([token]).get(token)
    if entry is None or not entry.is_subject:
        raise UnknownName(
            _("the vault knows nobody by this token"), do=_("look the person up by a value: KIND=VALUE, such as cpf=…")
        )
    return _linked(vault, Named(entry.kind, entry.value, token))


def _linked(vault: Vault, asked: Named) -> Person:
    """With further names that are followed (`sought`, rule 1)."""
    if asked.token is None:
        return Person(asked)
    others = [each for each in vault.entries(asked.token)[1:] if each.is_subject]
    alone = [each for each in others if is_theirs(vault, each, asked.token, asked.kind)]
    linked = tuple(Named(each.kind, each.value, each.token) for each in alone)
    return Person(asked, linked, len(others) - len(alone))


class Telling(Protocol):
    """Says of each row of a batch whether it is meant; what `store.erasure` calls doomed."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell."""
        ...

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True for each row that is meant."""
        ...


def count(table: Table, engine: Engine, rows: Telling) -> tuple[dict[int, int], dict[str, int], tuple[int, ...]]:
    """The rows that are meant in each retained version that has any, and in each file; and the versions that were
    collected.

    Raises `Corrupted`.
    """
    by_file: dict[str, int] = {}
    by_version: dict[int, int] = {}
    gone = table.expired()
    for info in table.history():
        if info.number in gone:
            continue
        names = _present(info.schema.names, rows.columns)
        paths = dict(zip((entry.path for entry in info.files), table.paths(info), strict=True))
        for path, place in paths.items():
            if path not in by_file:
                by_file[path] = _count_in(engine.read([place], info.schema, columns=names), rows) if names else 0
        total = sum(by_file[path] for path in paths)
        if total:
            by_version[info.number] = total
    return by_version, {path: n for path, n in by_file.items() if n}, tuple(sorted(gone))


def _present(names: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    folded = {each.casefold() for each in wanted}
    return tuple(name for name in names if name.casefold() in folded)


def _count_in(stream: Any, rows: Telling) -> int:  # Any: an Arrow stream
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_stream(stream)
    return sum(rows.gone(batch).true_count for batch in reader)


@dataclass(frozen=True, slots=True)
class Aside:
    """Says which records of a quarantine are a person's (rule 5). `names` are the records' names of the columns that
    tell, for rows as their source gave them (`raw`) and for rows that were cleaned (`clean`).
    """

    rows: Rows
    names: Mapping[str, Mapping[str, str]]
    vault: Vault

    @classmethod
    def of(cls, rows: Rows, plan: Plan, vault: Vault) -> Aside:
        """For a dataset's quarantine."""
        return cls(rows, names_aside(rows.kinds, plan), vault)

    def theirs(self, forms: Sequence[str], records: Sequence[str]) -> list[int]:
        """The places of the records that are about the person; marks are about nobody."""
        lines = [
            record for form, record in zip(forms, records, strict=True) if form == "text" and TOKEN.fullmatch(record)
        ]
        kept = self.vault.reveal(lines) if lines else {}
        both = zip(forms, records, strict=True)
        return [place for place, (form, record) in enumerate(both) if self._is_theirs(form, record, kept)]

    def _is_theirs(self, form: str, record: str, kept: Mapping[str, Entry]) -> bool:
        if form == "text":
            return self._in_line(kept[record].value if record in kept else record)
        return any(self.rows.test(kind)(text) for text, kind in cells(record, self.names.get(form, {})))

    def _in_line(self, line: str) -> bool:
        return any(holds(line, kind, value) for kind, values in self.rows.values.items() for value in values)


def set_aside(table: Table, engine: Engine, aside: Aside) -> Iterator[dict[str, Any]]:  # Any: the quarantine's columns
    """The rows of a quarantine that are about the person, open or not. Raises `Corrupted`."""
    import pyarrow as pa

    head = table.head()
    if head is None:
        return
    stream = engine.read(table.paths(head), head.schema)
    for batch in pa.RecordBatchReader.from_stream(stream):
        mine = aside.theirs(batch.column("form").to_pylist(), batch.column("record").to_pylist())
        yield from batch.take(pa.array(mine, pa.int64())).to_pylist() if mine else ()


def sought(dataset: str, tables: tuple[Table, Table], engine: Engine, rows: Rows, aside: Aside | None) -> Stands:
    """Where a person stands in one dataset. Raises `Corrupted`."""
    table, quarantine = tables
    versions, files, lost = count(table, engine, rows)
    head = table.head()
    beside = Counter(1 for _row in set_aside(quarantine, engine, aside)) if aside is not None else Counter[int]()
    return Stands(
        dataset,
        rows.columns,
        None if head is None else head.number,
        dict(sorted(versions.items())),
        files,
        beside[1],
        lost,
    )

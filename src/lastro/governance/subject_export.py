"""Access and portability: everything about a person as files that they can take along.

GDPR 12(3), 15, 20; LGPD 9, 18 I, II, V, 19.

Rules:

1. Rows are those that `governance.finding` finds: of the newest versions or, if asked for, of every retained one, each
   once, with the versions in which it stands. Of very many rows, one may be told again for each file that has it.
2. The person's own tokens, and those of values in their rows, are turned into the values. A token that names somebody
   else stays, and so does one of a kind by which the person is named: nobody gets another's identifier (GDPR 15(4)).
   How many stay is told.
3. JSON lines hold values as they are. CSV is for people: nested values are JSON, and a text – or a column's name – that
   a spreadsheet would take for a formula has an apostrophe before it.
4. Rows stream: a person with a million rows needs no more memory than one with a hundred.
5. The folder is new, readable by its owner alone, and outside the workspace and of any folder under git. It gets its
   name once it is whole, and once the ledger says that it was made.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.governance.finding import Aside, Rows, set_aside
from lastro.model import digest
from lastro.model.durable import sync_folder
from lastro.model.errors import UsageError, WriteFailed
from lastro.model.schema import Schema
from lastro.model.subject import Stands
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.privacy import records
from lastro.privacy.canonical import OWN
from lastro.privacy.token import TOKEN
from lastro.privacy.vault import Entry, Vault

if TYPE_CHECKING:
    import pyarrow as pa

    from lastro.engine.protocol import Engine
    from lastro.model.version import VersionInfo
    from lastro.store.table import Table

DATA = "data"
VERSIONS = "_versions"
MERGED_MAX = 100_000
"""So many rows of all versions are compared, so that each is told once; of more, each file's rows are told."""
_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
IDENTIFIERS = "_vault.jsonl"
"""Begins as no dataset's name does."""
_MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Holder:
    """A dataset to be written: its tables, where the person stands in it, and what tells their rows."""

    stands: Stands
    table: Table
    quarantine: Table
    rows: Rows
    aside: Aside | None


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of a package, relative to its folder; `others` counts the values that stay as tokens (rule 2)."""

    dataset: str
    path: str
    rows: int
    columns: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    others: int = 0


@dataclass(slots=True)
class Revealing:
    """Turns tokens into values (rule 2). `own` are the tokens that name the person, `kinds` the kinds of those."""

    vault: Vault
    own: frozenset[str]
    kinds: frozenset[str] = frozenset()
    others: int = 0
    unknown: int = 0

    def shows(self, entry: Entry) -> bool:
        """Whether an entry may be shown: it names the person, or nobody (rule 2)."""
        return entry.token in self.own or not (entry.is_subject or entry.kind in self.kinds)

    def over(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch with values in the place of tokens, in columns of text."""
        import pyarrow as pa

        columns = [self._column(column) if pa.types.is_string(column.type) else column for column in batch.columns]
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    def text(self, cell: str) -> Any:  # Any: a JSON value
        """What a cell of a record stands for: one token, or the token of its kind and then that of the very value."""
        import msgspec

        tokens = cell.split(" ")
        if not all(map(TOKEN.fullmatch, tokens)):
            return cell
        entries = self._entries(tokens)
        shown = records.reopened(cell, entries) if len(entries) == len(set(tokens)) else None
        return cell if shown is None else msgspec.json.decode(shown)

    def _column(self, column: pa.Array) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not pc.any(pc.starts_with(column, "tok_")).as_py():
            return column
        coded = column.dictionary_encode()
        texts = coded.dictionary.to_pylist()
        values = self._values([text for text in texts if TOKEN.fullmatch(text)])
        plain = pa.array([values.get(text, text) for text in texts], pa.string())
        return plain.take(coded.indices)

    def _values(self, tokens: Sequence[str]) -> dict[str, str]:
        return {token: entry.value for token, entry in self._entries(tokens).items()}

    def _entries(self, tokens: Sequence[str]) -> dict[str, Entry]:
        """The entries that may be shown."""
        entries = self.vault.reveal(tokens)
        kept = {token: entry for token, entry in entries.items() if self.shows(entry)}
        self.others += len(entries) - len(kept)
        self.unknown += len(set(tokens)) - len(entries)
        return kept


@contextmanager
def package(folder: Path, *, workspace: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A new folder that is being made, and the function that gives it its name (rule 5); without that nothing is left.

    Raises `UsageError`, `WriteFailed`.
    """
    target = refuse_place(folder, workspace)
    making = target.with_name(f".{target.name[:80]}.{uuid.uuid4().hex}")

    def finish() -> None:
        sync_folder(making)
        making.rename(target)
        sync_folder(target.parent)

    try:
        making.mkdir(mode=0o700)
        making.chmod(0o700)
        (making / DATA).mkdir(mode=0o700)
        yield making, finish
    except OSError as error:
        raise WriteFailed(
            _("the package cannot be written there: {reason}").format(reason=reason_of(error)),
            where=str(folder),
            do=_("name a folder that can be written and has room"),
            state=_("nothing of it is left"),
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def refuse_place(folder: Path, workspace: Path) -> Path:
    """The folder's whole path. Raises `UsageError` for one that is there, or in which personal values may not lie."""
    if folder.exists() or folder.is_symlink():
        raise UsageError(_("the folder is there already"), where=str(folder), do=_("name a new one"))
    try:
        parent = folder.parent.resolve(strict=True)
    except OSError as error:
        raise UsageError(
            _("the folder's parent is not there: {reason}").format(reason=reason_of(error)),
            where=str(folder),
            do=_("make it, or name another folder"),
        ) from error
    elsewhere = _("name a folder outside of both, on a disk that is encrypted")
    if parent.is_relative_to(workspace.resolve()):
        raise UsageError(_("a person's values do not belong into the workspace"), where=str(folder), do=elsewhere)
    if any((each / ".git").exists() for each in (parent, *parent.parents)):
        raise UsageError(_("a person's values do not belong under git"), where=str(folder), do=elsewhere)
    return parent / folder.name


def write(
    folder: Path, holder: Holder, engine: Engine, revealing: Revealing, *, every_version: bool
) -> tuple[WrittenFile, ...]:
    """Writes a dataset's rows about the person into `data/`, as JSON lines and CSV.

    Raises `Corrupted`, `WriteFailed`.
    """
    parts = list(_parts(holder, every_version=every_version))
    written: list[WrittenFile] = []
    for place, part in enumerate(parts):
        stem = holder.stands.dataset if place == 0 else f"{holder.stands.dataset}.columns-{place + 1}"
        written += _write_part(folder, stem, part, engine, revealing)
    if holder.aside is not None and holder.stands.quarantined:
        written.append(_write_aside(folder, holder, holder.aside, engine, revealing))
    return tuple(written)


@dataclass(frozen=True, slots=True)
class _Part:
    """Files of one schema that hold rows of the person, each with the versions to which it belongs."""

    holder: Holder
    schema: Schema
    files: tuple[tuple[Path, tuple[int, ...]], ...]
    tells_versions: bool
    rows: int

    @property
    def versions(self) -> tuple[int, ...]:
        return tuple(sorted({number for _path, numbers in self.files for number in numbers}))


def _parts(holder: Holder, *, every_version: bool) -> Iterator[_Part]:
    """What is to be written, the newest schema first."""
    stands, table = holder.stands, holder.table
    numbers = sorted(stands.versions, reverse=True) if every_version else [stands.newest] * bool(stands.rows)
    files: dict[str, tuple[VersionInfo, Path, list[int]]] = {}
    for number in filter(lambda each: each is not None, numbers):
        info = table.version(int(number or 0))
        for entry, path in zip(info.files, table.paths(info), strict=True):
            if entry.path in stands.files:
                files.setdefault(entry.path, (info, path, []))[2].append(info.number)
    by_schema: dict[Schema, list[str]] = {}
    for name, (info, _path, _versions) in files.items():
        by_schema.setdefault(info.schema, []).append(name)
    for schema, names in by_schema.items():
        found = [(files[name][1], tuple(sorted(files[name][2]))) for name in names]
        rows = sum(stands.files[name] for name in names)
        yield _Part(holder, schema, tuple(sorted(found, key=lambda each: each[1])), every_version, rows)


def _write_part(folder: Path, stem: str, part: _Part, engine: Engine, revealing: Revealing) -> Iterator[WrittenFile]:
    import pyarrow as pa

    for form, ending in (("jsonl", "jsonl"), ("csv", "csv")):
        before = revealing.others
        name = f"{DATA}/{stem}.{ending}"
        for_sheets = form == "csv"
        batches = _batches(part, engine, revealing)
        first = next(batches)
        made = _for_sheets(first) if for_sheets else first
        rest = map(_for_sheets, batches) if for_sheets else batches
        reader = pa.RecordBatchReader.from_batches(made.schema, _chained(made, rest))
        rows = engine.write(reader, folder / name, form=form)
        (folder / name).chmod(0o600)
        columns = tuple(first.schema.names)
        yield WrittenFile(part.holder.stands.dataset, name, rows, columns, part.versions, revealing.others - before)


def _chained(first: pa.RecordBatch, rest: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _batches(part: _Part, engine: Engine, revealing: Revealing) -> Iterator[pa.RecordBatch]:
    """The rows of a part; of every version, each row that did not change once, with all its versions."""
    if not part.tells_versions:
        yield from (revealing.over(batch) for batch, _versions in _rows(part, engine))
        return
    together = _together(part, engine) if part.rows <= MERGED_MAX else None
    for batch, versions in _rows(part, engine):
        if together is None:
            yield _with_versions(revealing.over(batch), [versions] * batch.num_rows)
            continue
        told = [next(together) for _row in range(batch.num_rows)]
        first = [place for place, each in enumerate(told) if each]
        yield _with_versions(revealing.over(batch.take(first)), [told[place] for place in first])


def _rows(part: _Part, engine: Engine) -> Iterator[tuple[pa.RecordBatch, tuple[int, ...]]]:
    """The person's rows, batch by batch, and the versions to which their file belongs; the first may be empty."""
    import pyarrow as pa

    for path, versions in part.files:
        for batch in pa.RecordBatchReader.from_stream(engine.read([path], part.schema)):
            mine = _plain(batch.filter(part.holder.rows.gone(batch)))
            if mine.num_rows or path == part.files[0][0]:
                yield mine, versions


def _together(part: _Part, engine: Engine) -> Iterator[tuple[int, ...]]:
    """For each row in order: where it stands first, all versions that have it; nothing where it stands again.

    Two equal rows of one version are two rows.
    """
    found: dict[tuple[bytes, int], set[int]] = {}
    order: list[tuple[bytes, int] | None] = []
    for batch, versions in _rows(part, engine):
        for row in batch.to_pylist():
            key = (hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=16).digest(), 0)
            while not found.setdefault(key, set()).isdisjoint(versions):
                key = (key[0], key[1] + 1)
            order.append(None if found[key] else key)
            found[key].update(versions)
    return iter([() if key is None else tuple(sorted(found[key])) for key in order])


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows without view types."""
    import pyarrow as pa

    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary(), pa.large_string(): pa.string()}
    fields = [each.with_type(plain.get(each.type, each.type)) for each in batch.schema]
    return batch.cast(pa.schema(fields)) if any(each.type in plain for each in batch.schema) else batch


def _with_versions(batch: pa.RecordBatch, versions: Sequence[Sequence[int]]) -> pa.RecordBatch:
    import pyarrow as pa

    name = VERSIONS
    while name in {each.casefold() for each in batch.schema.names}:
        name += "_"
    told = pa.array([list(each) for each in versions], pa.list_(pa.int64()))
    return batch.append_column(name, told)


def _for_sheets(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch as a spreadsheet may open it (rule 3)."""
    import re

    import pyarrow as pa
    import pyarrow.compute as pc

    def safe(column: pa.Array) -> pa.Array:
        if not pa.types.is_string(column.type):
            return column
        risky = pc.fill_null(pc.match_substring_regex(column, _FORMULA), fill_value=False)
        return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)

    columns = list(map(safe, batch.columns))
    names = [f"'{name}" if re.match(_FORMULA, name) else name for name in batch.schema.names]
    return pa.RecordBatch.from_arrays(columns, names=names)


def _write_aside(folder: Path, holder: Holder, aside: Aside, engine: Engine, revealing: Revealing) -> WrittenFile:
    import msgspec

    name, rows, before = f"{DATA}/{holder.stands.dataset}.set-aside.jsonl", 0, revealing.others
    with open(folder / name, "xb", opener=_private) as stream:
        for row in set_aside(holder.quarantine, engine, aside):
            shown = {"rules": row["rules"], "source": row["source"], "position": row["position"], "form": row["form"]}
            stream.write(msgspec.json.encode({**shown, "record": _opened(row, revealing)}) + b"\n")
            rows += 1
        stream.flush()
        os.fsync(stream.fileno())
    return WrittenFile(holder.stands.dataset, name, rows, others=revealing.others - before)


def write_entries(folder: Path, entries: Sequence[Entry], revealing: Revealing) -> WrittenFile:
    """Writes the person's values that the vault holds as JSON lines: kind and value. Others' names are left out; what
    was set aside has a file of its own.
    """
    import msgspec

    entries = [each for each in entries if not each.kind.startswith(OWN)]
    mine = [each for each in entries if revealing.shows(each)]
    told = [{"kind": each.kind, "value": each.value} for each in mine]
    private(folder / DATA / IDENTIFIERS, "".join(msgspec.json.encode(each).decode() + "\n" for each in told))
    return WrittenFile("", f"{DATA}/{IDENTIFIERS}", len(told), others=len(entries) - len(mine))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _opened(row: dict[str, Any], revealing: Revealing) -> Any:  # Any: JSON values
    import msgspec

    record = row["record"]
    if row["form"] == "text":
        return revealing.text(record)
    try:
        members = msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeError):
        return record
    if not isinstance(members, dict):
        return record
    return {name: revealing.text(value) if isinstance(value, str) else value for name, value in members.items()}


def manifest(folder: Path, about: dict[str, Any], written: Iterable[WrittenFile]) -> Path:  # Any: JSON values
    """Writes `manifest.json`: `about`, and the SHA-256 and size of every other file of the folder."""
    import json

    rows = {each.path: each for each in written}
    files = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        told = rows.get(name)
        more = {} if told is None else {"dataset": told.dataset, "rows": told.rows, "versions": list(told.versions)}
        files.append({"path": name, "size": path.stat().st_size, "sha256": digest.of_file(path), **more})
    target = folder / _MANIFEST
    text = json.dumps({"lastro_subject_export": FORMAT, **about, "files": files}, ensure_ascii=False, indent=1)
    private(target, text + "\n")
    return target


def private(path: Path, text: str) -> None:
    """Writes a new file that its owner alone can read, durably. Raises `OSError`."""
    with open(path, "x", encoding="utf-8", errors="backslashreplace", newline="\n", opener=_private) as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())

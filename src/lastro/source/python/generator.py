"""A person's own Python function as a source: `function: sources/mine.py:rows`.

Rules:

1. The file lies in the workspace and is code that the workspace's owner trusts: it runs in this process, with all its
   rights. Its rows are not trusted: they go through the contract like any others.
2. The function gives rows (see `rows`), at once or one by one. If it has a parameter `cursor`, it is given the cursor
   of the last commit, None at first, and says how far it came: by yielding `Cursor({…})`, or as what it returns.
3. `append` needs that: rows behind the last cursor would be read again. They are refused.
4. A cursor that is yielded is a place where reading may stop: once a batch has `batch_rows` rows, it does.
5. Other parameters are `arguments`; a text in them may be a reference (`${NAME}`) and is then resolved for the call.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lastro.model.digest import canonical
from lastro.model.errors import ConfigurationError, SourceBroken, SourceChanged
from lastro.model.text import _, ngettext
from lastro.model.version import Mode
from lastro.source.moved import newest
from lastro.source.options import SourceOptions, identity, plain, read_cursor, read_options, write_cursor, wrong_option
from lastro.source.protocol import Cursor as StoredCursor
from lastro.source.protocol import Handed, Opened, Unchanged
from lastro.source.python.rows import Item, Values, rows_of, scan_of, size_of, told
from lastro.source.secret import Secret, refers, sounds_secret
from lastro.source.stream import telling

CURSOR_BYTES_MAX = 1 << 20


class Cursor(dict[str, Any]):  # Any: JSON values
    """How far a person's function came: JSON values, given back to it after the next commit.

    >>> Cursor(last_id=7)
    {'last_id': 7}
    """


class PythonOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `python`."""

    function: Annotated[str, Meta(min_length=1)]
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)  # Any: what the function takes
    batch_rows: Annotated[int, Meta(ge=1)] = 1_000_000


class PythonCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a function was told to remember: `of` identifies it, `value` is its own."""

    of: str
    value: dict[str, Any] | None = None  # Any: JSON values


@dataclass(frozen=True, slots=True)
class PythonSource:
    """A function in a file of the workspace. The values behind references are in no repr."""

    function: str
    base: Path
    arguments: Mapping[str, Any]  # Any: what the function takes
    batch_rows: int
    kind: str = "python"

    @property
    def label(self) -> str:
        """File and function, as they were given."""
        return self.function

    def moved(self, earlier: Mapping[str, StoredCursor], *, same: bool) -> Handed | None:
        """The cursor of the same function in another file, or under another name."""
        as_own = partial(msgspec.structs.replace, of=self._of)
        return newest(earlier, PythonCursor, as_own) if same else None

    @contextmanager
    def open(self, cursor: StoredCursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """The function's rows. Raises `ConfigurationError`, `SourceBroken`."""
        last = None if cursor is None else read_cursor(cursor, PythonCursor, self.label)
        with loaded(self.function, self.base) as function:
            taking = "cursor" in _parameters(function)
            if mode is Mode.APPEND:
                _check_append(last, self._of, taking=taking, label=self.label)
            start = last.value if last and taking and mode is not Mode.OVERWRITE else None
            reading = Reading(self, mode, start, taking=taking)
            arguments = resolved(self.arguments) | ({"cursor": start} if taking else {})
            with reading.calling():
                items = rows_of(function(**arguments))
            scan, stream = scan_of(reading.items(items), self.label)
            if last is not None and mode is not Mode.OVERWRITE and reading.brings_nothing:
                yield Unchanged()
                return

            def watermark() -> StoredCursor:
                stream.check_finished(self.label)
                return write_cursor(PythonCursor(self._of, reading.cursor_after()))

            with telling(stream):
                yield Opened(scan, watermark, self.label, more=lambda: reading.stopped)

    @property
    def _of(self) -> str:
        return identity(self.function)


class Reading:
    """One call of a function, while its items are taken. `stopped` if it was left before its end."""

    def __init__(self, source: PythonSource, mode: Mode, start: Values | None, *, taking: bool) -> None:
        self._source, self._mode, self._taking = source, mode, taking
        self._start = self._cursor = None if start is None else dict(start)
        self._rows = self._behind = 0
        self._ended = False
        self.stopped = False

    @property
    def brings_nothing(self) -> bool:
        """True once the function ended without a row, and where it began."""
        return self._ended and self._rows == 0 and self._cursor == self._start

    def items(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items but the cursors among them. Raises what the function raises, in our words."""
        while True:
            with self.calling():
                try:
                    item = next(items)
                except StopIteration as end:
                    self._end(end.value)
                    return
            if isinstance(item, Cursor):
                self._note(item)
                if self._rows >= self._source.batch_rows and self._mode is not Mode.OVERWRITE:
                    self.stopped = True
                    close = getattr(items, "close", None)
                    if close is not None:
                        with self.calling():
                            close()
                    return
                continue
            self._rows += size_of(item)
            self._behind += size_of(item)
            yield item

    def cursor_after(self) -> dict[str, Any] | None:  # Any: JSON values
        """The cursor to commit. Raises `SourceBroken` if `append` would read rows again from it (rule 3)."""
        if self._mode is Mode.APPEND and self._taking and self._behind:
            raise SourceBroken(
                ngettext(
                    "{count:,} row came behind the last cursor, and would be read again",
                    "{count:,} rows came behind the last cursor, and would be read again",
                    self._behind,
                ).format(count=self._behind),
                where=self._source.label,
                do=_("yield Cursor({…}) after the rows it stands for, or return it at the end"),
            )
        return self._cursor

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Tells an error of the function by its kind and place."""
        try:
            yield
        except StopIteration:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a person's code may raise anything; only its message is dropped
            raise told(error, self._source.base, self._source.label) from None

    def _end(self, value: object) -> None:
        self._ended = True
        if isinstance(value, Mapping):
            self._note(value)

    def _note(self, value: Values) -> None:
        try:
            size = len(canonical(plain(value)))
        except (TypeError, ValueError):
            raise SourceBroken(
                _("a cursor holds what JSON does not"),
                where=self._source.label,
                do=_("put texts, numbers, lists and mappings into it; write a date as text"),
            ) from None
        if size > CURSOR_BYTES_MAX:
            raise SourceBroken(
                _("a cursor of {size:,} bytes is too large: it stands in every commit").format(size=size),
                where=self._source.label,
                do=_("note how far you came, not what you saw"),
            )
        self._cursor, self._behind = plain(value), 0


def python_source(options: Mapping[str, Any], base: Path) -> PythonSource:  # Any: a person's YAML values
    """The source of kind `python`. Raises `ConfigurationError`."""
    given = read_options(options, PythonOptions)
    check_arguments(given.kind, given.arguments)
    return PythonSource(given.function, base, given.arguments, given.batch_rows)


@contextmanager
def loaded(function: str, base: Path, *, derived: str = "") -> Iterator[Callable[..., Any]]:  # Any: what it gives
    """The function of a file in the workspace, while its module is loaded. `derived` is the dataset it makes, if any.

    Raises `ConfigurationError`, `SourceBroken`.
    """
    file, colon, name = function.rpartition(":")
    path = base / file
    inside = colon and path.resolve().is_relative_to(base.resolve()) and path.suffix == ".py"
    if not inside or not path.is_file():
        raise ConfigurationError(
            _("{function} names no function in a file of the workspace").format(function=function[:200]),
            do=_("write sources/mine.py:rows"),
        )
    module = ModuleType(f"lastro_{identity(str(path))}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(path.parent))
    try:
        try:
            exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102 - rule 1
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a person's code may raise anything; only its message is dropped
            raise told(error, base, function, derived=derived) from None
        found = getattr(module, name, None)
        if found is None:
            raise ConfigurationError(
                _("{file} has no {name}").format(file=file, name=name[:80]), do=_("name a function that is there")
            )
        yield found
    finally:
        sys.path.remove(str(path.parent))
        sys.modules.pop(module.__name__, None)


def check_arguments(kind: str, arguments: Values) -> None:
    """Raises `ConfigurationError` if an argument is a secret that is written out."""
    for name, value in arguments.items():
        if sounds_secret(name) and isinstance(value, str) and not refers(value):
            raise wrong_option(
                kind,
                _("{name} is written out, and sounds like a secret").format(name=name[:60]),
                do=_("put it into an environment variable and write ${NAME} in its place"),
            )


def resolved(arguments: Values) -> dict[str, Item]:
    """The arguments with their references resolved. Raises `ConfigurationError`."""
    return {
        name: Secret(value).reveal() if isinstance(value, str) and refers(value) else value
        for name, value in arguments.items()
    }


def _parameters(function: Callable[..., Item]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ConfigurationError(_("what `function` names is no function"), do=_("name a function")) from None


def _check_append(last: PythonCursor | None, of: str, *, taking: bool, label: str) -> None:
    if last is None:
        return
    if not taking:
        raise ConfigurationError(
            _("appending again would double every row, since nothing says which rows are new"),
            where=label,
            do=_("give the function a parameter cursor, or use the mode overwrite or upsert"),
        )
    if last.of != of:
        raise SourceChanged(
            _("the function is another than that of the last commit"),
            where=label,
            do=_("restore it, or ingest once with --mode overwrite"),
        )

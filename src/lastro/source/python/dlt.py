"""A resource or source of dlt as a source: only its iteration is used.

Rules:

1. What dlt would keep in its pipeline's state, above all how far `dlt.sources.incremental` came, is given from our
   cursor and goes into our commit. There is no pipeline, no working folder and no telemetry.
2. Items are rows as those of a person's function are (see `rows`): normalising, schemas, destinations and write
   dispositions of dlt take no part.
3. A dataset is one table: of a source with several resources, one is named.
4. A resource that keeps no state says nothing about which rows are new: `append` reads it once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from lastro.model.errors import ConfigurationError, LastroError, MissingExtra, SourceBroken
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source.options import SourceOptions, read_cursor, read_options, write_cursor
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.source.python.generator import CURSOR_BYTES_MAX, check_arguments, loaded, resolved
from lastro.source.python.rows import Item, Values, scan_of, told
from lastro.source.stream import telling


class DltOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `dlt`. `resource` is `module:name` or `sources/mine.py:name`: a resource, a source, or a
    function that gives one; `select` names one resource of a source.
    """

    resource: Annotated[str, Meta(min_length=1)]
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)  # Any: what the function takes
    select: str | None = None


class DltCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of a resource, in the JSON in which dlt writes values that JSON lacks."""

    state: dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class DltSource:
    """A resource. The values behind references are in no repr."""

    resource: str
    select: str | None
    base: Path
    arguments: Mapping[str, Any]  # Any: what the function takes
    kind: str = "dlt"

    @property
    def label(self) -> str:
        """What was given as `resource`, and the one that was selected of it."""
        return self.resource if self.select is None else f"{self.resource}#{self.select}"

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """The resource's items. Raises `ConfigurationError`, `SourceBroken`, `MissingExtra`."""
        last = None if cursor is None else read_cursor(cursor, DltCursor, self.label)
        if mode is Mode.APPEND and last is not None and not last.state:
            raise ConfigurationError(
                _("appending again would double every row, since nothing says which rows are new"),
                where=self.label,
                do=_("give the resource an incremental (dlt.sources.incremental), or use the mode overwrite or upsert"),
            )
        start = last.state if last and mode is not Mode.OVERWRITE else {}
        with self._made() as resource:
            state = _read(start)
            counted = Counted(self, _iterated(resource, state, self))
            scan, stream = scan_of(counted, self.label)
            continued = last is not None and mode is not Mode.OVERWRITE
            if continued and counted.brought_nothing and _written(state, self.label) == start:
                yield Unchanged()
                return

            def watermark() -> Cursor:
                stream.check_finished(self.label)
                return write_cursor(DltCursor(_written(state, self.label)))

            with telling(stream):
                yield Opened(scan, watermark, self.label)

    @contextmanager
    def _made(self) -> Iterator[Any]:  # Any: a DltResource
        """The resource, ready to be iterated."""
        place, _colon, name = self.resource.rpartition(":")
        file = place.endswith(".py")
        with loaded(self.resource, self.base) if file else nullcontext(_imported(place, name)) as found:
            try:
                made = _called(found, resolved(self.arguments))
            except Exception as error:  # noqa: BLE001 - a person's code may raise anything; only its message is dropped
                raise told(error, self.base, self.label) from None
            yield _selected(made, self.select, self.label)


class Counted:
    """The items of a resource, counted. `ended` once there were no more."""

    def __init__(self, source: DltSource, items: Iterator[Item]) -> None:
        self._source, self._items = source, items
        self.items, self.ended = 0, False

    @property
    def brought_nothing(self) -> bool:
        """True once the resource ended without an item."""
        return self.ended and not self.items

    def __iter__(self) -> Iterator[Item]:
        try:
            for item in self._items:
                self.items += 1
                yield item.data if type(item).__name__ == "DataItemWithMeta" else item
        except LastroError:
            raise
        except Exception as error:  # noqa: BLE001 - a person's code may raise anything; only its message is dropped
            raise told(error, self._source.base, self._source.label) from None
        self.ended = True


def dlt_source(options: Mapping[str, Any], base: Path) -> DltSource:  # Any: a person's YAML values
    """The source of kind `dlt`. Raises `ConfigurationError`, `MissingExtra`."""
    given = read_options(options, DltOptions)
    check_arguments(given.kind, given.arguments)
    if find_spec("dlt") is None:
        raise MissingExtra(
            _("reading resources of dlt needs {library}").format(library="dlt"), do="pip install 'lastro[dlt]'"
        )
    return DltSource(given.resource, given.select, base, given.arguments)


def _imported(module: str, name: str) -> Any:  # Any: a DltResource, a DltSource or a function
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise ConfigurationError(
            _("{resource} cannot be imported").format(resource=f"{module}:{name}"[:200]),
            do=_("write module:name of what is installed, or sources/mine.py:name"),
        ) from None


def _called(found: Any, arguments: Mapping[str, Any]) -> Any:  # Any: as above
    from dlt.extract import DltResource
    from dlt.extract import DltSource as Several

    bound = isinstance(found, DltResource | Several)
    return found if bound and not arguments else found(**arguments)


def _selected(made: Any, select: str | None, label: str) -> Any:  # Any: a DltResource
    from dlt.extract import DltResource
    from dlt.extract import DltSource as Several

    if isinstance(made, DltResource) and select is None:
        return made
    if not isinstance(made, DltResource | Several):
        raise ConfigurationError(
            _("{label} is neither a resource nor a source of dlt").format(label=label),
            do=_("name a function with @dlt.resource or @dlt.source"),
        )
    names = [made.name] if isinstance(made, DltResource) else list(made.selected_resources)
    chosen = select or (names[0] if len(names) == 1 else "")
    if chosen not in names:
        raise ConfigurationError(
            _("which resource of {label}?").format(label=label),
            do=_("add select: and one of {names}").format(names=", ".join(names[:20])),
        )
    return made if isinstance(made, DltResource) else made.with_resources(chosen)


def _iterated(resource: Any, state: dict[str, Any], source: DltSource) -> Iterator[Item]:  # Any: a DltResource
    """The resource's items; while they are taken, it finds its state in ours."""
    from dlt.common.configuration.container import Container
    from dlt.common.pipeline import StateInjectableContext

    try:
        with Container().injectable_context(StateInjectableContext(state=cast(Item, state))):
            items: Iterator[Item] = iter(resource)
    except Exception as error:  # noqa: BLE001 - a person's code may raise anything; only its message is dropped
        raise told(error, source.base, source.label) from None
    return items


def _read(state: Values) -> dict[str, Item]:
    from dlt.common.json import json as typed

    found: dict[str, Item] = typed.typed_loads(json.dumps(state))
    return found


def _written(state: Values, label: str) -> dict[str, Item]:
    """The state as JSON values; empty if nothing stands in it."""
    from dlt.common.json import json as typed

    text = typed.typed_dumps(state)
    if len(text) > CURSOR_BYTES_MAX:
        raise SourceBroken(
            _("a cursor of {size:,} bytes is too large: it stands in every commit").format(size=len(text)),
            where=label,
            do=_("set a primary key or range_start='open' on the incremental, so that fewer hashes are kept"),
        )
    found: dict[str, Item] = json.loads(text)
    return found if _holds(found) else {}


def _holds(value: Any) -> bool:  # Any: JSON values
    """True if anything but empty mappings is in it."""
    return any(_holds(item) for item in value.values()) if isinstance(value, dict) else True

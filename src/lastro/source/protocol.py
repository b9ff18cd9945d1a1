"""The source protocol: everything Lastro asks of a place that data comes from.

Rules:

1. A source interprets nothing: it hands over a `Scan`; casting, cleaning and refusing are the engine's.
2. `open` is told the cursor of the last commit and answers with what came after it. The cursor is JSON, written into
   the commit that carries the rows, and nowhere else.
3. A source that can tell cheaply that nothing changed answers `Unchanged`; one that cannot, does not guess.
4. No secret appears in a cursor, a label, an error or a repr.

A third party registers a factory under the entry point `lastro.sources`: `(options: Mapping, base: Path) -> Source`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lastro.engine.scan import Scan
from lastro.model.version import Mode

Cursor = Mapping[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing new since the cursor."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What to read now. `watermark()` is asked after the scan was read to its end and gives the new cursor; it raises
    `SourceChanged` if what was read is no longer what was opened. `label` names the source for people.
    """

    scan: Scan
    watermark: Callable[[], Cursor]
    label: str
    notes: tuple[str, ...] = field(default=())


class Source(Protocol):
    """A place that data comes from."""

    @property
    def kind(self) -> str:
        """Which kind of place it is: `files`, `sqlite` and so on."""
        ...

    @property
    def label(self) -> str:
        """How a person names it; the cursor is kept under this."""
        ...

    def open(self, cursor: Cursor | None, mode: Mode) -> AbstractContextManager[Opened | Unchanged]:
        """Opens what came after `cursor` (all, if None; all for `overwrite`, if anything changed).

        Leaving the context closes connections. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`.
        """
        ...


Factory = Callable[[Mapping[str, Any], Path], Source]  # Any: the options as `lastro.yaml` holds them

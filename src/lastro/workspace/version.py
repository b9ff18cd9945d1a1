"""A version of a dataset, as the person who trains a model holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lastro.model.schema import type_text
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.workspace.rows import Rows
from lastro.workspace.split import HALVES, split

if TYPE_CHECKING:
    from lastro.engine.protocol import Engine
    from lastro.engine.scan import ArrowStream
    from lastro.store.table import Table


class Version(Rows):
    """One immutable version. Making one reads no data.

    `on_read` is told of the version each time its rows are opened. Raises what `Rows` says.
    """

    def __init__(
        self, info: VersionInfo, table: Table, engine: Engine, *, on_read: Callable[[VersionInfo], None] | None = None
    ) -> None:
        super().__init__(info.reference, info.schema, engine, self._open, self._count)
        self.info = info
        self.table = table
        self._on_read = on_read

    @property
    def reference(self) -> str:
        """`name@number`."""
        return self.info.reference

    @property
    def number(self) -> int:
        """The version's number."""
        return self.info.number

    @property
    def digest(self) -> str:
        """What pins the version's rows and its whole history: `sha256:` and 64 hexadecimal digits."""
        return self.info.digest

    def split(
        self, by: str | Sequence[str], *, fractions: Mapping[str, float] | None = None, seed: int = 0
    ) -> Mapping[str, Rows]:
        """Views of disjoint rows by the hash of a key: `{"train": …, "test": …}`, 80 % and 20 % if not said otherwise.

        A row keeps its side in every later version. The rules stand in `lastro.workspace.split`. Raises `UsageError`,
        `UnknownName`.

        >>> parts = version.split("customer_id", fractions={"train": 0.7, "test": 0.3}, seed=7)  # doctest: +SKIP
        """
        key = (by,) if isinstance(by, str) else tuple(by)
        return split(self, key, HALVES if fractions is None else fractions, seed=seed)

    def prove(self) -> None:
        """Reads every byte, whatever is known already, and compares it with what was committed.

        Raises `Corrupted`, `Expired`.
        """
        from lastro.store import content

        self.table.paths(self.info, verify=False)
        content.prove(self.table.places, self.info.files, afresh=True)

    def __getstate__(self) -> dict[str, object]:
        """For a worker process: whoever is told of readings stays behind."""
        return {**self.__dict__, "_on_read": None}

    def __repr__(self) -> str:
        info = self.info
        return f"<{info.reference}: {info.rows:,} rows, {len(self.columns)} columns, {info.digest[:15]}…>"

    def _repr_html_(self) -> str:
        from lastro.report.blocks import Column, Title, table
        from lastro.report.html import to_html
        from lastro.report.versions import log

        columns = (Column(_("column")), Column(_("type")))
        fields = ((field.name, type_text(field.type)) for field in self.schema.fields)
        return to_html((Title(self.reference), *log((self.info,), {}), table(columns, fields)))

    def _count(self) -> int:
        return self.info.rows

    def _open(self, columns: Sequence[str], where: str | None) -> ArrowStream:
        if self._on_read is not None:
            self._on_read(self.info)
        paths = self.table.paths(self.info, verify=True)
        return self.engine.read(paths, self.schema, columns=columns, where=where)

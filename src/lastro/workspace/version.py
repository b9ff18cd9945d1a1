"""A version of a dataset, as the person who trains a model holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lastro.model.errors import Expired, NotPermitted
from lastro.model.schema import type_text
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.workspace.training.rows import Rows, without_views
from lastro.workspace.training.split import HALVES, split

if TYPE_CHECKING:
    from lastro.engine.protocol import Engine
    from lastro.engine.scan import ArrowStream
    from lastro.store.table import Table
    from lastro.workspace.access.handed import Opening, Pass


T = TypeVar("T")


class Gate(Protocol):
    """Who is asked before rows are handed out, and told of it; what it raises is raised, and nothing is read."""

    def admit(self, info: VersionInfo) -> Pass:
        """What may be read of a version, asked before the first reading. Raises `NotPermitted`."""
        ...

    def reads(self, info: VersionInfo, opening: Opening) -> None:
        """Told of what is about to be handed out, each time before rows are opened."""
        ...

    def refuses(self, info: VersionInfo, error: NotPermitted) -> None:
        """Told of what was refused."""
        ...


class Version(Rows):
    """One immutable version. Making one reads no data.

    Without a `gate` all of it is read, and nobody is told. Raises what `Rows` says, and `NotPermitted`.
    """

    def __init__(self, info: VersionInfo, table: Table, engine: Engine, *, gate: Gate | None = None) -> None:
        super().__init__(info.reference, info.schema, engine, self._open, self._count)
        self.info = info
        self.table = table
        self._gate = gate
        self._held: Pass | None = None

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

        A row keeps its side in every later version. The rules stand in `lastro.workspace.training.split`.

        Raises `UsageError`, `UnknownName`.

        >>> parts = version.split("customer_id", fractions={"train": 0.7, "test": 0.3}, seed=7)  # doctest: +SKIP
        """
        key = (by,) if isinstance(by, str) else tuple(by)
        return split(self, key, HALVES if fractions is None else fractions, seed=seed)

    @property
    def readable(self) -> tuple[str, ...]:
        """The columns that are read where none is named: all, but for what policy denies. Raises `NotPermitted`."""
        return self._asking(lambda held: held.readable(self.columns))

    @property
    def masked(self) -> tuple[str, ...]:
        """The columns whose values policy hides in part. Raises `NotPermitted`."""
        return self._asking(lambda held: held.masked)

    @property
    def is_plain(self) -> bool:
        """True if all rows and columns may be read as they are stored. Raises `NotPermitted` if none may."""
        if self.readable != self.columns:
            return False
        opening = self._pass().open(self.columns, self.columns, None)
        return opening.is_plain and opening.where is None

    def prove(self) -> None:
        """Reads every byte, whatever is known already, and compares it with what was committed.

        Raises `Corrupted`, `Expired`.
        """
        from lastro.store import content

        self.table.paths(self.info, verify=False)
        content.prove(self.table.places, self.info.files, afresh=True)

    def __getstate__(self) -> dict[str, object]:
        """For a worker process: whoever is told of readings stays behind, what was decided comes along."""
        return {**self.__dict__, "_gate": None, "_held": self._pass()}

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
        """As many as are read now: an erasure may have taken rows since this was opened."""
        try:
            return self.table.version(self.number).rows
        except Expired:
            return self.info.rows

    def _pass(self) -> Pass:
        from lastro.workspace.access.handed import FREE

        if self._held is None:
            self._held = FREE if self._gate is None else self._gate.admit(self.info)
        return self._held

    def _asking(self, question: Callable[[Pass], T]) -> T:
        """What the pass answers; a refusal is told."""
        try:
            return question(self._pass())
        except NotPermitted as error:
            if self._gate is not None:
                self._gate.refuses(self.info, error)
            raise

    def _open(self, columns: Sequence[str], where: str | None) -> ArrowStream:
        opening = self._asking(lambda held: held.open(self.columns, columns, where))
        if self._gate is not None:
            self._gate.reads(self.info, opening)
        paths = self.table.paths(self.info, verify=True)
        stream = self.engine.read(paths, self.schema, columns=opening.read, where=opening.where)
        return stream if opening.is_plain else _over(opening, stream)


def _over(opening: Opening, stream: ArrowStream) -> Any:  # Any: a pyarrow.RecordBatchReader
    import pyarrow as pa

    return opening.over(without_views(pa.RecordBatchReader.from_stream(stream)))

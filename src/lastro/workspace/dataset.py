"""A dataset: its contract, its versions, its quarantine, and how it takes in more."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.arrival import OnChange
from lastro.model.errors import ConfigurationError, LastroError, UnknownName
from lastro.model.plan import Plan
from lastro.model.progress import Told
from lastro.model.reference import Reference
from lastro.model.text import _
from lastro.model.version import Mode, VersionInfo
from lastro.workspace.configuration import MODES, DatasetEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lastro.contract import Contract
    from lastro.engine.scan import ArrowStream
    from lastro.pipeline.compare import Diff
    from lastro.pipeline.quarantine import Quarantine
    from lastro.pipeline.result import IngestResult
    from lastro.pipeline.schema_preview import Preview
    from lastro.pipeline.target import SourceIs, Target
    from lastro.source.protocol import Cursor, Opened, Source
    from lastro.store.table import Table
    from lastro.workspace.version import Version
    from lastro.workspace.workspace import Workspace

REREAD = ("sqlite", "postgres", "http")
"""Kinds of sources that give all their rows again, unless a cursor column says which are new."""


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a contract asks of a batch, and the SQL it becomes; nothing was executed."""

    plan: Plan
    sql: str


@dataclass(frozen=True, slots=True, repr=False)
class Dataset:
    """A named, versioned table in a workspace. Nothing is read until it is asked for."""

    workspace: Workspace
    entry: DatasetEntry

    def __repr__(self) -> str:
        return f"<dataset {self.name} in {self.workspace.root}>"

    def _repr_html_(self) -> str:
        from lastro.report.blocks import Title
        from lastro.report.html import to_html
        from lastro.report.versions import log

        return to_html((Title(self.name), *log(self.log(), self.tags())))

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.entry.name

    @property
    def table(self) -> Table:
        """Where the versions are."""
        return self.workspace.table(self.name)

    def contract(self) -> Contract:
        """The contract as it stands in its file now. Raises `ContractError`."""
        contract = _contract(self.workspace.root / self.entry.contract)
        if contract.dataset != self.name:
            raise ConfigurationError(
                _("the contract is about {other}, not {name}").format(other=contract.dataset, name=self.name),
                where=self.entry.contract,
                do=_("name its schema object {name}, or correct the path in lastro.yaml").format(name=self.name),
            )
        return contract

    def has_contract(self) -> bool:
        """True if its contract's file is there; a derived dataset gets one at its first build."""
        return (self.workspace.root / self.entry.contract).exists()

    def plan(self) -> PlanView:
        """What the next batch would go through; reads only the contract. Raises `ContractError`, `SqlRefused`."""
        plan = self.contract().plan()
        engine = self.workspace.engine()
        engine.check(plan)
        return PlanView(plan, engine.explain(plan))

    def ingest(
        self,
        *,
        data: ArrowStream | Iterable[Any] | None = None,  # Any: rows and frames, see `source.rows`
        mode: str | None = None,
        key: str | None = None,
        progress: Told | None = None,
        schema_change: str | None = None,
        source_is: str | None = None,
    ) -> IngestResult:
        """Takes what is new at the source – or `data` – through the contract into a new version.

        `data` is any Arrow stream or frame, or an iterable – a generator, say – of dicts, lists of dicts, or frames.

        `mode` is `append`, `overwrite`, `upsert`, `snapshot` or `scd2`; the dataset's own where None. `key` names the
        attempt: asked again under the same key, the first result is the answer. `schema_change` says what becomes of
        columns that changed: `evolve`, `freeze`, `discard_value` or `quarantine`; as `lastro.yaml` says where None.
        `source_is` says of a source with a new path or name whether it is the `same`, so that `append` goes on after
        what was read of it, or `another`, which is read from its start.
        Raises `DataRefused`, `SchemaChanged`, `SourceError`, `StoreError`.
        """
        from lastro.openlineage.event import Work
        from lastro.pipeline.ingest import ingest
        from lastro.pipeline.target import part
        from lastro.workspace.emitting import told

        if self.entry.derived:
            raise ConfigurationError(
                _("{name} is derived from other datasets, and takes in nothing else").format(name=self.name),
                where="transforms",
                do=f"lastro build {self.name}",
            )
        chosen = self._mode(mode)
        target = self.target(schema_change)
        source = _Given(data) if data is not None else self._source(chosen)
        target = part(target) if data is not None else replace(target, source_is=_source_is(source_is))
        doing = partial(
            ingest,
            target,
            source,
            mode=chosen,
            key=key,
            run=run_id(),
            progress=progress,
            on_commit=self.enter,
        )
        label = source.label if data is None else ""
        return told(self.workspace, Work.INGEST, self.name, doing, source=label)

    def preview(
        self, *, mode: str | None = None, schema_change: str | None = None, source_is: str | None = None
    ) -> Preview:
        """How the source's columns differ from the contract's, and what the next batch would make of it.

        Reads the source's first rows, and takes nothing in. Raises `SourceError`, `ConfigurationError`.
        """
        from lastro.pipeline.schema_preview import preview

        chosen = self._mode(mode)
        target = replace(self.target(schema_change), source_is=_source_is(source_is))
        return preview(target, self._source(chosen), chosen)

    def log(self) -> tuple[VersionInfo, ...]:
        """Every version, newest first."""
        return self.table.history()

    def version(self, selector: str = "latest") -> Version:
        """The version a selector means: number, tag, date, digest, `latest`. Raises `UnknownName`, `Expired`."""
        return self.workspace.version(f"{self.name}@{selector}")

    def diff(self, before: str, after: str, *, limit: int = 20) -> Diff:
        """How the version `after` differs from `before` (selectors); `limit` example rows. Raises `UnknownName`."""
        from lastro.pipeline.compare import compare

        first, second = self.find(before), self.find(after)
        key = self.contract().plan().primary_key
        if key and set(self.entry.history.columns) <= set(second.schema.names):
            key = (*key, self.entry.history.start)
        return compare(self.table, self.workspace.engine(), first, second, key=key, limit=limit)

    def tag(self, tag: str, version: int | None = None) -> VersionInfo:
        """Names a version (the newest where None); a tagged version is never collected. Raises `UnknownName`."""
        info = self.find("latest" if version is None else str(version))
        self.table.tag(tag, info.number)
        with (
            _saying(_("{reference} has the tag {tag}").format(reference=info.reference, tag=tag)),
            self.workspace.catalog() as catalog,
        ):
            catalog.tagged(self.name, tag, info.number)
        return info

    def tags(self) -> Mapping[str, int]:
        """The tags and the versions they name."""
        return self.table.tags()

    def restore(self, selector: str) -> VersionInfo:
        """Makes an earlier version's rows the newest version; history stays. Raises `UnknownName`, `Expired`."""
        info = self.find(selector)
        origin = replace(
            info.origin,
            mode=Mode.RESTORE,
            idempotency_key=uuid.uuid4().hex,
            source=info.reference,
            counts=None,
            changes=None,
            more=False,
            whole=False,
            reconciliation={},
            run=run_id(),
            inputs=(f"{info.reference} {info.digest}",),
        )
        with self.table.lock() as writer:
            restored = writer.restore(info, origin)
        self.enter(restored)
        return restored

    def quarantine(self) -> Quarantine:
        """The rows that were set aside and are still open."""
        from lastro.pipeline.quarantine import Quarantine

        return Quarantine(self.target(), self._record)

    def find(self, selector: str) -> VersionInfo:
        """What is known of the version a selector means. Raises `UnknownName`, `NameRefused`."""
        return self.table.find(Reference.parse(f"{self.name}@{selector}").selector)

    def target(self, schema_change: str | None = None) -> Target:
        """Everything a pipeline needs to change this dataset."""
        from lastro.pipeline.target import Target
        from lastro.workspace.protection import withheld

        contract = self.contract()
        plan = contract.plan()
        return Target(
            table=self.table,
            quarantine=self.workspace.table(f"{self.name}.quarantine"),
            plan=plan,
            engine=self.workspace.engine(),
            withheld=withheld(self.workspace, self.name) if self.entry.derived else plan.withheld,
            history=self.entry.history,
            deletes=self.entry.deletes,
            contract=contract,
            contract_file=self.workspace.root / self.entry.contract,
            on_change=self._on_change(schema_change),
        )

    def _on_change(self, policy: str | None) -> OnChange | None:
        if policy is None:
            return self.entry.schema_change
        try:
            return OnChange(policy)
        except ValueError as error:
            raise ConfigurationError(
                _("{policy!r} does not say what becomes of a changed source").format(policy=policy),
                do=_("use one of {policies}").format(policies=", ".join(OnChange)),
            ) from error

    def _mode(self, mode: str | None) -> Mode:
        if mode is None:
            return self.entry.mode
        if mode not in MODES:
            raise ConfigurationError(
                _("{mode!r} is not a mode").format(mode=mode), do=_("use one of {modes}").format(modes=", ".join(MODES))
            )
        return Mode(mode)

    def _source(self, mode: Mode) -> Source:
        from lastro.source import create

        options = self.entry.source
        if not options:
            raise ConfigurationError(
                _("{name} has no source").format(name=self.name),
                where=f"lastro.yaml: datasets.{self.name}",
                do=_("add a source there, or pass data= to ingest"),
            )
        tells_new = options.get("cursor") or options.get("incremental")
        if mode is Mode.APPEND and options.get("kind") in REREAD and not tells_new:
            raise ConfigurationError(
                _("appending to {name} would add all of the source's rows each time").format(name=self.name),
                where=f"lastro.yaml: datasets.{self.name}.source",
                do=_("name a `cursor` column, or use the mode overwrite or upsert"),
            )
        return create(options, base=self.workspace.root)

    def _record(self, result: IngestResult) -> None:
        if not result.unchanged:
            for number in result.versions:
                self.enter(self.table.version(number))

    def enter(self, info: VersionInfo) -> None:
        """Enters a new version in the catalogue and in the run that made it."""
        from lastro.workspace.run import active

        with (
            _saying(_("{reference} is committed; only the catalogue lacks it").format(reference=info.reference)),
            self.workspace.catalog() as catalog,
        ):
            catalog.record(info)
        run = active()
        if run is not None:
            run.wrote(info)


@contextmanager
def _saying(state: str) -> Iterator[None]:
    """Errors inside say what holds already: the tables are true, whatever befalls their index."""
    try:
        yield
    except LastroError as error:
        error.state = state
        raise


@dataclass(frozen=True, slots=True)
class _Given:
    """Data handed over in memory, as a source: an Arrow stream, or rows that Python code gives."""

    data: ArrowStream | Iterable[Any]  # Any: rows and frames, see `source.rows`
    kind: str = "data"
    label: str = "data"

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened]:
        from lastro.engine.scan import StreamScan
        from lastro.source.protocol import Opened

        del cursor, mode
        data: Any = self.data  # Any: a stream, or what gives rows
        if hasattr(data, "__arrow_c_stream__"):
            yield Opened(StreamScan(data, self.label), dict, self.label)
            return
        from lastro.source.python.rows import checked, rows_of, scan_of
        from lastro.source.stream import telling

        scan, stream = scan_of(checked(rows_of(data), self.label), self.label)

        def watermark() -> Cursor:
            stream.check_finished(self.label)
            return {}

        with telling(stream):
            yield Opened(scan, watermark, self.label)


def _source_is(said: str | None) -> SourceIs | None:
    from lastro.pipeline.target import SourceIs

    try:
        return None if said is None else SourceIs(said)
    except ValueError as error:
        raise ConfigurationError(
            _("{said!r} does not say what the source is").format(said=said),
            do=_("use one of {words}").format(words=", ".join(SourceIs)),
        ) from error


def _contract(path: Path) -> Contract:
    """A contract's file, read once for as long as the system says that it is the same. Raises `ContractError`."""
    from lastro.contract import load

    try:
        status = path.stat()
    except OSError:
        return load(path)
    identity = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return _loaded(path, identity)


@lru_cache(maxsize=64)
def _loaded(path: Path, identity: tuple[int, ...]) -> Contract:
    from lastro.contract import load

    del identity
    return load(path)


def run_id() -> str:
    """The id of the run this code is inside of, or nothing."""
    from lastro.workspace.run import active

    run = active()
    return run.id if run is not None else ""


def unknown(name: str, known: tuple[str, ...], root: Path) -> UnknownName:
    """The error for a dataset that is not in `lastro.yaml`."""
    return UnknownName(
        _("there is no dataset {name}").format(name=name),
        where=str(root / "lastro.yaml"),
        do=_("known datasets: {names}").format(names=", ".join(known) or _("none; add one with lastro add")),
    )

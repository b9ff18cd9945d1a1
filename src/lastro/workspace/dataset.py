"""A dataset: its contract, its versions, its quarantine, and how it takes in more."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.access import Act
from lastro.model.arrival import OnChange
from lastro.model.errors import ConfigurationError, ContractError, LastroError, SourceError, UnknownName
from lastro.model.plan import Plan
from lastro.model.progress import Told
from lastro.model.reference import Reference
from lastro.model.text import _
from lastro.model.version import Mode, VersionInfo
from lastro.workspace.configuration import MODES, DatasetEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lastro.contract import Contract
    from lastro.drift.decline import Tolerance
    from lastro.drift.settings import Settings
    from lastro.engine.scan import ArrowStream
    from lastro.model.check import CheckReport
    from lastro.pipeline.compare import Diff
    from lastro.pipeline.quarantine import Quarantine
    from lastro.pipeline.result import IngestResult
    from lastro.pipeline.schema_preview import Preview
    from lastro.pipeline.target import SourceIs, Target
    from lastro.privacy.detection.proposal import Classification
    from lastro.quality.suggestion import Suggested
    from lastro.source.protocol import Cursor, Opened, Source
    from lastro.store.table import Table
    from lastro.workspace.monitoring.drifted import Asked, DriftReport
    from lastro.workspace.monitoring.performing import PerformanceReport
    from lastro.workspace.privacy.revealing import Revealed
    from lastro.workspace.quality.metric import MetricHistory
    from lastro.workspace.quality.outlying import ColumnReport, RowReport
    from lastro.workspace.quality.profiled import VersionProfile
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
        try:
            contract = _contract(self.workspace.root / self.entry.contract)
        except ContractError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise self._no_contract() from error
            raise
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

    def _no_contract(self) -> ContractError:
        written = _("write it, or give the dataset a source: lastro add LOCATION --as NAME")
        making = "lastro build" if self.entry.derived else "lastro add --as" if self.entry.source else ""
        return ContractError(
            _("{name} has no contract yet").format(name=self.name),
            where=self.entry.contract,
            do=f"{making} {self.name}" if making else written,
        )

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
        Rules that the batch breaks, and drift that a monitor sees which looks `at_ingestion`, become incidents.
        Raises `DataRefused`, `SchemaChanged`, `SourceError`, `StoreError`.
        """
        from lastro.workspace.quality.ruled import judged, looked

        doing = partial(
            self.take_in,
            data=data,
            mode=mode,
            key=key,
            progress=progress,
            schema_change=schema_change,
            source_is=source_is,
        )
        return looked(self, judged(self, doing))

    def take_in(
        self,
        *,
        data: ArrowStream | Iterable[Any] | None = None,  # Any: rows and frames, see `source.rows`
        mode: str | None = None,
        key: str | None = None,
        progress: Told | None = None,
        schema_change: str | None = None,
        source_is: str | None = None,
    ) -> IngestResult:
        """What `ingest` does, without incidents, and without a look of monitors: for rounds, which see to both."""
        from lastro.openlineage.event import Work
        from lastro.pipeline.ingest import ingest
        from lastro.pipeline.target import part
        from lastro.workspace.access.admission import refuse_forbidden
        from lastro.workspace.lineage.emitting import told
        from lastro.workspace.rights.erasing import finish_first

        if self.entry.derived:
            raise ConfigurationError(
                _("{name} is derived from other datasets, and takes in nothing else").format(name=self.name),
                where="transforms",
                do=f"lastro build {self.name}",
            )
        chosen = self._mode(mode)
        refuse_forbidden(self, Act.INGEST)
        finish_first(self.workspace)
        # First what lastro.yaml says of the source: its mistakes shall not hide behind those of the contract.
        source = _Given(data) if data is not None else self._source(chosen)
        target = self.target(schema_change)
        # Whoever can write into a source could name others there by tokens that stand in tables.
        target = part(target) if data is not None else replace(target, source_is=_source_is(source_is), is_foreign=True)
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
        source = self._source(chosen)
        target = replace(self.target(schema_change), source_is=_source_is(source_is))
        return preview(target, source, chosen)

    def log(self) -> tuple[VersionInfo, ...]:
        """Every version, newest first."""
        return self.table.history()

    def version(self, selector: str = "latest", *, purpose: str | None = None) -> Version:
        """The version a selector means: number, tag, date, digest, `latest`; `purpose` is what it is read for.

        Raises `UnknownName`, `Expired`.
        """
        return self.workspace.version(f"{self.name}@{selector}", purpose=purpose)

    def profile(self, selector: str = "latest") -> VersionProfile:
        """What was counted of a version: missing values, distributions, frequent values. Reads no rows if it is kept,
        as it is of every version that was ingested, also once its files were collected. Raises `UnknownName`,
        `Expired`, `Corrupted`.
        """
        from lastro.workspace.quality.profiled import profiled

        info = self.find(selector, collected=True)
        return profiled(self.target(), info, hidden=self.hidden(info))

    def drift(
        self,
        reference: str,
        *,
        current: str = "latest",
        since: str | None = None,
        window: str | None = None,
        time: str | None = None,
        by: str | None = None,
        columns: Sequence[str] = (),
        settings: Settings | None = None,
    ) -> DriftReport:
        """How the rows of `current` differ from those of `reference` (selectors), and whether that is worth an alarm.

        The rows are all of the version, or those that came after `since` (a date or a selector) or within a `window`
        (`7d`); with `time`, those whose column of that name lies there. Keys and columns that only go on are left out,
        unless `columns` names what is compared. `by` names a column of few values whose slices explain the change.
        `settings` say how much change matters, and how often a false alarm may be raised; see
        `lastro.drift.settings`. Versions that were counted alike are compared without reading a row, also once their
        files were collected, unless the settings say `together`: then samples are also compared by whole rows, texts
        and vectors, with scikit-learn.
        Raises `UnknownName`, `UsageError`, `MissingExtra`, `Expired`, `Corrupted`.
        """
        from lastro.drift.settings import Settings
        from lastro.workspace.monitoring.drifted import Asked, drifted

        asked = Asked(reference, current, since, window, time, by, columns)
        return drifted(self, asked, Settings() if settings is None else settings)

    def performance(
        self,
        reference: str | Asked,
        *,
        prediction: str,
        label: str,
        score: str | Mapping[str, str] | None = None,
        features: Sequence[str] = (),
        task: str | None = None,
        metrics: Sequence[str] = (),
        tolerance: Tolerance | None = None,
    ) -> PerformanceReport:
        """How good the predictions in this dataset still are, against those of a reference whose labels are known.

        `reference` is a selector, or an `Asked`, which also says which rows are judged: the latest version's if not.
        `prediction`, `label` and `score` are columns; `score` of the positive class, or a mapping from each class to
        its column. Rows with a label tell the realised performance. Of rows that wait for theirs the expected one is
        told: of classes by calibrated scores (CBPE), of numbers by a model of the error (DLE), which learns from
        `features` and needs scikit-learn. `task` is `classification` or `regression`, `metrics` are those that decide,
        `tolerance` says how much worse is worse. Raises `UnknownName`, `UsageError`, `MissingExtra`, `Expired`,
        `Corrupted`.
        """
        from lastro.drift.decline import Tolerance
        from lastro.workspace.monitoring.drifted import Asked
        from lastro.workspace.monitoring.performing import Columns, performed

        asked = Asked(reference) if isinstance(reference, str) else reference
        columns = Columns(prediction, label, score, features, task, metrics)
        return performed(self, asked, columns, Tolerance() if tolerance is None else tolerance)

    def outliers(self, selector: str = "latest", *, columns: Sequence[str] = ()) -> ColumnReport:
        """The numbers, dates and moments of a version that are far from their column's others, counted by column.

        All columns that have any, or those named; none that are withheld. Reads the rows. Raises `UnknownName`,
        `UsageError`, `Expired`, `Corrupted`.
        """
        from lastro.workspace.quality.outlying import outlying_columns

        return outlying_columns(self, selector, columns)

    def outlying_rows(
        self,
        selector: str = "latest",
        *,
        columns: Sequence[str] = (),
        against: str | None = None,
        budget: float | None = None,
        forest: bool = False,
        limit: int = 20,
    ) -> RowReport:
        """The `limit` rows of a version that are least like others, and which columns are why.

        With `against`, the rows of that version are taken for good and those that came since are tested: of the rows
        that are called, no more than the `budget`'s share (0.1 where None) is expected to be like the good ones after
        all. Without, rows are ranked and nothing is claimed. `forest` needs scikit-learn. Raises `UnknownName`,
        `UsageError`, `MissingExtra`, `Expired`, `Corrupted`.
        """
        from lastro.workspace.quality.outlying import RowsAsked, outlying_rows

        return outlying_rows(self, selector, columns, RowsAsked(against, budget, forest, limit))

    def history(
        self, metric: str = "rows", *, column: str | None = None, value: str | None = None, budget: float | None = None
    ) -> MetricHistory:
        """A metric over all versions – `rows`, or of a column `missing`, `mean`, or the `share` of a `value` – and
        which of its values those before do not let expect, with at most `budget` false alarms a month (0.25 where
        None), on average.

        Reads no rows. Raises `UnknownName`, `UsageError`, `Corrupted`.
        """
        from lastro.workspace.quality.metric import asked, history

        return history(self, asked(metric, column, value), budget=budget)

    def check(
        self,
        selector: str = "latest",
        *,
        rules: Sequence[str] = (),
        dimensions: Sequence[str] = (),
        failures: int | None = None,
    ) -> CheckReport:
        """Holds every rule of the contract to a stored version, whenever it was made, and changes nothing.

        `rules` and `dimensions` choose among the rules; of at most `failures` rows that break them the values are in
        the report, without those that are withheld. Raises `UnknownName`, `ContractError`, `Expired`, `Corrupted`.
        """
        from lastro.workspace.quality.check import asked, check

        return check(self, selector, asked(rules, dimensions, failures))

    def check_server(
        self,
        server: str,
        *,
        rules: Sequence[str] = (),
        dimensions: Sequence[str] = (),
        failures: int | None = None,
        clean: bool = False,
    ) -> CheckReport:
        """Holds the contract to what one of its `servers` has now; see `lastro.check`. Nothing is ingested.

        Raises `UnknownName`, `ConfigurationError`, `ContractError`, `SourceError`, `SqlRefused`, `EngineError`.
        """
        from lastro.workspace.quality.check import asked
        from lastro.workspace.quality.served import check_served, of_dataset

        (report,) = check_served(
            of_dataset(self, rows=failures is not None), server, asked(rules, dimensions, failures), cleaned=clean
        )
        return report

    def suggest(self, *selectors: str, write: bool = False) -> Suggested:
        """The rules that every one of these versions (the newest if none is named) speaks for and the contract lacks.

        With `write` they are put into the contract, as warnings. Raises `UnknownName`, `Expired`, `Corrupted`; with
        `write` also `Locked`, `ContractError`, `WriteFailed`.
        """
        from lastro.pipeline.suggest import suggested

        versions = [self.find(selector) for selector in selectors or ("latest",)]
        return suggested(self.shown(), versions, write=write)

    def classify(
        self,
        selector: str = "latest",
        *,
        write: bool = False,
        confirm: Sequence[str] | bool = (),
        said: Mapping[str, str] | None = None,
    ) -> Classification:
        """A class of personal values for each column, proposed from its name and from some of a version's values; of
        the source's, before there is a version; where it cannot be read, of names alone.

        With `write` the proposals are put into the contract. `confirm` takes on those of the columns named (True: all),
        `said` maps a column to its class, or `class:kind`, whatever is proposed; both are written, with who said so.
        Nothing in the answer is a value. Raises `UnknownName`, `UsageError`, `ConfigurationError` (the source's),
        `Expired`, `Corrupted`; if it writes, also `Locked`, `ContractError`, `WriteFailed`.
        """
        from lastro.pipeline.classify import Wanted, classify
        from lastro.workspace.add import source_values
        from lastro.workspace.audit.ledger import actor

        info = None if selector == "latest" and self.table.head() is None else self.find(selector)
        names = () if isinstance(confirm, bool) else tuple(confirm)
        wanted = Wanted(write, names, confirm is True, said or {}, actor())
        looked = {}
        if info is None and self.entry.source:
            with suppress(SourceError):  # what is not there tells nothing; the evidence says so
                looked = source_values(self.workspace.root, self.workspace.engine(), self.entry)
        return classify(self.target(), info, wanted, looked=looked)

    def diff(self, before: str, after: str, *, limit: int = 20) -> Diff:
        """How the version `after` differs from `before` (selectors); `limit` example rows. Raises `UnknownName`."""
        from lastro.pipeline.compare import compare, concealed
        from lastro.workspace.access.opening import rows_shown

        first, second = self.find(before), self.find(after)
        key = self.contract().plan().primary_key
        if key and set(self.entry.history.columns) <= set(second.schema.names):
            key = (*key, self.entry.history.start)
        hidden = self.hidden(first, second, rows=True)
        found = compare(self.table, self.workspace.engine(), first, second, key=key, limit=limit)
        if found.examples and set(second.schema.names) - hidden:
            rows_shown(self, second, tuple(name for name in second.schema.names if name not in hidden))
        return concealed(found, hidden) if hidden else found

    def tag(self, tag: str, version: int | None = None) -> VersionInfo:
        """Names a version (the newest where None); a tagged version is never collected. Raises `UnknownName`."""
        info = self.find("latest" if version is None else str(version))
        self.table.tag(tag, info.number)
        with (
            _saying(_("{reference} has the tag {tag}").format(reference=info.reference, tag=tag)),
            self.workspace.catalog() as catalog,
        ):
            catalog.tagged(self.name, tag, info.number)
            self.workspace.ledger.tagged(info, tag)
        return info

    def tags(self) -> Mapping[str, int]:
        """The tags and the versions they name."""
        return self.table.tags()

    def restore(self, selector: str) -> VersionInfo:
        """Makes an earlier version's rows the newest version; history stays. Raises `UnknownName`, `Expired`."""
        from lastro.workspace.rights.erasing import finish_first

        finish_first(self.workspace)
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

    def quarantine(self, *, purpose: str | None = None) -> Quarantine:
        """The rows that were set aside and are still open; `purpose` is what their values are revealed for."""
        from lastro.pipeline.quarantine import Quarantine
        from lastro.workspace.access.opening import set_aside_shown
        from lastro.workspace.privacy.revealing import set_aside_revealed

        return Quarantine(
            self.target(),
            self._record,
            self.entry.mode,
            withholds=bool(self.hidden(rows=True)),
            on_rows=partial(set_aside_shown, self),
            before_replay=self._before_replay,
            on_reveal=partial(set_aside_revealed, self, purpose),
        )

    def reveal(
        self,
        selector: str = "latest",
        *,
        tokens: Sequence[str] = (),
        where: str | None = None,
        purpose: str | None = None,
        limit: int = 20,
    ) -> Revealed:
        """The columns with tokens, as values, of the rows in which one of `tokens` stands or `where` holds.

        Recorded in the ledger first. Raises `NotPermitted`, `UsageError` without a purpose, `UnknownName`, `Expired`.
        """
        from lastro.workspace.privacy.revealing import reveal

        return reveal(self, selector, tokens=tokens, where=where, purpose=purpose, limit=limit)

    def find(self, selector: str, *, collected: bool = False) -> VersionInfo:
        """What is known of the version a selector means; only with `collected` also of one whose files were.

        Raises `UnknownName`, `NameRefused`, `Expired`.
        """
        return self.table.find(Reference.parse(f"{self.name}@{selector}").selector, collected=collected)

    def hidden(self, *versions: VersionInfo, rows: bool = False) -> frozenset[str]:
        """The columns – the contract's, and those of these versions – of whose values nothing may be told to whoever
        asks; with `rows` by rows that are shown.
        """
        from lastro.workspace.access.admission import hidden

        stored = (name for info in versions for name in info.schema.names)
        known = (*self.contract().plan().schema.names, *self.entry.history.columns)
        return hidden(self, tuple(dict.fromkeys((*known, *stored))), rows=rows)

    def shown(self, *, rows: bool = False) -> Target:
        """The target as far as whoever asks may be told of its values; nothing is written by it."""
        target = self.target()
        return replace(target, withheld=target.withheld | self.hidden(rows=rows))

    def target(self, schema_change: str | None = None) -> Target:
        """Everything a pipeline needs to change this dataset."""
        from lastro.pipeline.target import Target
        from lastro.workspace.privacy.protection import withheld

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
            datasets=lambda name: self.workspace.dataset(name).table,
            vault=self.workspace.vault,
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

    def _before_replay(self) -> None:
        from lastro.workspace.access.admission import refuse_forbidden
        from lastro.workspace.rights.erasing import finish_first

        refuse_forbidden(self, Act.INGEST)
        finish_first(self.workspace)

    def _record(self, result: IngestResult) -> None:
        if not result.unchanged:
            for number in result.versions:
                self.enter(self.table.version(number))

    def enter(self, info: VersionInfo) -> None:
        """Enters a new version in the catalogue and in the run that made it."""
        from lastro.workspace.training.run import active

        with (
            _saying(_("{reference} is committed; only the catalogue lacks it").format(reference=info.reference)),
            self.workspace.catalog() as catalog,
        ):
            catalog.record(info)
        with _saying(_("{reference} is committed; only the ledger lacks it").format(reference=info.reference)):
            self.workspace.ledger.committed(info, self.table.history)
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
        from lastro.source.python.frames import is_of_library

        data: Any = self.data  # Any: a stream, or what gives rows
        if hasattr(data, "__arrow_c_stream__") and not is_of_library(data):
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
    from lastro.workspace.training.run import active

    run = active()
    return run.id if run is not None else ""


def unknown(name: str, known: tuple[str, ...], root: Path) -> UnknownName:
    """The error for a dataset that is not in `lastro.yaml`."""
    return UnknownName(
        _("there is no dataset {name}").format(name=name),
        where=str(root / "lastro.yaml"),
        do=_("known datasets: {names}").format(names=", ".join(known) or _("none; add one with lastro add")),
    )

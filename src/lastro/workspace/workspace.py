"""The workspace: a folder that holds contracts, tables, state and the record of what was done with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any

from lastro.model.clock import Clock, utc_now
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, LastroError
from lastro.model.reference import Reference
from lastro.model.text import _
from lastro.workspace import configuration
from lastro.workspace.configuration import FILE, Configuration
from lastro.workspace.dataset import Dataset, unknown
from lastro.workspace.untold import Untold

if TYPE_CHECKING:
    from lastro.catalog import Catalog, RunRecord
    from lastro.engine.protocol import Engine
    from lastro.model.lineage import ColumnOrigin, Lineage
    from lastro.model.status import DatasetStatus, Round
    from lastro.store.table import Table
    from lastro.transform.derived.why import Why
    from lastro.workspace.add import Added
    from lastro.workspace.add_all import Addition
    from lastro.workspace.attempt import Working
    from lastro.workspace.care import GcReport, RepairReport, VerifyReport
    from lastro.workspace.flatten import Child
    from lastro.workspace.foreign import Imported
    from lastro.workspace.lockfile import LockResult
    from lastro.workspace.replay import ReplayResult
    from lastro.workspace.run import Run
    from lastro.workspace.version import Version

IGNORED = "# Data and state are versioned by Lastro, not by git.\n/tables/\n/.lastro/\n"
FOLDERS = ("contracts", "tables", ".lastro", ".lastro/locks", ".lastro/staging", ".lastro/runs")


@dataclass(slots=True, repr=False)
class Workspace:
    """A folder with `lastro.yaml`. Opening one reads that file, and the names in `transforms/`."""

    root: Path
    settings: Configuration
    clock: Clock = utc_now
    _engine: Engine | None = None
    _catalog: Catalog | None = None
    _tables: dict[tuple[str, int], Table] = field(default_factory=dict)
    """One for each thread: a table remembers what it read, and belongs to one thread."""
    untold: Untold = field(default_factory=Untold)
    """What others could not be told; nobody is, unless `lastro.yaml` says so."""

    def __repr__(self) -> str:
        return f"<workspace {self.root}: {', '.join(self.datasets()) or 'no dataset'}>"

    def _repr_html_(self) -> str:
        from lastro.report.blocks import Title
        from lastro.report.html import to_html
        from lastro.report.versions import datasets

        newest = {name: next(iter(self.dataset(name).log()), None) for name in self.datasets()}
        return to_html((Title(str(self.root)), *datasets(newest)))

    def datasets(self) -> tuple[str, ...]:
        """The names of the datasets in `lastro.yaml`, in its order, then of those that `transforms/` derives."""
        return tuple(self.settings.datasets)

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name. Raises `NameRefused`, `UnknownName`."""
        configuration.check_dataset_name(name)
        if name not in self.settings.datasets:
            raise unknown(name, self.datasets(), self.root)
        return Dataset(self, self.settings.datasets[name])

    def version(self, reference: str) -> Version:
        """The version a reference means: `loans`, `loans@17`, `loans@approved`. Raises `UnknownName`, `Expired`."""
        from lastro.workspace.run import seen
        from lastro.workspace.version import Version

        wanted = Reference.parse(reference)
        table = self.dataset(wanted.name).table
        return Version(table.find(wanted.selector), table, self.engine(), on_read=seen)

    def add(
        self,
        location: str,
        *,
        name: str,
        mode: str | None = None,
        options: Mapping[str, Any] | None = None,  # Any: a source's own options
        flatten: bool = False,
    ) -> Added:
        """Looks at a source, writes a contract for it and enters the dataset in `lastro.yaml`.

        `location` is a file, a glob, a database or an address; `options` are the source's own. With `flatten` each list
        becomes a child dataset, now and whenever a new one comes. Raises `SourceError`, `ConfigurationError`.
        """
        from lastro.workspace.add import add

        added = add(
            self.root,
            self.engine(),
            location,
            name=name,
            mode=mode,
            options=options or {},
            clock=self.clock,
            flatten=flatten,
        )
        self.settings = configuration.read(self.root)
        if not flatten:
            return added
        try:
            return replace(added, children=tuple(child.dataset for child in self.flatten(name)))
        except LastroError as error:
            error.state = _("{name} is added; only its child datasets are missing").format(name=name)
            raise

    def flatten(self, name: str, *, plan: bool = False) -> tuple[Child, ...]:
        """Writes a child dataset for each list in a dataset, and in those children: one row for each element.

        A child is a derived dataset, `orders__items`, with the key of its row and its position; `build` makes it. With
        `plan` nothing is written. Raises `UnknownName`, `ContractError`, `ConfigurationError`.
        """
        from lastro.workspace.flatten import flatten

        return flatten(self, name, plan=plan)

    def add_all(
        self,
        location: str,
        *,
        prefix: str = "",
        mode: str | None = None,
        options: Mapping[str, Any] | None = None,  # Any: a source's own options
        plan: bool = False,
        views: bool = False,
        working: Working | None = None,
    ) -> tuple[Addition, ...]:
        """Adds each table of a database or schema: `postgresql://…#schema.*`, `mysql://…#*`, `core.db#*`.

        Tables that are datasets already stay; one that fails leaves the others whole. With `plan` nothing is added.
        Views are skipped without `views`, and so is what the account may not read.
        `working` is entered for each table. Raises `SourceError`, `ConfigurationError`.
        """
        from lastro.source import options_for
        from lastro.workspace.add_all import Asked, add_all

        source = options_for(location, options or {})
        told = {} if working is None else {"working": working}
        found = add_all(self.root, self.engine(), source, Asked(prefix, mode, plan, views), clock=self.clock, **told)
        self.settings = configuration.read(self.root)
        return found

    def run(
        self,
        name: str,
        *,
        inputs: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,  # Any: JSON values
    ) -> Run:
        """A recorded execution: what is read and written inside, with code, environment, parameters and metrics."""
        from lastro.workspace.run import start

        return start(self, name, inputs=inputs, parameters=parameters)

    def round(self, *names: str, retries: int = 2) -> Round:
        """Brings these datasets (all that have a source, without names) up to date once; one that fails stops no other.

        Raises `Locked` where another round is under way, `UnknownName`.
        """
        from lastro.workspace.round import play

        return play(self, names, retries=retries)

    def build(
        self,
        *names: str,
        start: str | date | None = None,
        end: str | date | None = None,
        everything: bool = False,
        anew: bool = False,
        retries: int = 0,
    ) -> Round:
        """Makes what is stale among these derived datasets and those that they are made from (all, without names).

        Of those named, which must be made by intervals then, `start` and `end` ask for the intervals of a span, and
        `everything` for all: those that are missing, or outdated, are made. With `anew` the first replaces all rows.
        Bounds are dates or moments in UTC. What befalls a step is told in the step. Raises `UnknownName`, `UsageError`,
        `ConfigurationError`.
        """
        from lastro.transform.derived.intervals import asked
        from lastro.workspace.build import build

        return build(self, names, asked=asked(start, end, everything=everything, anew=anew), retries=retries)

    def why(self, name: str) -> Why:
        """What changed since the newest version of a derived dataset was made. Raises as `build` does."""
        from lastro.workspace.build import why

        return why(self, name)

    def lineage(self, reference: str, *, column: str | None = None) -> Lineage:
        """What a version – or one column of it – was made from, and what was made from it.

        Raises `UnknownName`, `Expired`.
        """
        from lastro.workspace import column_lineage
        from lastro.workspace.lineage import lineage

        return lineage(self, reference) if column is None else column_lineage.column(self, reference, column)

    def columns(self, reference: str) -> tuple[ColumnOrigin, ...]:
        """What each column of a version was made from. Raises `UnknownName`, `Expired`."""
        from lastro.workspace.column_lineage import columns

        return columns(self, reference)

    def take_lineage(self, path: str | Path) -> Imported:
        """Takes in what others read and wrote, from a file of OpenLineage's events; told again, nothing changes.

        Raises `UsageError` for a file that cannot be read or holds no run event.
        """
        from lastro.workspace.foreign import take

        return take(self, Path(path))

    def status(self, *names: str) -> tuple[DatasetStatus, ...]:
        """How these datasets (all, without names) stand: freshness against the contract, quarantine, last round."""
        from lastro.workspace.status import status

        return status(self, names)

    def runs(self) -> tuple[RunRecord, ...]:
        """The recorded runs, newest first."""
        with self.catalog() as catalog:
            return tuple(catalog.runs())

    def replay(self, run_id: str, *, execute: bool = True) -> ReplayResult:
        """Proves the inputs of a run and runs its command again. Raises `ReplayError` naming what differs."""
        from lastro.workspace.replay import replay

        return replay(self, run_id, execute=execute)

    def lock(self) -> LockResult:
        """Writes `lastro.lock`: each dataset's newest version and digest, to be committed with the code."""
        from lastro.workspace.lockfile import write

        return write(self)

    def verify(self, *names: str, read_data: bool = False, subset: float | None = None) -> VerifyReport:
        """Compares what is stored with what was committed; `read_data` hashes every file, `subset` a share of them."""
        from lastro.workspace.care import verify

        return verify(self, names, read_data=read_data, subset=subset)

    def repair(self, *names: str, apply: bool = False, rebuild_catalog: bool = False) -> RepairReport:
        """Mends what a crash or damage left; says what it would do unless `apply`."""
        from lastro.workspace.care import repair

        return repair(self, names, apply=apply, rebuild_catalog=rebuild_catalog)

    def gc(self, *names: str, apply: bool = False, grace: timedelta = timedelta(days=7)) -> GcReport:
        """Collects versions nothing pins; tags, locks, runs and the newest version pin. A dry run unless `apply`."""
        from lastro.workspace.care import collect

        return collect(self, names, apply=apply, grace=grace)

    def engine(self) -> Engine:
        """What computes, made at first use."""
        if self._engine is None:
            from lastro.engine import create
            from lastro.model import scratch

            limits = {"memory_mb": self.settings.memory_mb, "threads": self.settings.threads}
            given = {key: value for key, value in limits.items() if value is not None}
            self._engine = create(self.settings.engine, temp=scratch.Later(self.root / ".lastro" / "staging"), **given)
        return self._engine

    def table(self, dataset: str) -> Table:
        """Where a dataset's versions are."""
        from lastro.store.table import Table

        key = (dataset, get_ident())
        if key not in self._tables:
            self._tables[key] = Table(self.root, dataset, clock=self.clock)
        return self._tables[key]

    @contextmanager
    def catalog(self) -> Iterator[Catalog]:
        """The index of what exists and what happened; it stays open for the next one who asks."""
        if self._catalog is None:
            from lastro.catalog import Catalog

            self._catalog = Catalog(self.root / ".lastro" / "catalog.sqlite")
        yield self._catalog


def find(path: Path) -> Workspace:
    """The workspace in this folder or the nearest one above. Raises `ConfigurationError`."""
    start = path.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            _refuse_links(folder)
            return Workspace(folder, configuration.read(folder))
    raise ConfigurationError(
        _("there is no workspace in {path} or above it").format(path=path),
        where=str(start),
        do=_("lastro init makes one here; lastro -C DIR uses another folder"),
    )


def _refuse_links(root: Path) -> None:
    """What Lastro writes, sweeps and collects must lie in the workspace itself."""
    for name in (*FOLDERS, ".lastro/catalog.sqlite"):
        configuration.refuse_link(root, name)


def create(path: Path) -> Workspace:
    """A new, empty workspace. Raises `ConfigurationError` if there is one already."""
    root = path.resolve()
    if (root / FILE).exists():
        raise ConfigurationError(
            _("there is a workspace here already"), where=str(root / FILE), do=_("lastro add brings data into it")
        )
    with configuration.writing(root):
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / ".lastro").chmod(0o700)
        ignored = root / ".gitignore"
        if not ignored.exists():
            write_durably(ignored, IGNORED.encode())
        write_durably(root / FILE, configuration.initial())
    return find(root)

"""The workspace: a folder that holds contracts, tables, state and the record of what was done with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any

from lastro.model.clock import Clock, utc_now
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, LastroError, UsageError
from lastro.model.text import _
from lastro.workspace import configuration
from lastro.workspace.configuration import FILE, Configuration
from lastro.workspace.dataset import Dataset, unknown
from lastro.workspace.lineage.untold import Untold

if TYPE_CHECKING:
    from lastro.alert.incident import Action, Incident
    from lastro.catalog import Catalog, RunRecord
    from lastro.catalog.look_record import Look
    from lastro.engine.protocol import Engine
    from lastro.governance.certificate import Certificate
    from lastro.model.check import CheckReport
    from lastro.model.data_map import DataMap
    from lastro.model.lineage import ColumnOrigin, Lineage
    from lastro.model.rectified import Rectified
    from lastro.model.retained import Retention
    from lastro.model.status import DatasetStatus, Round
    from lastro.model.subject import Request, Sought
    from lastro.policy.example import Outcome
    from lastro.privacy.anonymity.outcome import Anonymised, Measured
    from lastro.privacy.vault import Vault
    from lastro.quality.leakage import LeakageReport
    from lastro.store.table import Table
    from lastro.transform.derived.why import Why
    from lastro.workspace.access.doctor import Examination
    from lastro.workspace.access.policing import Explanation
    from lastro.workspace.add import Added
    from lastro.workspace.add_all import Addition
    from lastro.workspace.attempt import Working
    from lastro.workspace.audit.documents import Document
    from lastro.workspace.audit.ledger import WorkspaceLedger
    from lastro.workspace.care import GcReport, RepairReport, VerifyReport
    from lastro.workspace.derived.flatten import Child
    from lastro.workspace.lineage.foreign import Imported
    from lastro.workspace.privacy.anonymising import Tree
    from lastro.workspace.privacy.answering import PrivateAnswer
    from lastro.workspace.privacy.keys import Keys
    from lastro.workspace.rights.erasing import ErasureResult
    from lastro.workspace.rights.subject_export import Exported
    from lastro.workspace.rights.subject_requests import Requests
    from lastro.workspace.training.lockfile import LockResult
    from lastro.workspace.training.replay import ReplayResult
    from lastro.workspace.training.rows import Rows
    from lastro.workspace.training.run import Run
    from lastro.workspace.version import Version

IGNORED = "# Data and state are versioned by Lastro, not by git.\n/tables/\n/.lastro/\n"
VAULT = ".lastro/vault.sqlite"
LEDGER = (".lastro/ledger.sqlite", ".lastro/budget.sqlite", ".lastro/keys")
CHAINS = (".lastro/incidents.jsonl", ".lastro/requests.jsonl")
FOLDERS = ("contracts", "tables", ".lastro", ".lastro/locks", ".lastro/staging", ".lastro/runs")


@dataclass(slots=True, repr=False)
class Workspace:
    """A folder with `lastro.yaml`. Opening one reads that file, and the names in `transforms/`."""

    root: Path
    settings: Configuration
    clock: Clock = utc_now
    _engine: Engine | None = None
    _catalog: Catalog | None = None
    _ledger: WorkspaceLedger | None = None
    _vault: Vault | None = None
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

    def version(self, reference: str, *, purpose: str | None = None) -> Version:
        """The version a reference means: `loans`, `loans@17`, `loans@approved`; `purpose` says what it is read for.

        What may be read of it is decided when it is read first. Raises `UnknownName`, `Expired`.
        """
        from lastro.workspace.access.opening import opened

        return opened(self, reference, purpose=purpose)

    def add(
        self,
        location: str | None = None,
        *,
        name: str,
        mode: str | None = None,
        options: Mapping[str, Any] | None = None,  # Any: a source's own options
        flatten: bool = False,
    ) -> Added:
        """Looks at a source, writes a contract for it and enters the dataset in `lastro.yaml`.

        `location` is a file, a glob, a database or an address; `options` are the source's own. With `flatten` each list
        becomes a child dataset, now and whenever a new one comes. Without `location`, the dataset stands in
        `lastro.yaml` with all that belongs to it, and gets the contract that it lacks. Raises `SourceError`,
        `ConfigurationError`, `UsageError`, `UnknownName`.
        """
        from lastro.workspace.add import add, add_contract

        if location is None:
            if mode or options or flatten:
                raise UsageError(
                    _("a dataset of lastro.yaml has its mode and its source's options there"),
                    do=_("correct lastro.yaml, or name the source's location"),
                )
            return add_contract(self.root, self.engine(), self.dataset(name).entry, clock=self.clock)
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
        from lastro.workspace.derived.flatten import flatten

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
        purpose: str = "",
    ) -> Run:
        """A recorded execution: what is read and written inside, with code, environment, parameters and metrics.

        `purpose` is what everything inside is read for.
        """
        from lastro.workspace.training.run import start

        return start(self, name, inputs=inputs, parameters=parameters, purpose=purpose)

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
        from lastro.workspace.derived.build import build

        return build(self, names, asked=asked(start, end, everything=everything, anew=anew), retries=retries)

    def why(self, name: str) -> Why:
        """What changed since the newest version of a derived dataset was made. Raises as `build` does."""
        from lastro.workspace.derived.build import why

        return why(self, name)

    def lineage(self, reference: str, *, column: str | None = None) -> Lineage:
        """What a version – or one column of it – was made from, and what was made from it.

        Raises `UnknownName`, `Expired`.
        """
        from lastro.workspace.lineage import columns as column_lineage
        from lastro.workspace.lineage.versions import lineage

        return lineage(self, reference) if column is None else column_lineage.column(self, reference, column)

    def columns(self, reference: str) -> tuple[ColumnOrigin, ...]:
        """What each column of a version was made from. Raises `UnknownName`, `Expired`."""
        from lastro.workspace.lineage.columns import columns

        return columns(self, reference)

    def take_lineage(self, path: str | Path) -> Imported:
        """Takes in what others read and wrote, from a file of OpenLineage's events; told again, nothing changes.

        Raises `UsageError` for a file that cannot be read or holds no run event.
        """
        from lastro.workspace.lineage.foreign import take

        return take(self, Path(path))

    def data_map(self, *names: str) -> DataMap:
        """Every column of these datasets, or of all: its class, how it is protected, where it comes from, who read it.

        Reads no data. What is wrong with a dataset's contract is told in its place. Raises `UnknownName`.
        """
        from lastro.workspace.audit.data_map import data_map

        return data_map(self, names)

    def status(self, *names: str) -> tuple[DatasetStatus, ...]:
        """How these datasets (all, without names) stand: freshness against the contract, quarantine, last round."""
        from lastro.workspace.status import status

        return status(self, names)

    def check(
        self,
        *references: str,
        rules: Sequence[str] = (),
        dimensions: Sequence[str] = (),
        failures: int | None = None,
    ) -> tuple[CheckReport, ...]:
        """Holds contracts to these versions, or to the newest of every dataset that has one; as `Dataset.check`.

        Of several, one that cannot be checked stops no other: its report has the error, and has not passed.
        """
        from lastro.workspace.quality.check import asked, check_all

        return check_all(self, references, asked(rules, dimensions, failures))

    def look(self, monitor: str) -> Look:
        """Looks with a monitor of `lastro.yaml` now, and records it; an error of the comparison is in the look.

        Nobody is told, and no incident is made: the next round, or `lastro monitor`, does. Raises `UnknownName`,
        `Locked`, `WriteFailed`, `Corrupted`.
        """
        from lastro.workspace.monitoring.looking import look

        return look(self, monitor)

    def looks(self, monitor: str) -> tuple[Look, ...]:
        """Every look of a monitor, oldest first. Raises `UnknownName`, `Corrupted`."""
        from lastro.workspace.monitoring.looking import files, named

        return files(self).read(named(self, monitor).name)

    def look_again(self, monitor: str, number: int) -> Look:
        """What a recorded look comes to if its comparison is made again: the same, unless something is no longer what
        it was. Nothing is recorded. Raises `UnknownName`, `Expired`, `Corrupted`.
        """
        from lastro.workspace.monitoring.looking import again

        return again(self, monitor, number)

    def incidents(self, *, everything: bool = False) -> tuple[Incident, ...]:
        """The incidents that are not resolved, or all; the newest first. Raises `Corrupted`."""
        from lastro.workspace.monitoring.incidents import incidents

        return incidents(self, everything=everything)

    def incident(self, number: int) -> Incident:
        """One incident with its history. Raises `UnknownName`, `Corrupted`."""
        from lastro.workspace.monitoring.incidents import incident

        return incident(self, number)

    def change_incident(
        self,
        number: int,
        action: Action | str,
        *,
        reason: str,
        until: datetime | None = None,
        to: str = "",
        by: str | None = None,
    ) -> Incident:
        """Changes an incident: `acknowledged`, `assigned` (`to` somebody), `muted` (`until` a moment), `resolved`,
        `reopened`. `by` is who does; without it, the system's user. Raises `UnknownName`, `UsageError`.
        """
        from lastro.workspace.monitoring.incidents import change

        return change(self, number, action, reason=reason, until=until, to=to, by=by)

    def runs(self) -> tuple[RunRecord, ...]:
        """The recorded runs, newest first."""
        with self.catalog() as catalog:
            return tuple(catalog.runs())

    def replay(self, run_id: str, *, execute: bool = True) -> ReplayResult:
        """Proves the inputs of a run and runs its command again. Raises `ReplayError` naming what differs."""
        from lastro.workspace.training.replay import replay

        return replay(self, run_id, execute=execute)

    def lock(self) -> LockResult:
        """Writes `lastro.lock`: each dataset's newest version and digest, to be committed with the code."""
        from lastro.workspace.training.lockfile import write

        return write(self)

    def leakage(
        self,
        first: str | Rows,
        second: str | Rows,
        *,
        key: Sequence[str] = (),
        target: str | None = None,
        tolerated: float = 0.0,
    ) -> LeakageReport:
        """What leaks from what is trained on into what is tested with; both are references, versions or their views.

        `key` names a row or a subject, `target` what is learned; shared rows and keys are told beyond the `tolerated`
        share of the second's rows. Raises `UnknownName`, `UsageError`, `Corrupted`, `Expired`.
        """
        from lastro.workspace.quality.leakage import leakage

        sides = [self.version(each) if isinstance(each, str) else each for each in (first, second)]
        return leakage(self, sides[0], sides[1], key=key, target=target, tolerated=tolerated)

    def anonymise(
        self,
        reference: str,
        *,
        hierarchies: Mapping[str, Tree] | None = None,
        to: str | None = None,
        **asked: Any,  # Any: the fields of `lastro.privacy.anonymity.outcome.Asked`
    ) -> Anonymised:
        """Makes a dataset of a version whose rows are so coarse in their quasi-identifiers that nobody stands out.

        `asked` are `k`, `l`, `t`, `suppress` (a share of the rows), `entropy`, `quasi`, `sensitive`, `keep` (columns
        that nobody classified), `recode`; what is not said, the contract says. `population` is a version with a row for
        each person that there is. `hierarchies` are files or mappings by column. The dataset is `to`, or `NAME_k5`. See
        `lastro.governance.anonymise`.
        Raises `UnknownName`, `UsageError`, `ConfigurationError`, `DataRefused`, `StoreError`.
        """
        from lastro.workspace.privacy.anonymising import anonymise

        return anonymise(self, reference, asked, hierarchies=hierarchies or {}, to=to)

    def risk(
        self, reference: str, *, quasi: Sequence[str] = (), sensitive: Sequence[str] = (), population: str | None = None
    ) -> Measured:
        """How easily persons are found again in a version, as it stands. Raises `UnknownName`, `UsageError`."""
        from lastro.workspace.privacy.anonymising import measure

        asked = {"quasi": tuple(quasi), "sensitive": tuple(sensitive), "population": population}
        return measure(self, reference, asked)

    def dp(
        self,
        reference: str,
        statistic: str,
        *,
        column: str = "",
        **question: Any,  # Any: the fields of `lastro.privacy.dp.Question`
    ) -> PrivateAnswer:
        """A differentially private `count`, `sum`, `mean` or `histogram` of a version, within the contract's budget.

        `question` are `epsilon`, `lower` and `upper` (of sums and means), `edges` or `values` (of histograms) and
        `contributions`; see `lastro.privacy.dp`. Raises `UnknownName`, `UsageError`, `NotPermitted`, `MissingExtra`.
        """
        from lastro.workspace.privacy.answering import answer

        return answer(self, reference, statistic, column, question)

    def report(self, kind: str, *names: str) -> Document:
        """A document of the law about these datasets, or all: `ropa`, `dpia`, `ripd`, `access` or `control`.

        Raises `UsageError` for another kind, `UnknownName`, `Corrupted`.
        """
        from lastro.workspace.audit.documents import document

        return document(self, kind, names=names)

    def incident_report(
        self,
        *names: str,
        actors: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        known: datetime | None = None,
    ) -> Document:
        """What these actors (all, without any) did with these datasets (all, without names), and whom to tell by when.

        `known` is since when the incident is known: now, if not said. Raises `UnknownName`, `Corrupted`.
        """
        from lastro.report.documents.incident import Incident
        from lastro.workspace.audit.documents import incident

        return incident(self, Incident(known or self.clock(), tuple(actors), since, until), names=names)

    def datasheet(self, reference: str) -> Document:
        """The datasheet of one version. Raises `UnknownName`, `Expired`, `Corrupted`."""
        from lastro.workspace.audit.documents import datasheet

        return datasheet(self, reference)

    def croissant(self, reference: str, *, folder: Path | None = None) -> dict[str, Any]:  # Any: JSON values
        """The Croissant 1.1 description of one version, to be written into `folder` (the workspace's own, if None).

        Raises `UsageError` if the version's files do not lie below that folder, `UnknownName`, `Expired`, `Corrupted`.
        """
        from lastro.workspace.audit.documents import croissant

        return croissant(self, reference, folder=folder)

    def explain(
        self, reference: str, *, who: str | None = None, purpose: str | None = None, act: str = "read"
    ) -> Explanation:
        """What somebody – whoever asks, if nobody is named – gets of each column of a version, and why.

        Reads no rows. Raises `UnknownName`, `Expired`, `ConfigurationError`, `ContractError`, `MissingExtra`.
        """
        from lastro.workspace.access.policing import explain

        return explain(self, reference, who=who, purpose=purpose, act=act)

    def test_policies(self) -> tuple[Outcome, ...]:
        """What the examples of `policies/*.test.yaml` come to.

        Raises `UnknownName` if there is none, `ConfigurationError`, `ContractError`, `MissingExtra`.
        """
        from lastro.workspace.access.policing import tested

        return tested(self)

    def doctor(self) -> Examination:
        """What this workspace promises, what it cannot, and what is to be put right. Changes nothing, reads no row."""
        from lastro.workspace.access.doctor import examine

        return examine(self)

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

    def erase(
        self,
        *subjects: str,
        basis: str,
        kind: str | None = None,
        except_held: bool = False,
        dry_run: bool = False,
        request: str | None = None,
    ) -> ErasureResult:
        """Erases people from every version of every dataset, and from the vault, which blocks them from then on.

        `subjects` are identifiers of one `kind` – that of the contracts' subjects, if they name one only – or tokens.
        With `except_held` datasets that a legal duty keeps are left out; with `dry_run` it is only told what would go.
        `request` is the id of their registered request; without one, one that came today is entered.
        Raises `UnknownName` if nobody of them is anywhere, `NotPermitted` for a legal duty, `UsageError`, `StoreError`.
        """
        from lastro.workspace.rights.erasing import erase

        asked = {"except_held": except_held, "dry_run": dry_run}
        return erase(self, subjects, kind=kind, basis=basis, request=request, **asked)

    def resume_erasures(self) -> tuple[ErasureResult, ...]:
        """Finishes erasures that were cut off. Raises as `erase` does."""
        from lastro.workspace.rights.erasing import resume

        return resume(self)

    def verify_certificate(self, path: str | Path) -> Certificate:
        """The certificate in a file, proven by its signature and by the tables. Raises `NotPermitted`, `Corrupted`."""
        from lastro.workspace.rights.erasing import verify

        return verify(self, Path(path))

    def subject_find(self, who: str) -> Sought:
        """Where a person stands – `cpf=…`, or a token – and in how many rows of which versions; no value.

        Raises `UsageError`, `UnknownName`, `Corrupted`.
        """
        from lastro.workspace.rights.subjects import find

        return find(self, who)

    def subject_export(
        self,
        who: str,
        *,
        to: str | Path,
        basis: str = "",
        request: str | None = None,
        all_versions: bool = False,
    ) -> Exported:
        """Writes everything about a person into a new folder: rows as JSON and CSV, a document in English and
        Portuguese, a manifest (GDPR 15, 20; LGPD 18 I, II, V).

        `request` is the id of a registered request; without one, one that came today is entered, under this `basis`.
        With `all_versions`, rows are those of every retained version. Raises `UsageError`, `UnknownName`, `Corrupted`,
        `WriteFailed`.
        """
        from lastro.workspace.rights.subject_export import export

        return export(self, who, Path(to), basis=basis, request=request, every_version=all_versions)

    def subject_rectify(
        self,
        who: str,
        *,
        dataset: str,
        values: Mapping[str, str | None],
        basis: str = "",
        request: str | None = None,
    ) -> Rectified:
        """Puts `values` of a person's rows in the newest version of a dataset right, and says who is to be told (GDPR
        16, 19; LGPD 18 III, 18 §6).

        Values are texts, read as the contract reads them; None for a missing one. What stands as a token is put right
        in the vault. Raises `UsageError`, `UnknownName`, `DataRefused`, `Locked`, `Corrupted`, `WriteFailed`.
        """
        from lastro.workspace.rights.rectifying import rectify

        return rectify(self, who, dataset, values, basis=basis, request=request)

    def enter_request(self, right: str, *, received: date | None = None, basis: str = "") -> Request:
        """Enters a person's request that came, by a random id; `right` is `access`, `rectification`, `erasure` or
        another of `governance.requests`.

        Raises `UsageError`, `Corrupted`, `WriteFailed`.
        """
        from lastro.workspace.rights.subject_requests import enter

        return enter(self, right, received=received, basis=basis)

    def close_request(self, request: str, *, outcome: str = "") -> Request:
        """Says that a request was answered. Raises `UsageError`, `UnknownName`, `Corrupted`, `WriteFailed`."""
        from lastro.workspace.rights.subject_requests import answer

        return answer(self, request, outcome)

    def subject_requests(self) -> Requests:
        """The requests of persons, overdue ones first. Raises `Corrupted`."""
        from lastro.workspace.rights.subject_requests import listed

        return listed(self)

    def retain(self, *names: str, apply: bool = False) -> Retention:
        """What is past the retention that contracts state, in these datasets or all; removed with `apply`.

        Raises `UnknownName`, `Corrupted`; with `apply` also `Locked`, `WriteFailed`.
        """
        from lastro.workspace.rights.retaining import retain

        return retain(self, names, apply=apply)

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
        from lastro.privacy.columns import VaultColumnKeys
        from lastro.store.table import Table

        key = (dataset, get_ident())
        if key not in self._tables:
            columns = VaultColumnKeys(self.vault)
            self._tables[key] = Table(self.root, dataset, clock=self.clock, columns=columns)
        return self._tables[key]

    @property
    def ledger(self) -> WorkspaceLedger:
        """What happened here, signed, and the proof of it."""
        if self._ledger is None:
            from lastro.workspace.audit.ledger import WorkspaceLedger

            self._ledger = WorkspaceLedger(self.root / ".lastro", self.clock)
        return self._ledger

    @property
    def keys(self) -> Keys:
        """The vault's keys, and its backups."""
        from lastro.workspace.privacy.keys import Keys

        return Keys(self)

    @property
    def vault(self) -> Vault:
        """Where identifiers live, encrypted, behind their tokens; made once something is put into it."""
        if self._vault is None:
            from lastro.privacy.command import Command
            from lastro.privacy.root import RootAt
            from lastro.privacy.vault import Vault

            said = self.settings.root_command
            command = None if said is None else Command(said.arguments, self.root / FILE, said.timeout_s)
            root = RootAt(self.settings.root_key, self.root / ".lastro" / "keys", command)
            self._vault = Vault(self.root / VAULT, root, now=self.clock)
        return self._vault

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
    for name in (*FOLDERS, ".lastro/catalog.sqlite", ".lastro/monitors", *CHAINS, VAULT, *LEDGER):
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

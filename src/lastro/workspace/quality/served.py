"""Checks where the data lives: a contract – a file, or a dataset's – held to what one of its servers gives.

Rules:

1. No workspace is needed for a contract's file; paths in it begin where the caller stands. A dataset's contract is the
   one of its workspace, where its paths begin.
2. Each schema object is checked by itself, and its report says what it came to. Of several, one that cannot be checked
   stops no other, and a rule or dimension that is asked for need be in one of them only. Where keys are looked up, all
   are read in one state of a database that can share it, and else those that others look into last: a row that came
   meanwhile is no missing one.
3. What was fetched stands in a private temporary folder, which is removed however the check ends; what a killed one
   left, the next removes. A schema object's rows are removed before the next is read, unless keys are looked up.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lastro import contract as contracts
from lastro.contract.servers import Server
from lastro.contract.servers import server as named
from lastro.contract.sla import service_levels
from lastro.engine import create
from lastro.model import scratch
from lastro.model.check import CheckedRule, CheckReport
from lastro.model.clock import Clock, utc_now
from lastro.model.errors import LastroError, UnknownName, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.pipeline import served
from lastro.pipeline.lookups import Lookups, lookups
from lastro.pipeline.served import Fetched, Newest, Serving, looked_up
from lastro.workspace.quality.freshness import judge_value
from lastro.workspace.quality.promised import freshness_rule, unread_rule

if TYPE_CHECKING:
    from lastro.contract import Contract
    from lastro.pipeline.held import Asked
    from lastro.pipeline.target import Target
    from lastro.workspace.dataset import Dataset


_SPILL, _ROWS = "spill", "rows"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose contracts are checked, and from where the paths of their servers begin; what limits the engine has."""

    contracts: tuple[Contract, ...]
    base: Path
    limits: Mapping[str, int]
    staging: Path | None = None
    withheld: frozenset[str] = frozenset()
    clock: Clock = utc_now
    looked: Lookups = field(default_factory=Lookups)


def of_file(path: Path) -> Place:
    """The contract in a file. Raises `ContractError`."""
    return Place(contracts.load_all(path), Path(), {})


def of_dataset(dataset: Dataset, *, rows: bool = False) -> Place:
    """The contract of a dataset, of which `rows` are to be shown. Raises `ContractError`."""
    settings, target = dataset.workspace.settings, dataset.shown(rows=rows)
    limits = {"memory_mb": settings.memory_mb, "threads": settings.threads}
    return Place(
        (dataset.contract(),),
        dataset.workspace.root,
        {key: value for key, value in limits.items() if value is not None},
        dataset.workspace.root / ".lastro" / "staging",
        target.withheld,
        dataset.workspace.clock,
        _looked(target),
    )


def _looked(target: Target) -> Lookups:
    """The stored versions in which the rules look keys up; none if one is not there, which the rules then tell."""
    with suppress(UnknownName):
        return lookups(target)
    return Lookups()


def check_served(place: Place, name: str, wanted: Asked, *, cleaned: bool) -> tuple[CheckReport, ...]:
    """Checks each schema object at the server of that name.

    Raises `UnknownName`, `ConfigurationError`; of a single schema object all that reading and judging raise.
    """
    there = named(place.contracts[0], name)
    with _folder(place.staging) as folder:
        engine = create("duckdb", temp=folder / _SPILL, **place.limits)
        checks = _Checks(
            place, there, wanted, Serving(engine, place.base, folder / _ROWS, cleaned, looked=place.looked)
        )
        if len(place.contracts) == 1:
            return (checks.alone(place.contracts[0]),)
        return tuple(_settled(checks.every()))


@dataclass(frozen=True, slots=True)
class _Checks:
    """One server's checks on their way."""

    place: Place
    server: Server
    wanted: Asked
    serving: Serving

    def alone(self, contract: Contract) -> CheckReport:
        """The report of a single schema object; what befalls it is raised."""
        started = self.place.clock()
        return self._judged(self.fetched(contract), {}, started)

    def every(self) -> tuple[CheckReport, ...]:
        """A report for each schema object, in the contract's order (rules 2 and 3)."""
        together = any(looked_up(contract) & self._names for contract in self.place.contracts)
        if not together:
            return tuple(self._checked(contract) for contract in self.place.contracts)
        fetched: dict[str, Fetched] = {}
        reports: dict[str, CheckReport] = {}
        with served.together(self.place.contracts, self.server, self.serving) as serving:
            checks = replace(self, serving=serving)
            for contract in self._ordered():
                started = self.place.clock()
                try:
                    fetched[contract.dataset] = checks.fetched(contract)
                except LastroError as error:
                    reports[contract.dataset] = self._failed(contract, started, error)
        for name, found in fetched.items():
            started = self.place.clock()
            try:
                reports[name] = self._judged(found, fetched, started)
            except LastroError as error:
                reports[name] = self._failed(found.contract, started, error)
        return tuple(reports[contract.dataset] for contract in self.place.contracts)

    def _checked(self, contract: Contract) -> CheckReport:
        """The report of one of several, or why there is none; its rows are removed."""
        started = self.place.clock()
        try:
            return self.alone(contract)
        except LastroError as error:
            return self._failed(contract, started, error)
        finally:
            shutil.rmtree(self.serving.folder / contract.dataset, ignore_errors=True)

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(contract.dataset for contract in self.place.contracts)

    def _ordered(self) -> Sequence[Contract]:
        """The contracts, those that others look into after these."""
        found = {contract.dataset: contract for contract in self.place.contracts}
        ordered: dict[str, Contract] = {}

        def visit(name: str, above: frozenset[str]) -> None:
            if name in ordered or name in above:
                return
            for other, contract in found.items():
                if name in looked_up(contract):
                    visit(other, above | {name})
            ordered[name] = found[name]

        for name in found:
            visit(name, frozenset())
        return tuple(ordered.values())

    def fetched(self, contract: Contract) -> Fetched:
        """A schema object's rows; what the workspace withholds beside the contract is withheld, too."""
        found = served.fetch(contract, self.server, self.serving)
        held = replace(found.held, withheld=found.held.withheld | self.place.withheld)
        return replace(found, held=held)

    def _judged(self, found: Fetched, others: Mapping[str, Fetched], started: datetime) -> CheckReport:
        now = self.place.clock()
        checked = served.check(
            found,
            self.wanted,
            others,
            self.serving,
            also=lambda newest, rows: _service_levels(found.contract, newest, rows, now),
        )
        report = self._report(found.contract, started)
        return replace(
            report,
            rows=found.landed.rows,
            engine=found.held.engine.name,
            rules=checked.rules,
            failures=checked.failures,
            notes=tuple(_notes(found, cleaned=self.serving.cleaned)),
        )

    def _failed(self, contract: Contract, started: datetime, error: LastroError) -> CheckReport:
        return replace(self._report(contract, started), error=error.to_dict())

    def _report(self, contract: Contract, started: datetime) -> CheckReport:
        return CheckReport(
            run=str(uuid.uuid4()),
            dataset=contract.dataset,
            reference=f"{self.server.name}/{contract.dataset}",
            started=started,
            ended=self.place.clock(),
            contract=str(contract.document.get("id") or contract.name),
            contract_version=contract.version,
            contract_digest=contract.digest,
            server=self.server.name,
            cleaned=self.serving.cleaned,
        )


def _service_levels(contract: Contract, newest: Newest, rows: int, now: datetime) -> tuple[CheckedRule, ...]:
    levels = service_levels(contract)
    judged = [
        freshness_rule(
            judge_value(promise, newest(promise.column) if promise.column else None, now),
            now,
            rows=rows,
        )
        for promise in levels.freshness
    ]
    return (*judged, *(unread_rule(note, rows) for note in levels.notes))


def _notes(found: Fetched, *, cleaned: bool) -> Iterator[str]:
    if any(column.expression for column in found.held.plan.columns):
        if cleaned:
            yield _("rules were judged after cleaning")
        else:
            yield _("rules were judged before cleaning; with --clean they are judged after it")
    if not found.held.stored.plan.columns:  # then names may be the first row's values
        yield _("what was read has none of the contract's columns; perhaps it has no header line")
    elif extra := found.landed.unread:
        names = ", ".join(extra[:20]) + (" …" if len(extra) > 20 else "")
        yield _("the contract does not name these columns: {names}").format(names=names)
    if found.held.plan.quarantined_max is not None:
        yield _("quarantinedMax is about ingestions, and was not judged")
    yield from found.notes
    yield from found.contract.notes


def _settled(reports: Sequence[CheckReport]) -> Iterator[CheckReport]:
    """The reports of several schema objects: a rule or dimension that one of them has need not be in the others."""
    unknown = [report.error.get("code") == UnknownName.code for report in reports]
    for report, is_unknown in zip(reports, unknown, strict=True):
        yield replace(report, error={}) if is_unknown and not all(unknown) else report


@contextmanager
def _folder(staging: Path | None) -> Iterator[Path]:
    """A private folder for as long as the check lasts (rule 3), with places in it. Raises `WriteFailed`."""
    shared = staging or _of_user()
    with ExitStack() as stack:
        stack.callback(_leave, None if staging is not None else shared)
        try:
            folder = stack.enter_context(scratch.held(shared))
            for name in (_SPILL, _ROWS):
                (folder / name).mkdir()
        except OSError as error:
            raise WriteFailed(
                _("no temporary folder can be made: {reason}").format(reason=reason_of(error)),
                where=str(shared or tempfile.gettempdir()),
                do=_("free some space, or set TMPDIR to a folder that may be written"),
            ) from error
        yield folder


def _leave(shared: Path | None) -> None:
    if shared is not None:
        with suppress(OSError):  # another check is at work there
            shared.rmdir()


def _of_user() -> Path | None:
    """Where the checks of this user have their folders; None if somebody else made something of that name."""
    shared = Path(tempfile.gettempdir()) / f"lastro-check-{os.getuid()}"
    with suppress(OSError):
        shared.mkdir(mode=0o700, exist_ok=True)
        found = shared.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return shared
    return None

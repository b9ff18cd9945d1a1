"""Runs: one execution, recorded while it happens.

Rules:

1. The record is written when the run begins, whenever it reads or writes another version, and when it ends; a killed
   process leaves it `running`.
2. What is read is pinned at the first mention: a tag that moves meanwhile changes nothing.
3. A bare name means a declared input; anything else must say which version it means.
4. In a replay (`LASTRO_REPLAY` names the run), every input is the recorded version, whatever its name means now.
5. An exception marks the run failed, by its class only, and goes on.
"""

from __future__ import annotations

import contextvars
import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from lastro.catalog.run_files import RunFiles
from lastro.catalog.run_record import RunRecord, RunStatus, UsedVersion, check_run_id, new_run_id
from lastro.model.clock import Clock
from lastro.model.errors import LastroError, ReplayError, UnknownName, UsageError
from lastro.model.reference import check_name
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.workspace.training import environment

if TYPE_CHECKING:
    from lastro.catalog import Catalog
    from lastro.workspace.access.handed import Opening
    from lastro.workspace.version import Version

REPLAY = "LASTRO_REPLAY"
"""The environment variable that names the run a process repeats."""
RUNS = Path(".lastro") / "runs"
_active: contextvars.ContextVar[Run | None] = contextvars.ContextVar("lastro_run", default=None)
_begun = itertools.count()


class Ground(Protocol):
    """What a run needs of its workspace."""

    @property
    def root(self) -> Path:
        """The workspace's folder."""
        ...

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    def version(self, reference: str) -> Version:
        """The version that is meant."""
        ...

    def catalog(self) -> AbstractContextManager[Catalog]:
        """The index, open."""
        ...


class Run:
    """A run, from `with` to its end. Its record is written durably as it changes."""

    def __init__(self, ground: Ground, record: RunRecord, asked: Sequence[str], *, repeats: RunRecord | None) -> None:
        self._ground = ground
        self._record = record
        self._asked = tuple(asked)
        self._repeats = repeats
        self._token: contextvars.Token[Run | None] | None = None

    @property
    def id(self) -> str:
        """The run's id."""
        return self._record.id

    @property
    def name(self) -> str:
        """What the run is called."""
        return self._record.name

    @property
    def purpose(self) -> str:
        """What the run reads for, nothing if nobody said."""
        return self._record.purpose

    @property
    def parameters(self) -> Mapping[str, Any]:  # Any: JSON values
        """The parameters, as they are recorded."""
        return MappingProxyType(dict(self._record.parameters))

    @property
    def record(self) -> RunRecord:
        """What is recorded so far."""
        return self._record

    def read(self, reference: str) -> Version:
        """The version a declared input's name or a full reference means, recorded as read.

        Raises `UnknownName` if a bare name was not declared, `ReplayError` if a replay would read what the recorded run
        did not, and what opening a version raises.
        """
        used = self._declared(reference)
        if used is None:
            used = self._pin(reference)
            self._save(inputs=(*self._record.inputs, used))
        return self._opened(used)

    def log(self, **metrics: float) -> None:
        """Records numbers under names; the last value of a name counts. Raises `UsageError` on what is no number."""
        self._must_be_open()
        measured = {name: _number(name, value) for name, value in metrics.items()}
        self._record = replace(self._record, metrics={**self._record.metrics, **measured})

    def saw(self, info: VersionInfo, *, consents: str = "") -> None:
        """Records that a version was read by another way than `read`, and the consents under which it was, as `name@n
        digest`. Raises `ReplayError` as `read` does.
        """
        self._under(info.reference, consents)
        used = UsedVersion(info.reference, info.dataset, info.number, info.digest)
        if _version_of(used) in map(_version_of, self._record.inputs):
            return
        if self._repeats is not None and _version_of(used) not in map(_version_of, self._repeats.inputs):
            raise _never_read(info.reference, self._repeats.id)
        self._save(inputs=(*self._record.inputs, used))

    def _under(self, reference: str, consents: str) -> None:
        if not consents:
            return
        state, digest = consents.split(" ")
        dataset, number = state.rsplit("@", 1)
        used = UsedVersion(reference, dataset, int(number), digest)
        if used not in self._record.consents:
            self._save(consents=(*self._record.consents, used))

    def wrote(self, info: VersionInfo) -> None:
        """Records that the run made a version."""
        used = UsedVersion(info.reference, info.dataset, info.number, info.digest)
        if used not in self._record.outputs:
            self._save(outputs=(*self._record.outputs, used))

    def __enter__(self) -> Self:
        if self._token is not None:
            raise UsageError(_("run {run} was begun already").format(run=self.id), do=_("start another run"))
        inputs = tuple(self._pin(reference) for reference in self._asked)
        self._save(inputs=tuple(dict.fromkeys(inputs)))
        self._token = _active.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _active.reset(self._token)
        failed = error is not None and not (isinstance(error, SystemExit) and not error.code)
        status = RunStatus.FAILED if failed else RunStatus.SUCCEEDED
        name = f"{kind.__module__}.{kind.__qualname__}" if failed and kind is not None else ""
        try:
            self._save(status=status, ended=self._ground.clock(), error=name)
        except LastroError as second:
            if error is None:
                raise
            error.add_note(str(second))  # the run's own failure is the one to be told; this one rides along

    def __repr__(self) -> str:
        return f"<run {self.id} {self.name}: {self._record.status}>"

    def _declared(self, reference: str) -> UsedVersion | None:
        """The input that is meant, if it is known already."""
        self._must_be_open()
        for used in self._record.inputs:
            if used.name == reference:
                return used
        if "@" in reference:
            return None
        found = [used for used in self._record.inputs if used.dataset == check_name(reference)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(used.name for used in self._record.inputs)
        raise UnknownName(
            _("{name} is not one declared input of run {run}").format(name=reference, run=self.name),
            where=_("inputs: {names}").format(names=names) if names else _("the run has no inputs"),
            do=_("declare it with inputs=[…], or say which version: {name}@latest").format(name=reference),
        )

    def _pin(self, reference: str) -> UsedVersion:
        """The version that the reference means: now, or in the run that is repeated."""
        if self._repeats is not None:
            for used in self._repeats.inputs:
                if used.name == reference:
                    return used
            raise _never_read(reference, self._repeats.id)
        info = self._ground.version(reference).info
        return UsedVersion(reference, info.dataset, info.number, info.digest)

    def _opened(self, used: UsedVersion) -> Version:
        version = self._ground.version(used.reference)
        check_digest(used, version.digest)
        return version

    def _must_be_open(self) -> None:
        if self._record.status is not RunStatus.RUNNING or self._token is None:
            raise UsageError(
                _("run {run} is not open").format(run=self.id), do=_("read and log inside `with ws.run(…) as run:`")
            )

    def _save(self, **changes: Any) -> None:  # Any: fields of RunRecord
        self._record = replace(self._record, **changes)
        RunFiles(self._ground.root / RUNS).write(self._record)
        with self._ground.catalog() as catalog:
            catalog.record_run(self._record)


def start(
    ground: Ground,
    name: str,
    *,
    inputs: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,  # Any: JSON values
    seed: int | None = None,
    random: Callable[[int], bytes] = os.urandom,
    purpose: str = "",
) -> Run:
    """A run that is ready to be entered; nothing is recorded before. `seed` is the parameter of that name if not given,
    `purpose` that of `LASTRO_PURPOSE`, or of the run that is repeated.

    Raises `NameRefused`, `UsageError` on parameters that JSON cannot hold, or what is no name of a purpose.
    """
    plain = _plain(parameters or {})
    position = next(_begun)
    repeats = _repeated(ground, check_name(name), position)
    own_seed = plain.get("seed")
    began = ground.clock()
    record = RunRecord(
        id=new_run_id(began, random(4)),
        name=name,
        started=began,
        status=RunStatus.RUNNING,
        command=environment.command(),
        folder=Path(os.path.relpath(Path.cwd(), ground.root)).as_posix(),
        environment=environment.collect(),
        code=environment.code(),
        parameters=plain,
        seed=own_seed if seed is None and type(own_seed) is int else seed,
        position=position,
        replay_of=repeats.id if repeats else None,
        purpose=_purpose(purpose, repeats),
    )
    return Run(ground, record, inputs, repeats=repeats)


def _purpose(named: str, repeats: RunRecord | None) -> str:
    from lastro.policy.basis import VARIABLE, checked

    recorded = repeats.purpose if repeats is not None else ""
    return checked(named or recorded or os.environ.get(VARIABLE, ""))


def active() -> Run | None:
    """The run that this thread is inside of, if any."""
    return _active.get()


def seen(info: VersionInfo, *, opening: Opening | None = None) -> None:
    """Tells the active run, if there is one, that a version is being read; for whoever opens versions."""
    run = active()
    consented = None if opening is None else opening.consented
    if run is not None:
        run.saw(info, consents="" if consented is None else consented.state)


def check_digest(used: UsedVersion, digest: str) -> None:
    """Raises `ReplayError` unless the version still has the digest that was recorded."""
    if digest != used.digest:
        raise ReplayError(
            _("{reference} is not the version that was read").format(reference=used.reference),
            where=_("recorded {recorded}, found {found}").format(recorded=used.digest, found=digest),
            do=_("restore the table from a backup; lastro verify shows what else differs"),
        )


def _repeated(ground: Ground, name: str, position: int) -> RunRecord | None:
    """The recorded run that this one repeats: the same command's run of that name and position."""
    run_id = os.environ.get(REPLAY)
    if not run_id:
        return None
    try:
        record = RunFiles(ground.root / RUNS).read(check_run_id(run_id))
    except UnknownName:  # the run belongs to another workspace that the same program uses
        return None
    same = (record.name, record.position, record.command) == (name, position, environment.command())
    return record if same else None


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON values, numpy's scalars among them
    try:
        text = json.dumps(dict(parameters), allow_nan=False, default=lambda value: value.item())
        return dict(json.loads(text))
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UsageError(
            _("the parameters hold something that JSON cannot"),
            do=_("use texts, finite numbers, booleans, lists and dicts"),
        ) from error


def _number(name: str, value: Any) -> float:  # Any: whatever was logged
    refused = UsageError(_("the metric {name} is not a number").format(name=name), do=_("log one number"))
    if isinstance(value, str | bytes):
        raise refused
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise refused from error


def _version_of(used: UsedVersion) -> tuple[str, int, str]:
    return used.dataset, used.number, used.digest


def _never_read(reference: str, run: str) -> ReplayError:
    return ReplayError(
        _("the replay reads {reference}, which run {run} did not read").format(reference=reference, run=run),
        do=_("check out the code the run was made with; read through run.read, so that the version is pinned"),
    )

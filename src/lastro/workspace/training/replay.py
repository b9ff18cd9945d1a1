"""Replays: proof that a run can be made again from the very same data.

The order, which is the proof:

1. Every input's version still has the recorded digest, and every byte of its files the digest in its manifest.
2. The recorded command runs again, without a shell, in the recorded folder, with the interpreter of this process and
   `LASTRO_REPLAY` set; in it, `Run` pins every input to the recorded version.
3. The new run's inputs, parameters and metrics equal the recorded ones exactly (a NaN equals a NaN).
4. A version from which people were erased since is the same version, less exactly those rows; that is proven, and told
   with the request whose certificate says so. Metrics may then differ: they are shown, and are no failure.
5. What differs in the environment or the code is told, and is no failure: it explains one.
6. It reads for the recorded purpose, under today's consents: nobody's rows are used again who withdrew since. That the
   consents are others is told. Metrics may then differ, as under rule 4.

Runs of interactive sessions have no command that could run again; their data can still be proven.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path, PurePath
from typing import Any

from lastro.catalog.run_files import RunFiles
from lastro.catalog.run_record import RunRecord, RunStatus, UsedVersion
from lastro.model import clock
from lastro.model.errors import ReplayError, UsageError
from lastro.model.text import _, ngettext
from lastro.store.table import Table
from lastro.workspace.training import environment
from lastro.workspace.training.run import REPLAY, RUNS, Ground, check_digest

_WITH_VALUE = frozenset("WX")
_INTERACTIVE = frozenset(
    {"IPython", "ipython", "ipython3", "ipykernel", "ipykernel_launcher", "colab_kernel_launcher", "jupyter"}
    | {
        "jupyter-lab",
        "jupyter-notebook",
        "jupyter-console",
        "notebook",
        "bpython",
        "ptpython",
        "pdb",
        "code",
        "idlelib",
    }
)


@dataclass(frozen=True, slots=True)
class MetricPair:
    """A metric of both runs; None where one has none of that name."""

    name: str
    before: float | None
    after: float | None

    @property
    def equal(self) -> bool:
        """True if both have it and the numbers are exactly the same."""
        if self.before is None or self.after is None:
            return False
        return self.before == self.after or (math.isnan(self.before) and math.isnan(self.after))


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """A replay that came to the same. `replay` is the new run's id, None if only the data was proven.

    `notes` say what differs in the environment and the code.
    """

    run: str
    replay: str | None
    inputs: tuple[UsedVersion, ...]
    metrics: tuple[MetricPair, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Always true: a replay that differs raises `ReplayError`."""
        return True

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The result as plain values."""
        metrics = [{**asdict(pair), "equal": pair.equal} for pair in self.metrics]
        return {**asdict(self), "metrics": metrics, "passed": self.passed}

    def _repr_html_(self) -> str:
        lines = [_("run {run} gave the same again").format(run=self.run)] if self.replay else []
        lines += [f"{used.reference} {used.digest}" for used in self.inputs]
        lines += [f"{pair.name} {pair.before}" for pair in self.metrics]
        return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in (*lines, *self.notes)) + "</ul>"


def replay(ground: Ground, run_id: str, *, execute: bool = True, timeout_s: float | None = None) -> ReplayResult:
    """Proves a run's inputs and, with `execute`, runs its command again; what the command prints goes to stderr.

    Raises `ReplayError` naming what differs, `UnknownName` for an unknown run, `UsageError` if the run cannot be
    executed again, `Corrupted` or `Expired` if an input's files are not what they were.
    """
    files = RunFiles(ground.root / RUNS)
    record = files.read(run_id)
    erased = tuple(_prove(ground, record))
    notes = erased + environment.differences(record.environment, environment.collect())
    if not execute:
        return ReplayResult(record.id, None, record.inputs, (), notes)
    folder = _folder(ground, record)
    _check_command(record, folder)
    known = set(files.ids())
    _run_again(record, folder, timeout_s)
    again = _found_again(files, known, record)
    pairs = metric_pairs(record.metrics, again.metrics)
    other_consents = _consents_differing(record, again)
    _compare(record, again, () if erased or other_consents else pairs)
    notes += (*environment.code_differences(record.code, again.code), *other_consents)
    return ReplayResult(record.id, again.id, record.inputs, pairs, notes)


def is_interactive(command: tuple[str, ...]) -> bool:
    """True if the command names neither a script nor a module that would do the same again."""
    arguments = list(command[1:])
    while arguments:
        argument = arguments.pop(0)
        if not argument.startswith("-"):
            return PurePath(argument).name.removesuffix(".py") in _INTERACTIVE
        if argument.startswith("--"):
            del arguments[: argument == "--check-hash-based-pycs"]
            continue
        for place, letter in enumerate(argument[1:], start=2):
            rest = argument[place:] or (arguments[0] if arguments else "")
            if letter in "ci":
                return True
            if letter == "m":
                return rest.partition(".")[0] in _INTERACTIVE | {""}
            if letter in _WITH_VALUE:
                del arguments[: not argument[place:]]
                break
    return True


def metric_pairs(before: Mapping[str, float], after: Mapping[str, float]) -> tuple[MetricPair, ...]:
    """Every metric of either run, by name."""
    return tuple(MetricPair(name, before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys()))


def _prove(ground: Ground, record: RunRecord) -> Iterator[str]:
    """Proves every input; tells what was erased from it since."""
    for used in record.inputs:
        version = ground.version(used.reference)
        check_digest(used, version.digest)
        version.prove()
        yield from _erased(ground, record, used)


def _erased(ground: Ground, record: RunRecord, used: UsedVersion) -> Iterator[str]:
    table = Table(ground.root, used.dataset)
    files = {entry.path for entry in table.version(used.number, collected=True).files}
    for generation in table.log.generations.known().generations:
        rows = generation.taken(files)
        if rows and clock.from_text(generation.moment) >= record.started:
            yield ngettext(
                "{count} row of {reference} was erased since, as certificate {request} says",
                "{count} rows of {reference} were erased since, as certificate {request} says",
                rows,
            ).format(count=rows, reference=used.reference, request=generation.request or "-")


def _folder(ground: Ground, record: RunRecord) -> Path:
    folder = (ground.root / record.folder).resolve()
    if not folder.is_dir():
        raise UsageError(
            _("run {run} was started in a folder that is not here").format(run=record.id),
            where=str(folder),
            do=_("put the code back where it was, relative to the workspace"),
        )
    return folder


def _check_command(record: RunRecord, folder: Path) -> None:
    only_data = _("prove its data alone: execute=False")
    if record.status is not RunStatus.SUCCEEDED:
        raise UsageError(
            _("run {run} did not succeed: it is {status}").format(run=record.id, status=record.status), do=only_data
        )
    if is_interactive(record.command):
        raise UsageError(
            _("run {run} was made in an interactive session, which cannot run again").format(run=record.id),
            where=" ".join(record.command[:4])[:200],
            do=_("{only_data}; put the code into a script to make it repeatable").format(only_data=only_data),
        )
    script = next((argument for argument in record.command[1:2] if not argument.startswith("-")), None)
    if script is not None and not (folder / script).exists():
        raise UsageError(
            _("the script of run {run} is not there").format(run=record.id), where=str(folder / script), do=only_data
        )


def _run_again(record: RunRecord, folder: Path, timeout_s: float | None) -> None:
    line = [sys.executable, *record.command[1:]]
    hint = _("run it by hand in {folder} with {variable}={run}").format(folder=folder, variable=REPLAY, run=record.id)
    try:
        done = subprocess.run(
            line,
            cwd=folder,
            env={**os.environ, REPLAY: record.id},
            stdin=subprocess.DEVNULL,
            stdout=2,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReplayError(
            _("the command did not end within {seconds:.0f} s").format(seconds=error.timeout), where=record.id, do=hint
        ) from error
    if done.returncode:
        raise ReplayError(
            _("the command ended with exit code {code}").format(code=done.returncode), where=record.id, do=hint
        )


def _found_again(files: RunFiles, known: set[str], record: RunRecord) -> RunRecord:
    for run_id in reversed(files.ids()):
        if run_id not in known:
            again = files.read(run_id)
            if again.replay_of == record.id:
                return again
    raise ReplayError(
        _("the command did not begin run {name} again").format(name=record.name),
        where=record.id,
        do=_("check out the code the run was made with"),
    )


def _compare(record: RunRecord, again: RunRecord, pairs: tuple[MetricPair, ...]) -> None:
    differing = [*_inputs_differing(record, again), *_parameters_differing(record, again)]
    differing += [
        _("metric {name} was {before}, is {after}").format(name=pair.name, before=pair.before, after=pair.after)
        for pair in pairs
        if not pair.equal
    ]
    if differing:
        notes = (*environment.differences(record.environment, again.environment),)
        notes += environment.code_differences(record.code, again.code)
        raise ReplayError(
            _("run {run} did not give the same again: {what}").format(run=record.id, what="; ".join(differing)),
            where=_("replayed as {run}").format(run=again.id),
            do=_("see what else differs: {notes}").format(notes="; ".join(notes) or _nothing(record)),
        )


def _consents_differing(record: RunRecord, again: RunRecord) -> tuple[str, ...]:
    before = {used.name: used for used in record.consents}
    after = {used.name: used for used in again.consents}
    sentence = _("{reference} was read under {before}, and is now under {now}: who withdrew since is left out")
    return tuple(
        sentence.format(
            reference=name,
            before=before[name].reference if name in before else _("no consents"),
            now=after[name].reference if name in after else _("no consents"),
        )
        for name in sorted(before.keys() | after.keys())
        if _version_of(before.get(name)) != _version_of(after.get(name))
    )


def _version_of(used: UsedVersion | None) -> tuple[str, str] | None:
    return None if used is None else (used.reference, used.digest)


def _nothing(record: RunRecord) -> str:
    if record.code.commit is None:
        return _("nothing in the environment or the script; what it imports was not recorded, as it is in no git")
    return _("nothing in the environment")


def _inputs_differing(record: RunRecord, again: RunRecord) -> list[str]:
    before = {(used.reference, used.digest) for used in record.inputs}
    after = {(used.reference, used.digest) for used in again.inputs}
    missing = [_("{reference} was not read").format(reference=reference) for reference, _digest in before - after]
    added = [_("{reference} was read too").format(reference=reference) for reference, _digest in after - before]
    return sorted(missing) + sorted(added)


def _parameters_differing(record: RunRecord, again: RunRecord) -> list[str]:
    before, after = record.parameters, again.parameters
    nothing = object()
    return [
        _("parameter {name} differs").format(name=name)
        for name in sorted(before.keys() | after.keys())
        if before.get(name, nothing) != after.get(name, nothing)
    ]

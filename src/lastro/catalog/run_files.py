"""Run records on disk: one JSON file a run, `.lastro/runs/<id>.json`. They are the truth, the catalogue an index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lastro.catalog.run_record import RunRecord, check_run_id
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, Corrupted, StoreError, UnknownName, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The folder that holds the run records."""

    folder: Path

    def write(self, record: RunRecord) -> None:
        """Writes or replaces the run's file, durably. Raises `WriteFailed`."""
        path = self._path(record.id)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_durably(path, record.to_json().encode())
        except OSError as error:
            raise WriteFailed(
                _("the record of run {run} cannot be written: {reason}").format(run=record.id, reason=reason_of(error)),
                where=str(path),
                do=_("free some space or make the folder writable, then run it again"),
                state=_("no part of the record became visible"),
            ) from error

    def read(self, run_id: str) -> RunRecord:
        """One run. Raises `UnknownName`, `NameRefused`, `Corrupted`, `ConfigurationError`."""
        path = self._path(run_id)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise UnknownName(
                _("there is no run {run}").format(run=run_id), where=str(self.folder), do=_("see the list of runs")
            ) from error
        except OSError as error:
            raise _unreadable(path, error) from error
        record = RunRecord.from_json(content, where=str(path))
        if record.id != run_id:
            raise Corrupted(
                _("the file of run {run} holds another run").format(run=run_id),
                where=str(path),
                do=_("restore the file from a backup"),
            )
        return record

    def ids(self) -> tuple[str, ...]:
        """Every run's id, oldest first, whether or not its file can be read."""
        try:
            names = [path.stem for path in self.folder.iterdir() if path.suffix == ".json" and path.name[0] != "."]
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise _unreadable(self.folder, error) from error
        return tuple(sorted(name for name in names if _is_id(name)))

    def all(self) -> tuple[RunRecord, ...]:
        """Every run, oldest first. Raises what `read` raises on the first file that is damaged."""
        return tuple(self.read(run_id) for run_id in self.ids())

    def sorted_out(self) -> tuple[tuple[RunRecord, ...], tuple[StoreError | ConfigurationError, ...]]:
        """The runs whose files are whole, oldest first, and the errors of the others; for listing and repair."""
        whole: list[RunRecord] = []
        broken: list[StoreError | ConfigurationError] = []
        for run_id in self.ids():
            try:
                whole.append(self.read(run_id))
            except (StoreError, ConfigurationError) as error:
                broken.append(error)
        return tuple(whole), tuple(broken)

    def pins(self) -> Mapping[str, frozenset[int]]:
        """The versions that runs read or wrote, by dataset: what `gc` must keep.

        Raises `Corrupted` if any file is damaged: nothing may be collected while it is unknown what is needed.
        """
        return pinned(self.all())

    def _path(self, run_id: str) -> Path:
        return self.folder / f"{check_run_id(run_id)}.json"


def pinned(records: Iterable[RunRecord]) -> Mapping[str, frozenset[int]]:
    """The versions that these runs read or wrote, by dataset."""
    found: dict[str, set[int]] = {}
    for record in records:
        for used in (*record.inputs, *record.outputs):
            found.setdefault(used.dataset, set()).add(used.number)
    return {dataset: frozenset(numbers) for dataset, numbers in found.items()}


def _is_id(name: str) -> bool:
    try:
        check_run_id(name)
    except ValueError:
        return False
    return True


def _unreadable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        _("run records cannot be read: {reason}").format(reason=reason_of(error)),
        where=str(path),
        do=_("make the folder readable"),
    )

"""`lastro.lock`: which version of each dataset this commit of the code belongs to.

Rules:

1. JSON with one line per dataset, sorted, so that a change is one line of a diff and a clash one line of a merge.
2. Written durably, and only if it changes; read with suspicion: it comes from whoever commits to the repository.
3. The versions in it are pinned: `lastro gc` keeps them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, NameRefused, WriteFailed
from lastro.model.locked import LockChange, LockedVersion, LockResult
from lastro.model.reference import check_name
from lastro.model.system import reason_of
from lastro.model.text import _

if TYPE_CHECKING:
    from lastro.store.table import Table

FILE = "lastro.lock"
FORMAT = 1
LOCK_BYTES_MAX = 1 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_CLASH = re.compile(rb"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)


class Ground(Protocol):
    """What a lock needs of its workspace."""

    @property
    def root(self) -> Path:
        """The workspace's folder."""
        ...

    def datasets(self) -> tuple[str, ...]:
        """The datasets' names."""
        ...

    def table(self, dataset: str) -> Table:
        """Where a dataset's versions are."""
        ...


def write(ground: Ground) -> LockResult:
    """Locks every dataset at its newest version. Raises `WriteFailed`, and `ConfigurationError` if the old file is
    damaged: it is not overwritten, since it may be the only note of what was pinned.
    """
    path = ground.root / FILE
    before, now = read(ground.root), present(ground)
    changes = compare(before, now)
    if changes or not path.exists():
        try:
            write_durably(path, to_text(now).encode())
        except OSError as error:
            raise WriteFailed(
                _("{path} cannot be written: {reason}").format(path=FILE, reason=reason_of(error)),
                where=str(path),
                do=_("free some space or make the folder writable"),
                state=_("the lock is as it was"),
            ) from error
    return LockResult(path, now, changes)


def present(ground: Ground) -> Mapping[str, LockedVersion]:
    """The newest version of every dataset that has one."""
    heads = {name: ground.table(name).head() for name in ground.datasets()}
    return {name: LockedVersion(head.number, head.digest) for name, head in heads.items() if head is not None}


def read(root: Path) -> Mapping[str, LockedVersion]:
    """The workspace's lock; empty if there is none. Raises `ConfigurationError`."""
    path = root / FILE
    try:
        with path.open("rb") as stream:
            content = stream.read(LOCK_BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _refused(path, reason_of(error)) from error
    return parse(content, where=path)


def parse(content: bytes, *, where: Path) -> Mapping[str, LockedVersion]:
    """Reads what `to_text` wrote. Raises `ConfigurationError` naming file, line and repair."""
    if len(content) > LOCK_BYTES_MAX:
        raise _refused(where, _("it is larger than {bytes} bytes").format(bytes=LOCK_BYTES_MAX))
    if clash := _CLASH.search(content):
        line = content.count(b"\n", 0, clash.start()) + 1
        raise _refused(where, _("line {line} is left from a merge").format(line=line))
    try:
        whole = dict(json.loads(content, object_pairs_hook=_without_doubles))
    except json.JSONDecodeError as error:
        raise _refused(where, _("line {line} is no JSON").format(line=error.lineno)) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise _refused(where, _("it does not have the form of a lock")) from error
    if isinstance(version := whole.get("lastro_lock"), int) and version > FORMAT:
        raise _refused(where, _("a newer Lastro wrote it; upgrade Lastro"))
    try:
        return _locked(whole)
    except NameRefused as error:
        raise _refused(where, error.what) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _refused(where, _("it does not have the form of a lock")) from error


def to_text(locked: Mapping[str, LockedVersion]) -> str:
    """The file's text: JSON, one line per dataset, sorted by name."""
    lines = [
        f'    {json.dumps(name)}: {{"version": {version.version}, "digest": {json.dumps(version.digest)}}}'
        for name, version in sorted(locked.items())
    ]
    body = "{\n" + ",\n".join(lines) + "\n  }" if lines else "{}"
    return f'{{\n  "lastro_lock": {FORMAT},\n  "datasets": {body}\n}}\n'


def compare(before: Mapping[str, LockedVersion], after: Mapping[str, LockedVersion]) -> tuple[LockChange, ...]:
    """The datasets that differ, by name."""
    names = sorted(before.keys() | after.keys())
    pairs = [(name, before.get(name), after.get(name)) for name in names]
    return tuple(LockChange(name, _change(old, new), old, new) for name, old, new in pairs if old != new)


def pinned(root: Path) -> Mapping[str, frozenset[int]]:
    """The versions that the lock pins, by dataset. Raises `ConfigurationError`: with a damaged lock, nothing may go."""
    return {name: frozenset({locked.version}) for name, locked in read(root).items()}


def _change(before: LockedVersion | None, after: LockedVersion | None) -> str:
    match before, after:
        case None, _other:
            return "added"
        case _other, None:
            return "removed"
        case LockedVersion(old), LockedVersion(new):
            return "rewritten" if old == new else "moved"
        case _:
            raise AssertionError("a change has at least one side")


def _locked(whole: dict[str, Any]) -> Mapping[str, LockedVersion]:  # Any: JSON values
    if whole.get("lastro_lock") != FORMAT or set(whole) != {"lastro_lock", "datasets"}:
        raise ValueError("not a lock")
    return {check_name(name): _version(entry) for name, entry in whole["datasets"].items()}


def _version(entry: Any) -> LockedVersion:  # Any: JSON values
    number, digest = entry["version"], entry["digest"]
    if type(number) is not int or number < 0 or set(entry) != {"version", "digest"} or not _DIGEST.fullmatch(digest):
        raise ValueError("not a version")
    return LockedVersion(number, digest)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: JSON values
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refused(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        _("{file} cannot be read: {reason}").format(file=path.name, reason=reason),
        where=str(path),
        do=_("take it from git again, or remove it and run lastro lock"),
    )

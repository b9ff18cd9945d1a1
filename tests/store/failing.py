"""A fault at the Nth system call that changes something: `python -m tests.store.failing FOLDER STRIDE`.

For every operation and every kind of fault: the prepared workspace is copied, a forked child does the operation, and at
its Nth changing call it is killed, before or after it or in the middle of a write, or gets EIO or ENOSPC, once or from
then on. The parent then looks: the old rows or the new ones, never others; new if it was acknowledged; and the same
operation done again under the same key ends in the new rows.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.store.making import append, content, overwrite, restore, upsert

from lastro.model.clock import utc_now
from lastro.model.errors import WriteFailed
from lastro.store.check import verify
from lastro.store.collect import collect
from lastro.store.repair import repair
from lastro.store.table import Table

CALLS = (
    "open",
    "write",
    "fsync",
    "link",
    "rename",
    "mkdir",
    "chmod",
    "unlink",
    "utime",
    "ftruncate",
    "pwrite",
    "rmdir",
)
FAULTS = ("kill before", "kill after", "half write", "EIO", "ENOSPC", "ENOSPC from then on", "EIO from then on")
ACKNOWLEDGED, REFUSED = 10, 11


def tag_and_untag(table: Table) -> None:
    table.tag("new", 1)
    table.untag("old")


def gc(table: Table) -> None:
    later = Table(table.places.root, "loans", clock=lambda: utc_now() + timedelta(days=30))
    collect(later, keep=set(), grace=timedelta(hours=24), apply=True)


OPERATIONS: dict[str, Callable[[Table], object]] = {
    "append": lambda table: append(table, [(7, 70)], "new"),
    "upsert": lambda table: upsert(table, [(1, 11), (7, 70)], "new"),
    "overwrite": lambda table: overwrite(table, [(7, 70)], "new"),
    "restore": lambda table: restore(table, 0, "new"),
    "tag": tag_and_untag,
    "gc": gc,
    "repair": lambda table: repair(table, apply=True),
}


def prepare(base: Path, operation: str) -> None:
    """Three versions, one of them tagged; for `repair` a damaged commit and a damaged manifest."""
    table = Table(base, "loans")
    overwrite(table, [(1, 10), (2, 20)], "a")
    append(table, [(3, 30)], "b")
    overwrite(table, [(1, 10), (5, 50)], "c")
    table.tag("old", 1)
    if operation == "repair":
        table.places.commit(1).write_bytes(b"")
        table.places.manifest(0).write_bytes(b"{}")


class Injector:
    """Stands in for the changing functions of `os` and counts their calls."""

    def __init__(self, fault: str, at: int) -> None:
        self.fault, self.at, self.count = fault, at, 0
        for name in CALLS:
            setattr(os, name, self.wrapped(name, getattr(os, name)))

    def wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return real(*arguments, **named)
            self.count += 1
            hit = self.count == self.at
            if hit and self.fault == "kill before":
                die()
            if hit and self.fault == "half write" and name in ("write", "pwrite"):
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2], *arguments[2:])
                die()
            if (hit or (self.count > self.at > 0 and "then on" in self.fault)) and self.fault[0] == "E":
                raise OSError(getattr(errno, self.fault.split()[0]), "injected")
            result = real(*arguments, **named)
            if hit and self.fault == "kill after":
                die()
            return result

        return call


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def attempt(root: Path, operation: str, fault: str, at: int) -> tuple[int, int]:
    """How the child ended (`ACKNOWLEDGED`, `REFUSED`, 0 for killed, else broken), and its count of calls."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        note, leave, code = os.write, os._exit, 1
        injector = Injector(fault, at)
        try:
            OPERATIONS[operation](Table(root, "loans"))
            code = ACKNOWLEDGED
        except WriteFailed as error:
            code = REFUSED if error.do and error.state else 2
        except BaseException as error:  # anything else is a finding; the parent sees the exit code
            sys.stderr.write(f"{operation}, {fault} at {at}: {error!r}\n")
        injector.at = -1
        note(writer, str(injector.count).encode())
        leave(code)
    os.close(writer)
    counted = os.read(reader, 20)
    os.close(reader)
    _pid, status = os.waitpid(pid, 0)
    return 0 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), int(counted or 0)


def seen(root: Path) -> tuple[Any, ...]:
    """What a person would see: rows of the newest version and of the first two, tags."""
    table = Table(root, "loans")
    kept = [number for number in range(2) if number not in table.expired()]
    return content(table), [content(table, number) for number in kept], dict(table.tags())


def judge(root: Path, operation: str, old: Any, new: Any, ended: int) -> str:
    """Empty if all is well, else what is not."""
    if ended not in (0, ACKNOWLEDGED, REFUSED):
        return f"ended with {ended}"
    if operation != "repair":
        now = seen(root)
        if ended == ACKNOWLEDGED and now != new:
            return "an acknowledged change is lost"
        if operation == "tag":
            if not set(now[2].items()) <= {("old", 1), ("new", 1)}:
                return "neither old nor new"
        elif operation != "gc" and now not in (old, new):
            return "neither old nor new"
    OPERATIONS[operation](Table(root, "loans")) if operation != "tag" else tag_again(Table(root, "loans"))
    if seen(root) != new:
        return "done again, it is not the new state"
    return "" if not verify(Table(root, "loans"), read_data=True) else "damage is left"


def tag_again(table: Table) -> None:
    table.tag("new", 1)
    if "old" in table.tags():
        table.untag("old")


def run(folder: Path, stride: int) -> dict[str, Any]:
    """Every operation, every fault, every `stride`-th call."""
    points, wrong = Counter[str](), []
    for operation in OPERATIONS:
        base, work = folder / operation, folder / "work"
        prepare(base, operation)
        old = None if operation == "repair" else seen(base)
        shutil.copytree(base, work)
        ended, calls = attempt(work, operation, "none", -1)
        new = seen(work)
        if ended != ACKNOWLEDGED or calls < 3:
            wrong.append(f"{operation} ends with {ended} after {calls} calls without a fault")
        for index, fault in enumerate(FAULTS):
            for at in range(1 + index % stride, calls + 1, stride):
                shutil.rmtree(work)
                shutil.copytree(base, work)
                ended, _count = attempt(work, operation, fault, at)
                points[operation] += 1
                if verdict := judge(work, operation, old, new, ended):
                    wrong.append(f"{operation}, {fault} at {at}: {verdict}")
        shutil.rmtree(work)
    return {"points": points, "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]))))

"""The guard: runs a parser of untrusted files in a child process, and survives whatever the file does to it.

Rules:

1. The child gets the names of the files and nothing else: no environment, no keys, no open files.
2. It has limits of its own (memory, file size, processor time, no core dumps) and dies with this process.
3. Silence beyond `stall_seconds` is death. A dead child is `LimitExceeded` that names the file; never a hang.
4. However the caller leaves, the child is killed and waited for.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import msgspec

from lastro.engine.duck import frames
from lastro.engine.duck.failure import Failure, to_error
from lastro.engine.duck.limits import Limits
from lastro.engine.scan import Excel, FileScan
from lastro.model.errors import LastroError

if TYPE_CHECKING:
    import pyarrow as pa

Answer = TypeVar("Answer", bound=frames.Described | frames.Answer)
PIPE_BYTES = 1 << 20
FRAME_BYTES_MAX = 4 << 30
WORKBOOK_MB = 1_280
"""Data a child may hold that reads a workbook: its library takes what the file asks for, all at once."""


_ALLOCATOR = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
"""Arrow's own allocator keeps what it was given; the system's gives it back, as fast (`docs/benchmarks.md`)."""


class Child:
    """One running child. `receive` gives what it says; `send` tells it more. Made by `guarded`."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits, paths: Sequence[Path]) -> None:
        if process.stdout is None or process.stdin is None:
            raise ValueError("the child needs both pipes")
        self._input = process.stdin
        self._process = process
        self._output = process.stdout.fileno()
        self._limits = limits
        self._paths = paths
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def send(self, message: msgspec.Struct) -> None:
        """Sends one message. A child that cannot hear it is dead, and `receive` will say so."""
        with suppress(BrokenPipeError):
            self._input.write(frames.encode(message))
            self._input.flush()

    def receive(self) -> tuple[bytes, pa.Buffer]:
        """The next frame. Raises what the child reports, or what its death or silence means."""
        head = self._read(frames.HEAD.size)
        kind, length = frames.HEAD.unpack(head)
        if length > FRAME_BYTES_MAX:
            raise self._error("died", "frame")
        return kind, self._read(length)

    def answer(self, kind: type[Answer]) -> Answer:
        """The next frame, which must be a message of this kind. Raises what the child reports."""
        frame, payload = self.receive()
        message = self.decode(payload) if frame == frames.MESSAGE else None
        if not isinstance(message, kind):
            raise self._error("died", "order")
        return message

    def decode(self, payload: pa.Buffer) -> frames.Message:
        """A message frame's content. Raises the failure it reports as an error of the tree."""
        message = frames.decode(payload.to_pybytes())
        if isinstance(message, Failure):
            raise to_error(message)
        return message

    def _read(self, length: int) -> pa.Buffer:
        import pyarrow as pa

        buffer = pa.allocate_buffer(length)
        rest = memoryview(buffer).cast("B") if length else memoryview(b"")
        while rest:
            if not self._poll.poll(self._limits.stall_seconds * 1000):
                raise to_error(Failure("stalled", self._files(), first=int(self._limits.stall_seconds)))
            count = os.readv(self._output, [rest])
            if count == 0:
                raise self._death()
            rest = rest[count:]
        return buffer

    def _death(self) -> LastroError:
        code = self._process.wait(timeout=10)
        if code < 0:
            return self._error("died", signal.Signals(-code).name)
        return self._error("died", f"exit {code}")

    def _error(self, reason: str, detail: str) -> LastroError:
        return to_error(Failure(reason, self._files(), detail=detail))

    def _files(self) -> str:
        return str(self._paths[0]) if len(self._paths) == 1 else f"{self._paths[0]} … {self._paths[-1]}"


@contextmanager
def guarded(
    task: str,
    scan: FileScan,
    limits: Limits,
    *,
    temp: Path | None = None,
    wanted: Sequence[str] = (),
) -> Iterator[Child]:
    """A child at work on `task` (`describe`, `sample`, `sniff`, `lines` or `stage`) over the scan's files.

    Its temporary folder lies in `temp` and is removed with it.
    """
    if temp is not None:
        temp.mkdir(parents=True, exist_ok=True)
    if isinstance(scan.format, Excel):
        limits = replace(limits, address_mb=min(limits.address_mb, WORKBOOK_MB))
    with TemporaryDirectory(prefix="parse-", dir=temp, ignore_cleanup_errors=True) as folder:
        process = _start()
        child = Child(process, limits, scan.paths)
        name, dialect = frames.format_fields(scan.format)
        absolute = tuple(os.path.abspath(path) for path in scan.paths)  # noqa: PTH100 – resolve() would follow links
        job = frames.Job(task, absolute, name, dialect, limits, folder, os.getpid(), tuple(wanted), scan.spans)
        try:
            child.send(job)
            yield child
        finally:
            _end(process)


def _start() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "lastro.engine.duck.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8", "PATH": os.defpath, "PYTHONHASHSEED": "0", **_ALLOCATOR},
        cwd="/",
        close_fds=True,
        start_new_session=True,  # an interrupt from the terminal reaches us, and we end the child
    )
    if process.stdout is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # more than an unprivileged user may have: the default works, slower
            fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):  # unsent bytes to a child that is gone
                stream.close()
    process.wait()

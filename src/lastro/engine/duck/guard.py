"""The guard: runs a parser of untrusted files in a child process, and survives whatever the file does to it.

Rules:

1. The child gets the names of the files and nothing else: no environment, no keys, no open files.
2. It has limits of its own (memory, file size, processor time, no core dumps) and dies with this process.
3. Silence beyond `stall_seconds` is death. A dead child is `LimitExceeded` that names the file; never a hang.
4. However the caller leaves, the child is killed and waited for.
"""

from __future__ import annotations

import os
import select
import signal
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
from lastro.engine.duck.parsers import Parser, start
from lastro.engine.scan import Excel, FileScan
from lastro.model.errors import LastroError

if TYPE_CHECKING:
    import pyarrow as pa

Answer = TypeVar("Answer", bound=frames.Described | frames.Answer)
FRAME_BYTES_MAX = 4 << 30
WORKBOOK_MB = 1_280
"""Data a child may hold that reads a workbook: its library takes what the file asks for, all at once."""


class Child:
    """One running child. `receive` gives what it says; `send` tells it more. Made by `guarded`."""

    def __init__(self, process: Parser, limits: Limits, paths: Sequence[Path]) -> None:
        self._input = process.input
        self._process = process
        self._output = process.output.fileno()
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
        code = self._process.wait(timeout_s=10)
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
        process = start()
        child = Child(process, limits, scan.paths)
        name, dialect = frames.format_fields(scan.format)
        absolute = tuple(os.path.abspath(path) for path in scan.paths)  # noqa: PTH100 – resolve() would follow links
        job = frames.Job(task, absolute, name, dialect, limits, folder, process.parent, tuple(wanted), scan.spans)
        try:
            child.send(job)
            yield child
        finally:
            _end(process)


def _end(process: Parser) -> None:
    process.kill()
    for stream in (process.input, process.output):
        with suppress(OSError):  # unsent bytes to a child that is gone
            stream.close()
    process.wait()

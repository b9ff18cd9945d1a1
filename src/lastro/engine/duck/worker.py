"""The guarded child: opens files that nobody vouches for, and tells its parent what is in them.

Rules:

1. It has no keys, no environment and no other files; the parent protects and writes.
2. It limits itself before it opens anything, and dies when its parent dies: by signal on Linux, and by the end of its
   standard input everywhere.
3. What goes wrong is reported as a `Failure`, never as a message of a library.
"""

from __future__ import annotations

import ctypes
import os
import queue
import resource
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from lastro.engine.duck import frames
from lastro.engine.duck.failure import Failure, of_exception
from lastro.engine.duck.limits import MIB, Limits

if TYPE_CHECKING:
    import pyarrow as pa

PR_SET_PDEATHSIG = 1
QUEUED_FRAMES = 3
Payload = bytes | memoryview


class Outlet:
    """Sends frames from a thread of its own, so that parsing goes on while the parent takes its time.

    Batches are written column by column as Arrow's own stream writer does, without being copied together first.
    """

    def __init__(self, descriptor: int) -> None:
        self._pipe = Pipe(descriptor)
        self._frames: queue.Queue[tuple[bytes, bytes | pa.RecordBatch] | None] = queue.Queue(QUEUED_FRAMES)
        self._writers: dict[bytes, pa.ipc.RecordBatchStreamWriter] = {}
        self._thread = threading.Thread(target=self._run, daemon=True, name="outlet")
        self._thread.start()

    def send(self, kind: bytes, batch: pa.RecordBatch) -> None:
        """Queues one batch; waits while the queue is full."""
        self._frames.put((kind, batch))

    def tell(self, message: msgspec.Struct) -> None:
        """Queues one message."""
        self._frames.put((frames.MESSAGE, msgspec.json.encode(message)))

    def tell_schema(self, schema: pa.Schema) -> None:
        """Queues the schema of the kept rows."""
        self._frames.put((frames.SCHEMA, schema.serialize().to_pybytes()))

    def close(self) -> None:
        """Waits until everything is sent."""
        self._frames.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while (frame := self._frames.get()) is not None:
                kind, content = frame
                if isinstance(content, bytes):
                    self._pipe.write(frames.HEAD.pack(kind, len(content)) + content)
                else:
                    self._write_batch(kind, content)
        except OSError:
            os._exit(0)  # the parent has left

    def _write_batch(self, kind: bytes, batch: pa.RecordBatch) -> None:
        import pyarrow as pa

        if kind not in self._writers:
            self._writers[kind] = pa.ipc.new_stream(pa.PythonFile(self._pipe, "w"), batch.schema)
            self._pipe.muted = True  # the first batch brings the schema along, which the parent knows already
            self._writers[kind].write_batch(batch.slice(0, 0))
            self._pipe.muted = False
        self._pipe.write(frames.HEAD.pack(kind, pa.ipc.get_record_batch_size(batch)))
        self._writers[kind].write_batch(batch)


class Pipe:
    """A pipe's end that takes every byte it is given, or, while `muted`, none."""

    closed = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.muted = False

    def write(self, content: Payload) -> int:
        """Writes all of it."""
        rest = memoryview(content).cast("B")
        size = len(rest)
        while rest and not self.muted:
            rest = rest[os.write(self._descriptor, rest) :]
        return size

    def flush(self) -> None:
        """Nothing is held back."""


class Emitter:
    """Sends what a reading gives, as frames."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._schema_sent = False

    def keep(self, batch: pa.RecordBatch) -> None:
        """Sends kept rows, the schema first."""
        if not self._schema_sent:
            self._schema_sent = True
            self._outlet.tell_schema(batch.schema)
        if batch.num_rows:
            self._outlet.send(frames.KEPT, batch)

    def refuse(self, batch: pa.RecordBatch) -> None:
        """Sends refused rows."""
        self._outlet.send(frames.REFUSED, batch)

    def malformed(self, batch: pa.RecordBatch) -> None:
        """Sends records that could not be taken apart."""
        self._outlet.send(frames.MALFORMED, batch)

    def end(self, ended: frames.Ended) -> None:
        """Sends the end of a file."""
        self._outlet.tell(ended)

    def progress(self, rows: int, size: int) -> None:
        """Sends a sign of life."""
        self._outlet.tell(frames.Progress(rows, size))


class Inlet:
    """The parent's messages. The end of the input is the end of this process."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._run, daemon=True, name="inlet").start()

    def line(self) -> bytes:
        """The next message."""
        return self._lines.get()

    def _run(self) -> None:
        while line := self._stream.readline():
            self._lines.put(line)
        os._exit(0)


def confine(limits: Limits, parent: int) -> None:
    """Limits this process, and ties its life to its parent's."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits.spill_mb * MIB)
    _limit(resource.RLIMIT_DATA, limits.address_mb * MIB)
    if limits.cpu_seconds is not None:
        _limit(resource.RLIMIT_CPU, limits.cpu_seconds)


def _limit(kind: int, most: int) -> None:
    _soft, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with suppress(ValueError, OSError):  # a system without this limit goes without
        resource.setrlimit(kind, (most, most))


def main() -> None:
    """Does one job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inlet = Inlet(os.fdopen(0, "rb"))
    outlet = Outlet(os.dup(1))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a library prints must not stand between frames
    job = msgspec.json.decode(inlet.line(), type=frames.Job)
    confine(job.limits, job.parent)
    try:
        _do(job, inlet, outlet)
    except BaseException as error:  # noqa: BLE001 – everything a hostile file can cause is told to the parent
        outlet.tell(_failure(error, job))
    outlet.close()
    os._exit(0)  # no destructors: DuckDB may still hold buffers that they would visit


def _failure(error: BaseException, job: frames.Job) -> Failure:
    return of_exception(error, file=job.paths[0] if len(job.paths) == 1 else "")


def _do(job: frames.Job, inlet: Inlet, outlet: Outlet) -> None:
    from lastro.engine.duck import opening, staging

    temp = Path(job.temp)
    parts, kind = job.parts(), job.file_format()
    match job.task:
        case "sniff":
            from lastro.engine.duck import sniffing

            outlet.tell(frames.Answer(sniffing.look(parts[0][0])))
        case "lines":
            from lastro.engine.duck import sniffing

            outlet.tell(frames.Answer(sniffing.start_lines(parts[0][0])))
        case "sample":
            from lastro.engine.duck import sampling

            outlet.tell(frames.Answer(sampling.of_files(parts, kind, job.limits, temp)))
        case "describe" | "stage":
            schemas = (opening.schema(path, kind, job.limits, temp, job.wanted) for path, _span in parts)
            outlet.tell(frames.Described(tuple(schema.to_delta() for schema in schemas)))
            if job.task == "stage":
                query = msgspec.json.decode(inlet.line(), type=frames.Query)
                outlet.tell(staging.read(parts, kind, query, job.limits, temp, Emitter(outlet)))


if __name__ == "__main__":
    main()

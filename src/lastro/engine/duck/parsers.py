"""Parsers: the guarded child's process, from its birth to its end.

Rules:

1. The first parser of this process has a process started for it. From the second on, a nursery forks them: where many
   files are read, each costs milliseconds instead of a start, and who reads one file pays for no nursery.
2. A parser knows nothing of this process: no environment, no open files. Whoever forks or ends, its pipes end with it.
3. A nursery belongs to the process that started it: one that was forked off starts its own. Where there is none
   (beyond Linux), or it ended, each parser has a process started for it.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import BinaryIO, Protocol

from lastro.engine.duck.channel import BEAR, BORN, KILL, MESSAGE

PIPE_BYTES = 1 << 20
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PATH": os.defpath,
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    # Arrow's own allocator keeps what it was given; the system's gives it back, as fast (`docs/benchmarks.md`).
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
IDLE_S = 120.0
"""A nursery that nobody asks for so long ends."""
_ANSWER_S = 30.0
_PAUSE_S = 0.05


class Parser(Protocol):
    """A child: its pipes, its number, and which process is its parent."""

    pid: int
    parent: int
    input: BinaryIO
    output: BinaryIO

    def kill(self) -> None:
        """Ends it, however it is; one that ended stays so."""
        ...

    def wait(self, *, timeout_s: float | None = None) -> int:
        """Its exit code, negative for a signal. Raises `TimeoutError`."""
        ...


def start() -> Parser:
    """A new child, which waits for its job."""
    nursery = _nursery()
    if nursery is not None:
        with suppress(OSError, TimeoutError):  # it ended meanwhile: this once, a process is started
            return nursery.bear()
    return Started()


class Started:
    """A child that is a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "lastro.engine.duck.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            close_fds=True,
            start_new_session=True,  # an interrupt from the terminal reaches us, and we end the child
        )
        if self._process.stdout is None or self._process.stdin is None:
            raise ValueError("the child needs both pipes")
        self.pid, self.parent = self._process.pid, os.getpid()
        self.input: BinaryIO = self._process.stdin  # type: ignore[assignment]  # a pipe's two forms
        self.output: BinaryIO = self._process.stdout  # type: ignore[assignment]
        _widen(self.output.fileno())

    def kill(self) -> None:
        """Ends it."""
        if self._process.poll() is None:
            self._process.kill()

    def wait(self, *, timeout_s: float | None = None) -> int:
        """Its exit code."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error


class Born:
    """A child that a nursery forked."""

    def __init__(self, nursery: Nursery, pid: int, given: int, taken: int) -> None:
        self._nursery = nursery
        self._code: int | None = None
        self.pid, self.parent = pid, nursery.pid
        self.input: BinaryIO = os.fdopen(given, "wb")
        self.output: BinaryIO = os.fdopen(taken, "rb", buffering=0)
        _widen(taken)

    def kill(self) -> None:
        """Ends it."""
        self._nursery.kill(self.pid)

    def wait(self, *, timeout_s: float | None = None) -> int:
        """Its exit code."""
        if self._code is None:
            self._code = self._nursery.wait(self.pid, timeout_s=timeout_s)
        return self._code


class Nursery:
    """This process's nursery: its channel, and what it told of children that ended."""

    def __init__(self, *, idle_s: float = IDLE_S) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "lastro.engine.duck.nursery", str(theirs.fileno()), str(idle_s)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=ENVIRONMENT,
                cwd="/",
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.pid, self.owner = self._process.pid, os.getpid()
        self._turn = threading.Lock()
        self._ended: dict[int, int] = {}

    @property
    def lives(self) -> bool:
        """Whether it can be asked, by this process."""
        return self.owner == os.getpid() and self._process.poll() is None

    def bear(self) -> Born:
        """A new child. Raises `OSError`, `TimeoutError` if the nursery ended."""
        reads, given = os.pipe()
        taken, writes = os.pipe()
        try:
            with self._turn:
                socket.send_fds(self._channel, [MESSAGE.pack(BEAR, 0, 0)], [reads, writes])
                pid = self._born()
        except (OSError, TimeoutError):
            os.close(given)
            os.close(taken)
            raise
        finally:
            os.close(reads)
            os.close(writes)
        return Born(self, pid, given, taken)

    def kill(self, pid: int) -> None:
        """Ends a child, if it lives."""
        with suppress(OSError), self._turn:
            self._channel.send(MESSAGE.pack(KILL, pid, 0))

    def wait(self, pid: int, *, timeout_s: float | None) -> int:
        """A child's exit code, which is told once; if the nursery ended, so did its children. Raises `TimeoutError`."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while end is None or time.monotonic() < end:
            with self._turn:
                if pid in self._ended:
                    return self._ended.pop(pid)
                try:
                    self._hear(_PAUSE_S)
                except OSError:
                    return -signal.SIGKILL
        raise TimeoutError

    def end(self) -> None:
        """Ends it, and its children with it."""
        self._channel.close()
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()

    def _born(self) -> int:
        end = time.monotonic() + _ANSWER_S
        while time.monotonic() < end:
            if (born := self._hear(_PAUSE_S)) is not None:
                return born
        raise TimeoutError

    def _hear(self, pause_s: float) -> int | None:
        """Takes in what the nursery tells within a moment: the number of a child that was born, if one was.

        Raises `OSError` if the nursery ended.
        """
        self._channel.settimeout(pause_s)
        try:
            message = self._channel.recv(MESSAGE.size)
        except TimeoutError:
            return None
        if not message:
            raise ConnectionResetError
        order, number, code = MESSAGE.unpack(message)
        if order == BORN:
            return int(number)
        self._ended[number] = code
        return None


_first = threading.Event()
_nurseries: list[Nursery] = []
_others: list[Nursery] = []
"""Nurseries of the process that this one was forked from: kept, so that nothing of theirs is closed here."""
_choice = threading.Lock()


def _nursery() -> Nursery | None:
    """This process's nursery; None for its first parser, and where there can be none (rules 1 and 3)."""
    if sys.platform != "linux":
        return None
    with _choice:
        if not _first.is_set():
            _first.set()
            return None
        if not (_nurseries and _nurseries[0].lives):
            _end_all()
            _nurseries.append(Nursery())
        return _nurseries[0]


def _widen(descriptor: int) -> None:
    """Gives a pipe more room, so that neither side waits for the other for long."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # more than an unprivileged user may have: the default works, slower
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _end_all() -> None:
    while _nurseries:
        _nurseries.pop().end()


def _forget() -> None:
    """After a fork: the nursery is the other process's, whose channel is left alone."""
    global _choice  # noqa: PLW0603 – another thread may hold it, which is not in this process
    _choice = threading.Lock()
    _others.extend(_nurseries)
    _nurseries.clear()


os.register_at_fork(after_in_child=_forget)
atexit.register(_end_all)

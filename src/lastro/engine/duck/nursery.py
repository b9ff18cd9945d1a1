"""The nursery: a process that has loaded what a parser needs, and forks one for each job, in milliseconds.

Rules:

1. It holds nothing: no keys, no environment, no open files but its channel. What it forks is as bare as a process of
   its own would be (`worker`), and confines itself before it opens a file.
2. One message brings the two pipes of a child (its input and output); the answer is the child's number. When a child
   ends, its number and status are told. `kill` is done here, since only whoever collects a dead child knows that its
   number is still its own.
3. It ends when its channel does, so when whoever started it ends, and after some idle time; its children end with it.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress

from lastro.engine.duck.channel import BEAR, BORN, ENDED, KILL, MESSAGE

_CHANNEL_LOST = 3


def main() -> None:
    """Serves the channel whose descriptor is the first argument; the second is after how much idle time it ends."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    _load()
    Nursery(channel, float(sys.argv[2])).serve()


class Nursery:
    """Bears, kills and collects children, as the channel asks."""

    def __init__(self, channel: socket.socket, idle_s: float) -> None:
        self._channel = channel
        self._idle_s = idle_s
        self._living: set[int] = set()
        self._wake, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> None:
        """Serves until the channel ends, or nobody asks for long."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while ready := poll.poll(None if self._living else self._idle_s * 1000):
            descriptors = {descriptor for descriptor, _events in ready}
            if self._wake in descriptors:
                self._collect()
            if self._channel.fileno() in descriptors and not self._obey():
                return

    def _obey(self) -> bool:
        message, descriptors, _flags, _address = socket.recv_fds(self._channel, MESSAGE.size, 2)
        if not message:
            return False
        order, number, _code = MESSAGE.unpack(message)
        if order == BEAR:
            self._bear(*descriptors)
        elif order == KILL and number in self._living:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        return True

    def _bear(self, reads: int, writes: int) -> None:
        child = os.fork()
        if child == 0:
            self._leave(reads, writes)
        os.close(reads)
        os.close(writes)
        self._living.add(child)
        self._tell(BORN, child)

    def _leave(self, reads: int, writes: int) -> None:
        """In the child: nothing of the nursery stays open, then the one job is done."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(reads, 0)
        os.dup2(writes, 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.closerange(3, 1 << 16)
        from lastro.engine.duck import worker

        try:
            worker.main()
        finally:
            os._exit(1)  # the worker ends by itself; whatever went wrong before is no longer ours to handle

    def _collect(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake, 4096)
        with suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if child == 0:
                    return
                self._living.discard(child)
                self._tell(ENDED, child, code=os.waitstatus_to_exitcode(status))

    def _tell(self, order: int, child: int, *, code: int = 0) -> None:
        try:
            self._channel.send(MESSAGE.pack(order, child, code))
        except OSError:
            os._exit(_CHANNEL_LOST)


def _load() -> None:
    """Imports whatever a job may need, so that no child does."""
    import duckdb  # noqa: F401
    import pyarrow as pa  # noqa: F401

    from lastro.engine.duck import opening, sampling, sniffing, staging, worker  # noqa: F401

    gc.collect()
    gc.freeze()  # what is loaded stays shared with the children: no collection touches it


if __name__ == "__main__":
    main()

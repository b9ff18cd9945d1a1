"""A deadline for everything that is said on a connection.

Rules:

1. Whoever sends a request says by when all of it – connecting, sending, headers, body – must be over (`within`). Each
   single wait is cut to what is left: who sends one byte at a time, or one `1xx` after another, gains nothing.
2. It holds in the thread that sends, so requests side by side have deadlines of their own.
3. Without one, or after `lift`, the library's own time-outs hold: for the next bytes only.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore2
import httpx2

_CONNECTIONS_MAX, _IDLE_MAX, _IDLE_S = 100, 20, 5.0
_ENDS: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Lets what is sent inside last at most so long in all; then it raises `httpx2.TimeoutException`."""
    token = _ENDS.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ENDS.reset(token)


def lift() -> None:
    """Takes the deadline away until the innermost `within` ends."""
    _ENDS.set(None)


class Transport(httpx2.HTTPTransport):
    """The library's transport over connections that keep the deadline."""

    def __init__(self) -> None:
        verified = httpx2.create_ssl_context(trust_env=False)
        super().__init__(verify=verified, trust_env=False)
        # The transport has no parameter for this; it hands every request to this pool.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=verified,
            max_connections=_CONNECTIONS_MAX,
            max_keepalive_connections=_IDLE_MAX,
            keepalive_expiry=_IDLE_S,
            network_backend=_Backend(),
        )


class _Backend(httpcore2.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # Any: what `setsockopt` takes
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore2.NetworkStream):
    """A connection whose every wait is cut to what is left."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    # The library calls both with the time-out's name.
    def read(self, max_bytes: int, *, timeout: float | None = None) -> bytes:  # type: ignore[override]
        return self._inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, *, timeout: float | None = None) -> None:  # type: ignore[override]
        self._inner.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:  # Any: what the library keeps under that name
        return self._inner.get_extra_info(info)


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    """How long one wait may be."""
    ends = _ENDS.get()
    if ends is None:
        return timeout
    left = ends - time.monotonic()
    if left <= 0:
        raise late
    return left if timeout is None else min(timeout, left)

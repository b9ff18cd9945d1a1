"""Requests that give up late and trust nobody.

Rules:

1. Connection errors, time-outs, 429 and 5xx are tried again: after what `Retry-After` says, else after a random part of
   a time that doubles (`pace`). Other answers are final. A POST is repeated like a GET: who gets it must bear that.
2. A host that keeps failing is not asked for a while (`circuit`).
3. Redirects are followed by hand, at most `REDIRECTS_MAX`, and each address is checked (`addresses`); never from HTTPS
   to HTTP. What was meant for one origin – headers, account, credentials – is not sent to another. A POST is only
   followed where its method and body are kept (307, 308), and never to another origin.
4. A body is read up to a limit, unpacked a piece at a time; a request that takes longer than the time-out in all, from
   connecting to the body's end, is broken off (`deadline`). A body that goes elsewhere (`receive`) has a limit there.
5. Proxies and `.netrc` of the environment are not used: they would go around rule 3.
6. `401` may mean that a token expired: credentials that can be renewed are, once for each request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import SystemRandom
from typing import Protocol

import httpx2

from lastro.model.errors import ConfigurationError, LimitExceeded, SourceBroken, SourceUnreachable
from lastro.model.text import _
from lastro.source.fetch.addresses import Resolve, permitted, resolve
from lastro.source.fetch.circuit import CIRCUITS, Circuits, Fuse
from lastro.source.fetch.deadline import Transport, lift, within
from lastro.source.fetch.inflate import ENCODINGS, Damaged, pieces
from lastro.source.fetch.links import next_target
from lastro.source.fetch.pace import RETRY_AFTER_MAX_S, Pace, backoff, retry_after

REDIRECTS_MAX = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_KEEPING = {307, 308}
_FUSE = Fuse()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said in the end: its status, headers (names in lower case), body, and the URL that it came from.

    The URL is without credentials.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: httpx2.URL
    next_link: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much: seconds for a connection, for the next bytes and for a request in all; repetitions; bytes
    of a body; seconds between two requests; when a circuit opens.
    """

    timeout_s: float = 30
    retries: int = 5
    bytes_max: int = 64 << 20
    connect_s: float = 10
    read_s: float = 30
    interval_s: float = 0
    fuse: Fuse = _FUSE


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a test replaces: sleeping, chance (0 to 1), the name server, the present, and the hosts' circuits."""

    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default_factory=lambda: SystemRandom().random)
    resolve: Resolve = resolve
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic
    circuits: Circuits = CIRCUITS


class Credentials(Protocol):
    """What proves to the origin who is asking."""

    def headers(self) -> Mapping[str, str]:
        """Headers to send. Raises `SourceError`."""
        ...

    def parameters(self) -> Mapping[str, str]:
        """Parameters to put into the URL."""
        ...

    def renew(self) -> bool:
        """Told that they were refused; True if they are others now, and asking again makes sense."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One request: a GET, or with `content` a POST. `headers` go wherever the request goes: nothing secret in them."""

    url: httpx2.URL
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None

    @property
    def method(self) -> str:
        """GET or POST."""
        return "GET" if self.content is None else "POST"


Receive = Callable[[httpx2.Response], bytes]
"""Takes an answer's body in place of memory; called again if it breaks off. What it returns is the `Answer`'s body."""


@dataclass(frozen=True, slots=True)
class Requester:
    """Sends requests for one origin; threads may share it. `headers`, `auth` and `credentials` go to that origin only.
    `label` is its name in errors.
    """

    origin: httpx2.URL
    headers: Mapping[str, str]
    auth: httpx2.Auth | None
    credentials: Credentials | None
    allowed: frozenset[str]
    limits: Limits
    surroundings: Surroundings
    label: str
    pace: Pace
    stack: ExitStack
    clients: dict[str, httpx2.Client] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    receive: Receive | None = None

    def ask(self, question: Question) -> Answer:
        """The answer after retries, redirects and a renewal of the credentials. Raises `SourceError`."""
        answer = self._repeated(question)
        if answer.status == 401 and self.credentials is not None and self.credentials.renew():
            answer = self._repeated(question)
        return answer

    def is_ours(self, url: httpx2.URL) -> bool:
        """True if the URL has the origin that headers and account are meant for."""
        return _origin(url) == _origin(self.origin)

    def _repeated(self, question: Question) -> Answer:
        for attempt in range(self.limits.retries + 1):
            answer, reason = self._attempt(question)
            if answer is not None and answer.status != 429 and answer.status < 500:
                return answer
            if attempt < self.limits.retries:
                asked = None if answer is None else self._asked_to_wait(answer)
                waits = asked if asked is not None else backoff(attempt, self.surroundings.chance())
                self.surroundings.sleep(waits)
        raise SourceUnreachable(
            _("no answer after {count} attempts: {reason}").format(count=self.limits.retries + 1, reason=reason),
            where=self.label,
            do=_("ingest again later; retries and timeout_s can be raised"),
        )

    def _attempt(self, question: Question) -> tuple[Answer | None, str]:
        """An answer, or why there is none; the host's circuit is told."""
        self.pace.wait()
        try:
            answer = self._followed(question)
        except httpx2.TransportError as error:
            return None, _reason(error)
        return answer, _("it answered {status}").format(status=answer.status)

    def _followed(self, question: Question) -> Answer:
        for _hop in range(REDIRECTS_MAX + 1):
            answer = self._guarded(question)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            if question.content is not None and answer.status not in _KEEPING:
                return answer
            question = self._redirected(question, target)
        raise SourceBroken(_("it redirects without end"), where=self.label, do=_("check the URL"))

    def _redirected(self, question: Question, target: str) -> Question:
        url = question.url
        try:
            then = url.join(target)
        except httpx2.InvalidURL:
            raise SourceBroken(_("it redirects to no URL"), where=self.label, do=_("check the URL")) from None
        to_plain = then.scheme not in ("http", "https") or (url.scheme == "https" and then.scheme != "https")
        if to_plain or (question.content is not None and not self.is_ours(then)):
            raise SourceBroken(
                _("it redirects to where nothing may be sent ({scheme})").format(scheme=then.scheme[:20]),
                where=self.label,
                do=_("use the URL that it redirects to, if it can be trusted"),
            )
        return Question(then, question.headers, question.content)

    def _guarded(self, question: Question) -> Answer:
        """One request under the circuit of its host."""
        host, fuse = f"{question.url.host}:{_port(question.url)}", self.limits.fuse
        self.surroundings.circuits.check(host, fuse, self.label)
        try:
            answer = self._once(question)
        except httpx2.TransportError:
            self.surroundings.circuits.failed(host, fuse)
            raise
        if answer.status >= 500:
            self.surroundings.circuits.failed(host, fuse)
        else:
            self.surroundings.circuits.succeeded(host)
        return answer

    def _once(self, question: Question) -> Answer:
        url = question.url
        addresses = permitted(url.host, _port(url), self.allowed, self.surroundings.resolve)
        client = self._client(url)
        # Made before the time runs: credentials may have to be fetched for them.
        requests = [self._request(client, question, address) for address in addresses]
        with within(self.limits.timeout_s):
            for position, request in enumerate(requests):
                try:
                    return self._sent(client, request, url)
                except (httpx2.ConnectError, httpx2.ConnectTimeout):
                    if position + 1 == len(addresses):
                        raise
        raise SourceUnreachable(_("the host {host} has no address").format(host=url.host), where=self.label)

    def _sent(self, client: httpx2.Client, request: httpx2.Request, url: httpx2.URL) -> Answer:
        response = client.send(request, stream=True, auth=self._auth(url))
        try:
            if self.receive:
                lift()
            return Answer(
                response.status_code,
                {name.lower(): value for name, value in response.headers.items()},
                self.receive(response) if self.receive else self._body(response),
                url,
                next_target(response.headers.get("link", "")),
            )
        finally:
            response.close()

    def _auth(self, url: httpx2.URL) -> httpx2.Auth | None:
        return self.auth if self.is_ours(url) else None

    def _request(self, client: httpx2.Client, question: Question, address: str) -> httpx2.Request:
        url, mine = question.url, dict[str, str]()
        if self.is_ours(url):
            mine.update(self.headers)
            if self.credentials is not None:
                mine.update(check_headers(self.credentials.headers(), self.label))
                for name, value in self.credentials.parameters().items():
                    url = url.copy_set_param(name, value)
        headers = {"accept": "application/json", "accept-encoding": ENCODINGS, **mine, **question.headers}
        return client.build_request(
            question.method,
            url.copy_with(host=address, fragment=None),
            headers={**headers, "host": url.netloc.decode("ascii")},
            content=question.content,
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )

    def _body(self, response: httpx2.Response) -> bytes:
        parts, size = [], 0
        try:
            for part in pieces(response.iter_raw(), response.headers.get("content-encoding", "")):
                size += len(part)
                if size > self.limits.bytes_max:
                    raise LimitExceeded(
                        _("one answer is larger than {size:,} bytes").format(size=self.limits.bytes_max),
                        where=self.label,
                        do=_("ask for smaller pages, or raise page_bytes_max"),
                    )
                parts.append(part)
        except Damaged:
            raise SourceBroken(
                _("the answer's compression is damaged"), where=self.label, do=_("ingest again")
            ) from None
        return b"".join(parts)

    def _client(self, url: httpx2.URL) -> httpx2.Client:
        """One client an origin: a connection opened for one name is never used for another at the same address."""
        key, limits = _origin(url), self.limits
        with self.lock:
            if key not in self.clients:
                each = min(limits.read_s, limits.timeout_s)
                timeout = httpx2.Timeout(each, connect=min(limits.connect_s, limits.timeout_s), pool=None)
                made = httpx2.Client(transport=Transport(), trust_env=False, timeout=timeout, follow_redirects=False)
                self.clients[key] = self.stack.enter_context(made)
            return self.clients[key]

    def _asked_to_wait(self, answer: Answer) -> float | None:
        asked = retry_after(answer.headers.get("retry-after", ""), self.surroundings.now())
        if asked is not None and asked > RETRY_AFTER_MAX_S:
            raise SourceUnreachable(
                _("it answered {status} and asks to wait {asked:,.0f} s").format(status=answer.status, asked=asked),
                where=self.label,
                do=_("ingest again then"),
            )
        return asked


@contextmanager
def requester(
    url: httpx2.URL,
    *,
    headers: Mapping[str, str],
    allowed: frozenset[str],
    limits: Limits,
    surroundings: Surroundings,
    label: str,
    credentials: Credentials | None = None,
    receive: Receive | None = None,
) -> Iterator[Requester]:
    """A requester for the origin of `url`, whose account, if it names one, is sent as basic authentication."""
    check_headers(headers, label)
    auth = httpx2.BasicAuth(url.username, url.password) if url.username or url.password else None
    pace = Pace(limits.interval_s, surroundings.clock, surroundings.sleep)
    with ExitStack() as stack:
        yield Requester(
            url, headers, auth, credentials, allowed, limits, surroundings, label, pace, stack, receive=receive
        )


def post(
    url: str,
    content: bytes,
    *,
    headers: Mapping[str, str],
    label: str,
    allowed: frozenset[str] = frozenset(),
    limits: Limits = Limits(),
    surroundings: Surroundings | None = None,
) -> Answer:
    """Sends a body to one URL under all the rules above, and gives what was answered in the end.

    `headers` go to that origin only. `allowed` names hosts that need not be public. Raises `SourceUnreachable` if there
    was no answer after all retries, `LimitExceeded`, `ConfigurationError` for a URL or header that cannot be used.
    """
    try:
        where = httpx2.URL(url)
    except httpx2.InvalidURL:
        raise ConfigurationError(_("the URL is not well formed"), where=label, do=_("correct it")) from None
    if where.scheme not in ("http", "https") or not where.host:
        raise ConfigurationError(_("the URL is not one of HTTP"), where=label, do=_("write https://…"))
    around = surroundings or Surroundings()
    with requester(where, headers=headers, allowed=allowed, limits=limits, surroundings=around, label=label) as sender:
        return sender.ask(Question(where.copy_with(username=None, password=None), content=content))


def check_headers(headers: Mapping[str, str], label: str) -> Mapping[str, str]:
    """The headers, if they can be sent. Raises `ConfigurationError`, which never shows a value."""
    for name, value in headers.items():
        if not value.isprintable() or not value.isascii() or not name.isascii() or not name.isprintable():
            raise ConfigurationError(
                _("the header {name!r} cannot be sent").format(name=name[:40]),
                where=label,
                do=_("use printable ASCII characters, and check the variable behind ${NAME} for a line break"),
            )
    return headers


def _port(url: httpx2.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _origin(url: httpx2.URL) -> str:
    return f"{url.scheme}://{url.raw_host.decode('ascii')}:{_port(url)}"


def _reason(error: Exception) -> str:
    """What went wrong, without the library's words, which may hold URLs."""
    match error:
        case httpx2.TimeoutException():
            return _("it took too long")
        case httpx2.ConnectError():
            return _("no connection")
        case _:
            return _("the connection broke off")

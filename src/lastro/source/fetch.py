"""GET requests that give up late and trust nobody.

Rules:

1. Connection errors, time-outs, 429 and 5xx are tried again: after what `Retry-After` says (seconds or a date, at most
   `RETRY_AFTER_MAX_S`), else after a random part of a time that doubles. Other answers are final.
2. Redirects are followed by hand, at most `REDIRECTS_MAX`, and each address is checked (`addresses`); never from HTTPS
   to HTTP. What was meant for one origin – headers, account – is not sent to another.
3. A body is read up to a limit, after decompression; one that takes longer than the time-out in all is broken off.
4. Proxies and `.netrc` of the environment are not used: they would go around rule 2.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom

import httpx2

from lastro.model.errors import ConfigurationError, LimitExceeded, SourceBroken, SourceUnreachable
from lastro.model.text import _
from lastro.source.addresses import Resolve, permitted, resolve

RETRY_AFTER_MAX_S = 300.0
REDIRECTS_MAX = 5
_BACKOFF_S = 0.5
_BACKOFF_MAX_S = 60.0
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said in the end: its status, headers (names in lower case), body, and the URL that it came from."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: httpx2.URL
    next_link: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much: seconds a request may take, repetitions, bytes of a body."""

    timeout_s: float = 30
    retries: int = 5
    bytes_max: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a test replaces: sleeping, chance (0 to 1), the name server, and the present."""

    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default_factory=lambda: SystemRandom().random)
    resolve: Resolve = resolve
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


Receive = Callable[[httpx2.Response], bytes]
"""Takes an answer's body in place of memory; called again if it breaks off. What it returns is the `Answer`'s body."""


class _TooSlow(Exception):
    """A body that takes longer than the whole request may."""


@dataclass(frozen=True, slots=True)
class Requester:
    """Sends requests for one origin. `headers` and `auth` go to that origin only. `label` is its name in errors."""

    origin: httpx2.URL
    headers: Mapping[str, str]
    auth: httpx2.Auth | None
    allowed: frozenset[str]
    limits: Limits
    surroundings: Surroundings
    label: str
    clients: dict[str, httpx2.Client]
    stack: ExitStack
    receive: Receive | None = None

    def get(self, url: httpx2.URL, extra: Mapping[str, str]) -> Answer:
        """The answer to a GET, after retries and redirects. Raises `SourceError`."""
        for attempt in range(self.limits.retries + 1):
            asked = None
            try:
                answer = self._followed(url, extra)
            except (httpx2.TransportError, _TooSlow) as error:
                reason = _reason(error)
            else:
                if answer.status != 429 and answer.status < 500:
                    return answer
                reason = _("it answered {status}").format(status=answer.status)
                asked = self._retry_after(answer)
            if attempt < self.limits.retries:
                self.surroundings.sleep(asked if asked is not None else self._backoff(attempt))
        raise SourceUnreachable(
            _("no answer after {count} attempts: {reason}").format(count=self.limits.retries + 1, reason=reason),
            where=self.label,
            do=_("ingest again later; retries and timeout_s can be raised"),
        )

    def is_ours(self, url: httpx2.URL) -> bool:
        """True if the URL has the origin that headers and account are meant for."""
        return _origin(url) == _origin(self.origin)

    def _followed(self, url: httpx2.URL, extra: Mapping[str, str]) -> Answer:
        for _hop in range(REDIRECTS_MAX + 1):
            answer = self._once(url, extra)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            url = self._redirected(url, target)
        raise SourceBroken(_("it redirects without end"), where=self.label, do=_("check the URL"))

    def _redirected(self, url: httpx2.URL, target: str) -> httpx2.URL:
        try:
            then = url.join(target)
        except httpx2.InvalidURL:
            raise SourceBroken(_("it redirects to no URL"), where=self.label, do=_("check the URL")) from None
        if then.scheme not in ("http", "https") or (url.scheme == "https" and then.scheme != "https"):
            raise SourceBroken(
                _("it redirects to where nothing may be sent ({scheme})").format(scheme=then.scheme[:20]),
                where=self.label,
                do=_("use the URL that it redirects to, if it can be trusted"),
            )
        return then

    def _once(self, url: httpx2.URL, extra: Mapping[str, str]) -> Answer:
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = permitted(url.host, port, self.allowed, self.surroundings.resolve)
        for position, address in enumerate(addresses):
            try:
                return self._asked(url, address, extra)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if position + 1 == len(addresses):
                    raise
        raise SourceUnreachable(_("the host {host} has no address").format(host=url.host), where=self.label)

    def _asked(self, url: httpx2.URL, address: str, extra: Mapping[str, str]) -> Answer:
        client = self._client(url)
        ours = self.is_ours(url)
        host = url.netloc.decode("ascii")
        request = client.build_request(
            "GET",
            url.copy_with(host=address, fragment=None),
            headers={"accept": "application/json", **(self.headers if ours else {}), **extra, "host": host},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        started = time.monotonic()
        response = client.send(request, stream=True, auth=self.auth if ours else None)
        try:
            return Answer(
                response.status_code,
                {name.lower(): value for name, value in response.headers.items()},
                self.receive(response) if self.receive else self._body(response, started),
                url,
                response.links.get("next", {}).get("url"),
            )
        finally:
            response.close()

    def _body(self, response: httpx2.Response, started: float) -> bytes:
        parts, size = [], 0
        try:
            for part in response.iter_bytes():
                size += len(part)
                if size > self.limits.bytes_max:
                    raise LimitExceeded(
                        _("one answer is larger than {size:,} bytes").format(size=self.limits.bytes_max),
                        where=self.label,
                        do=_("ask for smaller pages, or raise page_bytes_max"),
                    )
                if time.monotonic() - started > self.limits.timeout_s:
                    raise _TooSlow
                parts.append(part)
        except httpx2.DecodingError:
            raise SourceBroken(
                _("the answer's compression is damaged"), where=self.label, do=_("ingest again")
            ) from None
        return b"".join(parts)

    def _client(self, url: httpx2.URL) -> httpx2.Client:
        """One client an origin: a connection opened for one name is never used for another at the same address."""
        key = _origin(url)
        if key not in self.clients:
            made = httpx2.Client(trust_env=False, timeout=self.limits.timeout_s, follow_redirects=False)
            self.clients[key] = self.stack.enter_context(made)
        return self.clients[key]

    def _backoff(self, attempt: int) -> float:
        return self.surroundings.chance() * min(_BACKOFF_MAX_S, _BACKOFF_S * 2.0 ** (attempt + 1))

    def _retry_after(self, answer: Answer) -> float | None:
        text = answer.headers.get("retry-after", "").strip()
        if not text:
            return None
        if text.isascii() and text.isdigit():
            asked = float(text[:12])
        else:
            try:
                moment = parsedate_to_datetime(text)
            except ValueError:
                return None
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            asked = max(0.0, (zoned - self.surroundings.now()).total_seconds())
        if asked > RETRY_AFTER_MAX_S:
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
    receive: Receive | None = None,
) -> Iterator[Requester]:
    """A requester for the origin of `url`, whose account, if it names one, is sent as basic authentication."""
    for name, value in headers.items():
        if not value.isprintable() or not value.isascii() or not name.isascii() or not name.isprintable():
            raise ConfigurationError(
                _("the header {name!r} cannot be sent").format(name=name[:40]),
                where=label,
                do=_("use printable ASCII characters, and check the variable behind ${NAME} for a line break"),
            )
    auth = httpx2.BasicAuth(url.username, url.password) if url.username or url.password else None
    with ExitStack() as stack:
        yield Requester(url, headers, auth, allowed, limits, surroundings, label, {}, stack, receive)


def _origin(url: httpx2.URL) -> str:
    return f"{url.scheme}://{url.raw_host.decode('ascii')}:{url.port or (443 if url.scheme == 'https' else 80)}"


def _reason(error: Exception) -> str:
    """What went wrong, without the library's words, which may hold URLs."""
    match error:
        case _TooSlow() | httpx2.TimeoutException():
            return _("it took too long")
        case httpx2.ConnectError():
            return _("no connection")
        case _:
            return _("the connection broke off")

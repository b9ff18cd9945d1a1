"""Who asks: what is sent with each request to the API's origin so that it answers.

Rules:

1. Secrets are references (`${TOKEN}`), revealed when a source is opened, and shown by nothing.
2. They go to the origin of the URL only, and not over plain HTTP unless `allow_hosts` names the host.
3. OAuth 2.0 client credentials (RFC 6749, 4.4): one request to the token's place, under the same address checks and
   limits. The token stays in memory; it is renewed `MARGIN_S` before it expires (or at half its life, if that is
   shorter), and once for a request that was answered by 401.
4. Of what a token's place answers, only the error codes of RFC 6749 are repeated.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import quote, quote_plus, urlencode

import httpx2
import msgspec
from msgspec import Meta

from lastro.model.errors import ConfigurationError, SourceUnreachable
from lastro.model.text import _
from lastro.source.fetch.client import Answer, Credentials, Limits, Question, Requester, Surroundings, requester
from lastro.source.http.options import Auth, BasicAuth, BearerAuth, HeaderAuth, OAuth2, ParameterAuth
from lastro.source.options import wrong_option
from lastro.source.secret import Secret, refers

MARGIN_S = 30.0
_TOKEN_BYTES_MAX = 1 << 20
_KNOWN_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)
_SECRET_FIELDS = ("value", "token", "password", "client_secret")


@dataclass(frozen=True, slots=True)
class Fixed:
    """Credentials that are what they are."""

    named: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "***"

    def headers(self) -> Mapping[str, str]:
        """The same each time."""
        return self.named

    def parameters(self) -> Mapping[str, str]:
        """The same each time."""
        return self.asked

    def renew(self) -> bool:
        """There are no others."""
        return False


class _Token(msgspec.Struct, frozen=True):
    """A token's place's answer, without what is not needed."""

    access_token: Annotated[str, Meta(min_length=1)]
    token_type: str
    expires_in: float | str | None = None


@dataclass(slots=True, repr=False)
class Granted:
    """A token, asked for when it is needed. Threads may share it."""

    ask: Callable[[], _Token]
    clock: Callable[[], float]
    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str = ""
    renew_at: float = float("inf")

    def headers(self) -> Mapping[str, str]:
        """The token, a new one if there is none or it expires soon. Raises `SourceError`."""
        with self.lock:
            if not self.token or self.clock() >= self.renew_at:
                self._take()
            return {"authorization": f"Bearer {self.token}"}

    def parameters(self) -> Mapping[str, str]:
        """None: a token does not belong into a URL."""
        return {}

    def renew(self) -> bool:
        """Forgets the token, so that the next request asks for another."""
        with self.lock:
            self.token = ""
        return True

    def _take(self) -> None:
        found = self.ask()
        life = _seconds(found.expires_in)
        self.renew_at = float("inf") if life is None else self.clock() + max(life - MARGIN_S, life / 2)
        self.token = found.access_token


def check_auth(kind: str, auth: Auth | None) -> None:
    """Raises `ConfigurationError` for a secret that is written out, or a reference that is none."""
    if auth is None:
        return
    for name in _SECRET_FIELDS:
        value = getattr(auth, name, None)
        if value is None:
            continue
        if not refers(value):
            raise wrong_option(
                kind,
                _("auth.{name} is written out, and it is a secret").format(name=name),
                do=_("put it into an environment variable and write ${NAME} in its place"),
            )
        _names = Secret(value).names


@contextmanager
def credentials(
    auth: Auth | None,
    url: httpx2.URL,
    *,
    allowed: frozenset[str],
    limits: Limits,
    surroundings: Surroundings,
    label: str,
) -> Iterator[Credentials | None]:
    """What to send to the origin of `url`. Raises `ConfigurationError`."""
    if auth is None:
        yield None
        return
    _check_private(url, allowed, label)
    if not isinstance(auth, OAuth2):
        yield _fixed(auth)
        return
    place = _token_place(auth, label)
    _check_private(place, allowed, label)
    short = Limits(
        limits.timeout_s,
        limits.retries,
        min(limits.bytes_max, _TOKEN_BYTES_MAX),
        limits.connect_s,
        limits.read_s,
        fuse=limits.fuse,
    )
    with requester(place, headers={}, allowed=allowed, limits=short, surroundings=surroundings, label=label) as sender:
        yield Granted(lambda: _granted(auth, sender, place, label), surroundings.clock)


def _fixed(auth: HeaderAuth | BearerAuth | BasicAuth | ParameterAuth) -> Fixed:
    match auth:
        case HeaderAuth(name, value):
            return Fixed({name.lower(): Secret(value).reveal()})
        case BearerAuth(token):
            return Fixed({"authorization": f"Bearer {Secret(token).reveal()}"})
        case BasicAuth(user, password):
            return Fixed({"authorization": _basic(f"{Secret(user).reveal()}:{Secret(password).reveal()}")})
        case ParameterAuth(name, value):
            return Fixed(asked={name: Secret(value).reveal()})


def _basic(pair: str) -> str:
    return "Basic " + b64encode(pair.encode()).decode()


def _check_private(url: httpx2.URL, allowed: frozenset[str], label: str) -> None:
    host = url.host.lower()
    if url.scheme == "https" or host in allowed or f"{host}:{url.port or 80}" in allowed:
        return
    raise ConfigurationError(
        _("credentials would go over plain HTTP, where everyone on the way reads them"),
        where=label,
        do=_("write https://, or name the host in allow_hosts if the network is your own"),
    )


def _token_place(auth: OAuth2, label: str) -> httpx2.URL:
    try:
        place = httpx2.URL(Secret(auth.token_url).reveal_url())
    except httpx2.InvalidURL:
        place = httpx2.URL("")
    if place.scheme in ("http", "https") and place.host:
        return place
    raise ConfigurationError(
        _("auth.token_url is no URL of HTTP"), where=label, do=_("write https://…, as the API's owner says")
    )


def _granted(auth: OAuth2, sender: Requester, place: httpx2.URL, label: str) -> _Token:
    name, secret = Secret(auth.client_id).reveal(), Secret(auth.client_secret).reveal()
    form = {"grant_type": "client_credentials"}
    if auth.scopes:
        form["scope"] = " ".join(auth.scopes)
    form |= {key: Secret(value).reveal() for key, value in auth.parameters.items()}
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if auth.client_auth == "body":
        form |= {"client_id": name, "client_secret": secret}
    else:
        headers["authorization"] = _basic(f"{quote_plus(name)}:{quote_plus(secret)}")
    answer = sender.ask(Question(place, headers, urlencode(form, quote_via=quote).encode()))
    return _read(answer, label)


def _read(answer: Answer, label: str) -> _Token:
    do = _("check auth: client_id, client_secret, scopes and token_url")
    if answer.status != 200:
        code = _error_code(answer.body)
        what = _("the token's place answered {status}").format(status=answer.status)
        raise SourceUnreachable(f"{what} ({code})" if code else what, where=label, do=do)
    try:
        found = msgspec.json.decode(answer.body, type=_Token)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SourceUnreachable(_("the token's place answered without a token"), where=label, do=do) from None
    if found.token_type.lower() != "bearer":
        raise SourceUnreachable(_("the token is not of the type bearer"), where=label, do=do)
    return found


def _error_code(body: bytes) -> str:
    try:
        values: Any = msgspec.json.decode(body)  # Any: whatever was answered
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    code = values.get("error") if isinstance(values, dict) else None
    return code if isinstance(code, str) and code in _KNOWN_ERRORS else ""


def _seconds(given: float | str | None) -> float | None:
    try:
        life = None if given is None else float(given)
    except ValueError:
        return None
    return life if life is not None and life >= 0 else None

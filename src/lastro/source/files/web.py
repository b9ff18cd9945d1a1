"""Files over HTTP: one URL, or several below one. A page that lists files is not looked through.

Rules:

1. Addresses, redirects, retries and headers are those of `fetch`.
2. A server is asked for what changed since the last commit (ETag, else Last-Modified); `304` means that nothing did.
   Everything else is fetched, and its digest tells whether it is new.
3. A body goes to a file as it comes; one that is longer than `spool_bytes_max`, or shorter than announced, is refused.
4. A server that answers with a web page where a file was asked for, or an error, is refused.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urljoin, urlsplit

import httpx2
import msgspec
from msgspec import Meta

from lastro.model import digest
from lastro.model.errors import LimitExceeded, SourceBroken, SourceUnreachable
from lastro.model.text import _
from lastro.source.fetch.client import Answer, Limits, Question, Requester, Surroundings, requester
from lastro.source.fetch.parts import part
from lastro.source.files.formats import FilesOptions, bounds_of, format_of
from lastro.source.files.known import Bounds, Known
from lastro.source.files.remote import BATCH_BYTES, SPOOL_BYTES_MAX, Remote, RemoteFiles, Spool
from lastro.source.location import refuse_written_secrets
from lastro.source.options import read_options, wrong_option
from lastro.source.secret import Secret, refers, sounds_secret

_BODY_S_MAX = 6 * 3600


class WebOptions(FilesOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a URL. `files` are names of several files, relative to `path`, which then is what they have in
    common.
    """

    files: tuple[str, ...] = ()
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    allow_hosts: tuple[str, ...] = ()
    timeout_s: Annotated[float, Meta(gt=0, le=3600)] = 30
    retries: Annotated[int, Meta(ge=0, le=20)] = 5
    spool_bytes_max: Annotated[int, Meta(ge=1)] = SPOOL_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Web:
    """URLs, and what is sent with the requests for them."""

    urls: tuple[str, ...]
    headers: Mapping[str, Secret]
    allowed: frozenset[str]
    limits: Limits
    size_max: int
    surroundings: Surroundings = field(default_factory=Surroundings)

    @contextmanager
    def opened(self) -> Iterator[Downloads]:
        """The place; nothing is asked for yet. Raises `ConfigurationError`."""
        yield Downloads(self)


@dataclass(frozen=True, slots=True)
class Downloads:
    """What the URLs give now. `stopped` ends downloads."""

    web: Web

    def found(self, known: Known, spool: Spool) -> Sequence[Remote]:
        """What is behind each URL; what changed, or is not known to be unchanged, is fetched for that."""
        return [self._look(url, known, spool) for url in self.web.urls]

    def fetch(self, remote: Remote, target: Path, stopped: threading.Event) -> str:
        """Nothing is left to fetch but what the server said is unchanged: everything was asked for again."""
        answer, sink = self._get(remote.name, target, {}, stopped)
        _check(answer, remote.name)
        return digest.PREFIX + sink.state.hexdigest()

    def _look(self, url: str, known: Known, spool: Spool) -> Remote:
        mark = known.marks.get(url)
        path = spool.path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        asked = {"if-none-match": mark.tag} if mark and mark.tag.startswith(('"', "W/")) else {}
        if mark and mark.tag and not asked:
            asked = {"if-modified-since": mark.tag}
        answer, sink = self._get(url, path, asked, threading.Event())
        if answer.status == 304 and mark:
            spool.note(url, mark.sha256, present=False)
            return Remote(url, mark.size, 0, tag=mark.tag)
        _check(answer, url)
        found = digest.PREFIX + sink.state.hexdigest()
        spool.note(url, found, present=True)
        tag = answer.headers.get("etag") or answer.headers.get("last-modified", "")
        return Remote(url, sink.size, 0, tag=tag[:300] if tag.isprintable() and tag.isascii() else "")

    def _get(self, url: str, path: Path, extra: Mapping[str, str], stopped: threading.Event) -> tuple[Answer, Sink]:
        web = self.web
        sink = Sink(path, web.size_max, url, stopped)
        where = httpx2.URL(Secret(url).reveal_url())
        headers = {name: value.reveal() for name, value in web.headers.items()}
        with requester(
            where,
            headers=headers,
            allowed=web.allowed,
            limits=web.limits,
            surroundings=web.surroundings,
            label=url,
            receive=sink.receive,
        ) as sender:
            return _answered(sender, where, extra), sink


def _answered(sender: Requester, where: httpx2.URL, extra: Mapping[str, str]) -> Answer:
    plain = {"accept": "*/*", "accept-encoding": "identity"}
    return sender.ask(Question(where.copy_with(username=None, password=None), {**plain, **extra}))


class Sink:
    """Writes a body to a file, from the start each time that it comes. `size` and `state` are those of the last."""

    def __init__(self, path: Path, size_max: int, name: str, stopped: threading.Event) -> None:
        self._path, self._size_max, self._name, self._stopped = path, size_max, name, stopped
        self.size, self.state = 0, hashlib.sha256()

    def receive(self, response: httpx2.Response) -> bytes:
        """Takes the body of a good answer; the others' are not read."""
        if response.status_code != 200:
            return b""
        self.size, self.state = 0, hashlib.sha256()
        started = time.monotonic()
        try:
            with self._path.open("wb") as sink:
                for part in response.iter_bytes(1 << 18):
                    self._check(len(part), started)
                    self.state.update(part)
                    sink.write(part)
        except httpx2.DecodingError:
            raise SourceBroken(_("the answer's compression is damaged"), where=self._name) from None
        return b""

    def _check(self, size: int, started: float) -> None:
        self.size += size
        if self.size > self._size_max:
            raise LimitExceeded(
                _("one file is larger than {size:,} bytes").format(size=self._size_max),
                where=self._name,
                do=_("raise spool_bytes_max, if there is room for it on the disk"),
            )
        if time.monotonic() - started > _BODY_S_MAX or self._stopped.is_set():
            raise httpx2.ReadTimeout("")


def web_files(options: Mapping[str, Any], base: Path) -> RemoteFiles:  # Any: a person's YAML values
    """The source of kind `files` for URLs. Raises `ConfigurationError`."""
    given = read_options(options, WebOptions)
    urls = tuple(urljoin(given.path, name) for name in given.files) or (given.path,)
    for url in urls:
        refuse_written_secrets(url)
        if urlsplit(url).scheme not in ("http", "https"):
            raise wrong_option(given.kind, _("files: names or URLs of HTTP"))
    if len(set(urls)) != len(urls):
        raise wrong_option(given.kind, _("files: one is named twice"))
    for name, value in given.headers.items():
        if sounds_secret(name) and not refers(value):
            raise wrong_option(
                given.kind,
                _("{name} is written out, and sounds like a secret").format(name=name[:60]),
                do=_("put it into an environment variable and write ${NAME} in its place"),
            )
    return RemoteFiles(
        label=given.path,
        base=base,
        format=format_of(given, path=urlsplit(urls[0]).path),
        place=Web(
            urls,
            {name: Secret(value) for name, value in given.headers.items()},
            frozenset(host.lower() for host in given.allow_hosts),
            Limits(given.timeout_s, given.retries),
            given.spool_bytes_max,
        ),
        bounds=bounds_of(given, Bounds(size=BATCH_BYTES)),
        spool_bytes_max=given.spool_bytes_max,
    )


def _check(answer: Answer, url: str) -> None:
    if not 200 <= answer.status < 300:
        do = _("check the URL")
        if answer.status in (401, 403, 407):
            do = _("check the credentials behind `headers`")
        raise SourceUnreachable(_("it answered {status}").format(status=answer.status), where=url, do=do)
    if answer.status != 200 or part(answer.status, answer.headers):
        raise SourceBroken(_("it answered {status}, and no file").format(status=answer.status), where=url)
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() in (
        "text/html",
        "application/xhtml+xml",
    ):
        raise SourceBroken(
            _("it answered with a web page, not a file"),
            where=url,
            do=_("name the file itself: a login page, or a page that lists files, has other URLs in it"),
        )

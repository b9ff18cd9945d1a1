"""A JSON API over HTTP: page after page, each record as the bytes it is.

Rules:

1. Records arrive as JSON text in one column, `record`; nothing in them is read here.
2. The first page is fetched when the source is opened, the others as they are asked for: memory holds one.
3. An `ETag` or `Last-Modified` is sent back next time where there is one page only; `304` is unchanged. With several
   pages the first one's proves nothing of the others, and all are read.
4. Requests go to public addresses, or to hosts that `allow_hosts` names (see `addresses` and `fetch`).
5. Headers and parameters that sound secret must be references: `Authorization: Bearer ${TOKEN}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from lastro.engine.scan import StreamScan
from lastro.model.errors import ConfigurationError, LimitExceeded, MissingExtra, SourceBroken, SourceUnreachable
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source.location import refuse_written_secrets
from lastro.source.options import SourceOptions, identity, read_cursor, read_options, write_cursor, wrong_option
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.source.secret import Secret, refers, sounds_secret
from lastro.source.stream import Batches, telling

try:
    import httpx2

    from lastro.source import pages
    from lastro.source.fetch import Answer, Limits, Requester, Surroundings, requester
except ImportError as error:
    raise MissingExtra(_("an HTTP source needs an optional library"), do=_("pip install 'lastro[http]'")) from error

_PAGES_MAX = 10_000
_BYTES_MAX = 64 << 20

Scalar = str | int | float | bool


class HttpOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `http`: `url`; `records`, the path to the list (`data.items`; the page itself if empty);
    `pagination` (see `lastro.source.pages`); `headers` and `parameters`; `timeout_s` of one request, `retries`;
    `allow_hosts`, hosts that need not be public; at most `pages_max` pages of `page_bytes_max` bytes.
    """

    url: Annotated[str, Meta(min_length=1)]
    records: str = ""
    pagination: pages.Pagination = pages.OnePage()
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    parameters: dict[str, Scalar] = msgspec.field(default_factory=dict)
    timeout_s: Annotated[float, Meta(gt=0, le=3600)] = 30
    retries: Annotated[int, Meta(ge=0, le=100)] = 5
    allow_hosts: tuple[str, ...] = ()
    pages_max: Annotated[int, Meta(ge=1)] = _PAGES_MAX
    page_bytes_max: Annotated[int, Meta(ge=1, le=1 << 30)] = _BYTES_MAX


class HttpCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was asked (`of`), and the marks the server gave the answer."""

    of: str
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class HttpSource:
    """A JSON API. `surroundings` are what tests replace."""

    url: Secret
    label: str
    headers: Mapping[str, Secret]
    parameters: Mapping[str, Secret]
    records: str
    pagination: pages.Pagination
    limits: Limits
    pages_max: int
    allowed: frozenset[str]
    surroundings: Surroundings = field(default_factory=Surroundings)
    kind: str = "http"

    @property
    def identity(self) -> str:
        """What is asked for, secrets by their references."""
        parameters = {name: secret.template for name, secret in self.parameters.items()}
        return identity(self.url.template, parameters, self.records, msgspec.to_builtins(self.pagination))

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A stream of all records. Raises `SourceError`, `ConfigurationError`."""
        del mode
        last = None if cursor is None else read_cursor(cursor, HttpCursor, self.label)
        url = self._url()
        headers = {name: secret.reveal() for name, secret in self.headers.items()}
        with requester(
            url,
            headers=headers,
            allowed=self.allowed,
            limits=self.limits,
            surroundings=self.surroundings,
            label=self.label,
        ) as sender:
            bare = url.copy_with(username=None, password=None)
            conditions = self._conditions(last)
            answer = sender.get(pages.first(bare, self.pagination), conditions)
            if answer.status == 304 and conditions:
                yield Unchanged()
                return
            self._check(answer)
            first_records = pages.records_in(answer, self.records, self.label)
            stream = self._batches(sender, bare, answer, first_records)
            with telling(stream):
                yield self._opened(stream, answer)

    def _opened(self, stream: Batches, answer: Answer) -> Opened:
        def watermark() -> Cursor:
            stream.check_finished(self.label)
            if not isinstance(self.pagination, pages.OnePage):
                return write_cursor(HttpCursor(self.identity))
            etag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
            return write_cursor(HttpCursor(self.identity, etag[:1000], modified[:100]))

        return Opened(StreamScan(stream, self.label, records=True), watermark, self.label)

    def _url(self) -> httpx2.URL:
        try:
            url = httpx2.URL(self.url.reveal_url())
            for name, secret in self.parameters.items():
                url = url.copy_set_param(name, secret.reveal())
        except httpx2.InvalidURL:
            raise ConfigurationError(_("the URL is not well formed"), where=self.label, do=_("correct it")) from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ConfigurationError(_("the URL is not one of HTTP"), where=self.label, do=_("write https://…"))
        return url

    def _conditions(self, last: HttpCursor | None) -> dict[str, str]:
        if last is None or last.of != self.identity or not isinstance(self.pagination, pages.OnePage):
            return {}
        if last.etag:
            return {"if-none-match": last.etag}
        return {"if-modified-since": last.modified} if last.modified else {}

    def _check(self, answer: Answer) -> None:
        if 200 <= answer.status < 300:
            return
        if answer.status in (401, 403, 407):
            do = _("check the credentials behind `headers` and `parameters`")
        else:
            do = _("check the URL and its parameters")
        raise SourceUnreachable(_("it answered {status}").format(status=answer.status), where=self.label, do=do)

    def _pages(
        self, sender: Requester, url: httpx2.URL, answer: Answer, records: list[msgspec.Raw]
    ) -> Iterator[list[msgspec.Raw]]:
        trail = pages.Trail()
        while True:
            then = pages.following(answer, records, self.pagination, trail, url, self.label)
            yield records
            if then is None:
                return
            if trail.pages >= self.pages_max:
                raise LimitExceeded(
                    _("there are more than {count:,} pages").format(count=self.pages_max),
                    where=self.label,
                    do=_("ask for larger pages, or raise pages_max"),
                )
            if not sender.is_ours(then):
                raise SourceBroken(
                    _("the next page is at another place, {host}").format(host=then.host),
                    where=self.label,
                    do=_("read from there directly, if it can be trusted"),
                )
            answer = sender.get(then.copy_with(username=None, password=None), {})
            self._check(answer)
            records = pages.records_in(answer, self.records, self.label)

    def _batches(self, sender: Requester, url: httpx2.URL, answer: Answer, records: list[msgspec.Raw]) -> Batches:
        import pyarrow as pa

        schema = pa.schema([pa.field("record", pa.string())])

        def batches() -> Iterator[Any]:  # Any: pyarrow.RecordBatch
            for found in self._pages(sender, url, answer, records):
                # A line break in JSON is only ever a blank between two tokens; one record is one line.
                lines = [bytes(record).replace(b"\n", b" ").replace(b"\r", b" ") for record in found]
                yield pa.record_batch([pa.array(lines, pa.binary()).cast(pa.string())], schema=schema)

        return Batches(schema, batches())


def http_source(options: Mapping[str, Any], base: Path) -> HttpSource:  # Any: a person's YAML values
    """The source of kind `http`. Raises `ConfigurationError`."""
    del base
    given = read_options(options, HttpOptions)
    if not given.url.startswith(("http://", "https://", "${")):
        raise wrong_option(given.kind, _("url is not one of HTTP"), do=_("write https://…"))
    refuse_written_secrets(given.url)
    parts = urlsplit(given.url)
    label = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else "${…}"
    return HttpSource(
        url=_reference(given.url),
        label=label,
        headers=_secrets(given.kind, given.headers),
        parameters=_secrets(given.kind, {name: _text(value) for name, value in given.parameters.items()}),
        records=given.records,
        pagination=given.pagination,
        limits=Limits(given.timeout_s, given.retries, given.page_bytes_max),
        pages_max=given.pages_max,
        allowed=frozenset(host.lower() for host in given.allow_hosts),
    )


def _secrets(kind: str, given: Mapping[str, str]) -> dict[str, Secret]:
    for name, value in given.items():
        if sounds_secret(name) and not refers(value):
            raise wrong_option(
                kind,
                _("{name} is written out, and sounds like a secret").format(name=name[:60]),
                do=_("put it into an environment variable and write ${NAME} in its place"),
            )
    return {name: _reference(value) for name, value in given.items()}


def _reference(text: str) -> Secret:
    secret = Secret(text)
    _names = secret.names  # a malformed reference is refused now, not when it is needed
    return secret


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

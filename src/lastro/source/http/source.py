"""A JSON API as a source.

Rules:

1. Records arrive as JSON text in one column, `record`; of what is in them only a key and a stamp are read here.
2. The first page is fetched when the source is opened, the others as they are asked for.
3. An `ETag` or `Last-Modified` is sent back next time where there is one page only; `304` is unchanged. With several
   pages the first one's proves nothing of the others, and all are read.
4. With `incremental`, `upsert` and `append` ask for what is new (see `stamps`). The last stamp moves when a pass is
   through; a pass that brings nothing, or in one page only what the last one brought, is unchanged.
5. With `batch_rows`, those two stop between pages; the commit keeps where the next one is. If the API has forgotten
   that place, `upsert` begins the pass again; `append` refuses, since it could take records twice.
6. Requests go to public addresses, or to hosts that `allow_hosts` names (see `addresses` and `fetch`).
7. Headers and parameters that sound secret must be references: `Authorization: Bearer ${TOKEN}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from lastro.engine.scan import StreamScan
from lastro.model.errors import ConfigurationError, SourceChanged
from lastro.model.reconciliation import Reconciliation, Totals
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source.fetch.circuit import Fuse
from lastro.source.fetch.client import Limits, Requester, Surroundings, requester
from lastro.source.http import pages, signs, stamps
from lastro.source.http.authentication import check_auth, credentials
from lastro.source.http.body import body
from lastro.source.http.options import (
    CursorPages,
    HttpOptions,
    Incremental,
    NumberedPages,
    OffsetPages,
    OnePage,
    Pagination,
    ParameterAuth,
    Scalar,
)
from lastro.source.http.pages import Base, Page
from lastro.source.http.walk import Route, Walk
from lastro.source.location import refuse_written_secrets
from lastro.source.moved import newest
from lastro.source.options import identity, plain, read_cursor, read_options, write_cursor, wrong_option
from lastro.source.protocol import Cursor, Handed, Opened, Unchanged
from lastro.source.secret import Secret, refers, sounds_secret
from lastro.source.stream import Batches, telling

_HOW_PAGES_END = ("has_more", "end", "parallel")
_GONE = {400, 404, 410, 422}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class HttpCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was asked (`of`), and the marks the server gave the answer. With `incremental`: the `last` stamp, and what
    the records from it on were (`tail`). Of a pass that is not through: `resume`, the next page; `high`, the greatest
    stamp so far; `until`, its upper bound.
    """

    of: str
    etag: str = ""
    modified: str = ""
    last: stamps.Stamp | None = None
    tail: str = ""
    resume: pages.Position | None = None
    high: stamps.Stamp | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class HttpSource:
    """A JSON API. `surroundings` are what tests replace."""

    url: Secret
    label: str
    headers: Mapping[str, Secret]
    parameters: Mapping[str, Secret]
    options: HttpOptions
    surroundings: Surroundings = field(default_factory=Surroundings)
    kind: str = "http"

    @property
    def pagination(self) -> Pagination:
        """How pages follow each other; where nothing was said, there is one."""
        return OnePage() if self.options.pagination is None else self.options.pagination

    def completed(self, options: Mapping[str, Any]) -> dict[str, Any]:  # Any: a source's options
        """These options with what the first page makes evident. Raises `SourceError`, `ConfigurationError`."""
        with self._sender() as sender:
            walk = self._walk(sender, None, Mode.OVERWRITE)
            start = pages.first(self.pagination)
            answer = sender.ask(pages.question(walk.route.base, self.pagination, start))
            walk.check(answer)
            return signs.completed(dict(options), answer, body(answer, self.label))

    @property
    def identity(self) -> str:
        """What is asked for, secrets by their references."""
        given = self.options
        parameters = {name: secret.template for name, secret in self.parameters.items()}
        pagination = {
            name: value for name, value in msgspec.to_builtins(self.pagination).items() if name not in _HOW_PAGES_END
        }
        parts = [self.url.template, parameters, given.records, pagination]
        if given.body is not None or given.incremental is not None:
            asked = given.incremental and (given.incremental.parameter, given.incremental.path)
            parts += [plain(given.body), list(asked or ())]
        return identity(*parts)

    def moved(self, earlier: Mapping[str, Cursor], *, same: bool) -> Handed | None:
        """The cursor of the same API at another address; no mark of the former server holds there."""
        return newest(earlier, HttpCursor, self._as_own) if same else None

    def _as_own(self, last: HttpCursor) -> HttpCursor:
        if last.resume is not None:
            raise SourceChanged(
                _("the last reading is not through, and its next page is at the former address"),
                where=self.label,
                do=_("restore the source's options until a reading is through, or ingest once with --mode overwrite"),
            )
        return HttpCursor(self.identity, last=last.last, tail=last.tail)

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A stream of the records. Raises `SourceError`, `ConfigurationError`."""
        last = self._last(cursor, mode)
        with ExitStack() as stack:
            sender = stack.enter_context(self._sender())
            walk = self._walk(sender, last, mode)
            first = self._first(walk, last, mode)
            if first is None or self._is_known(walk, first, last, mode):
                yield Unchanged()
                return
            batches = walk.batches(first)
            stack.callback(batches.close)
            stream = Batches(_schema(), batches)
            with telling(stream):
                yield self._opened(walk, stream, first, last, mode)

    def _last(self, cursor: Cursor | None, mode: Mode) -> HttpCursor | None:
        """The last commit's cursor, if it can be continued. Raises `SourceChanged`, `ConfigurationError`."""
        last = None if cursor is None else read_cursor(cursor, HttpCursor, self.label)
        if last is None or mode is Mode.OVERWRITE:
            return last if last is not None and last.of == self.identity and last.last is None else None
        if mode is Mode.APPEND and self.options.incremental is None and last.resume is None:
            raise ConfigurationError(
                _("appending again would double every record, since nothing says which are new"),
                where=self.label,
                do=_("add incremental: {parameter: …, path: …}, or use the mode overwrite or upsert"),
            )
        if last.of == self.identity:
            return last
        if mode is Mode.APPEND:
            raise SourceChanged(
                _("what is asked for is another thing than at the last commit"),
                where=self.label,
                do=_("restore the source's options, or ingest once with --mode overwrite"),
            )
        return None

    @contextmanager
    def _sender(self) -> Iterator[Requester]:
        given = self.options
        url = self._url()
        limits = _limits(given)
        allowed = frozenset(host.lower() for host in given.allow_hosts)
        headers = {name: secret.reveal() for name, secret in self.headers.items()}
        around = self.surroundings
        with (
            credentials(
                given.auth, url, allowed=allowed, limits=limits, surroundings=around, label=self.label
            ) as proof,
            requester(
                url,
                headers=headers,
                allowed=allowed,
                limits=limits,
                surroundings=around,
                label=self.label,
                credentials=proof,
            ) as sender,
        ):
            yield sender

    def _walk(self, sender: Requester, last: HttpCursor | None, mode: Mode) -> Walk:
        given, bare = self.options, sender.origin.copy_with(username=None, password=None)
        base = Base(bare, None if given.body is None else _revealed(plain(given.body)))
        watch = None
        known = last if mode is not Mode.OVERWRITE else None
        if given.incremental is not None:
            watch = self._watch(given.incremental, known, mode)
            base = base.asking(stamps.sent(given.incremental, None if known is None else known.last, self.label))
        route = Route(
            base=base,
            pagination=self.pagination,
            said=given.pagination is not None,
            records=given.records,
            total=given.total if known is None or known.resume is None else None,
            key=given.key,
            optional=frozenset(given.optional),
            rows=None if mode is Mode.OVERWRITE else given.batch_rows,
            pages_max=given.pages_max,
            repeats=mode is Mode.UPSERT,
            ranged=any(name.lower() == "range" for name in given.headers),
            whole=mode is Mode.OVERWRITE and not given.allow_no_content,
        )
        return Walk(route, sender, self.label, watch)

    def _watch(self, options: Incremental, last: HttpCursor | None, mode: Mode) -> stamps.Watch:
        now = stamps.of_now(self.surroundings.now())
        until: stamps.Instant | None = None
        if mode is Mode.APPEND:
            kept = None if last is None else last.until
            until = (now[0] - int(options.lag), "") if kept is None else (kept, "")
        return stamps.Watch(
            options,
            self.label,
            now=now,
            floor=None if last is None else last.last,
            until=until,
            appends=mode is Mode.APPEND,
            high=None if last is None else (last.high if last.resume is not None else last.last),
        )

    def _first(self, walk: Walk, last: HttpCursor | None, mode: Mode) -> Page | None:
        """The first page to read; None if the server says that nothing changed. Raises `SourceError`."""
        start = pages.first(self.pagination)
        if last is not None and last.resume is not None and mode is not Mode.OVERWRITE:
            page = self._resumed(walk, last.resume, mode)
            if page is not None:
                return page
        question = pages.question(walk.route.base, self.pagination, start)
        conditions = self._conditions(last)
        answer = walk.sender.ask(replace(question, headers={**question.headers, **conditions}))
        if answer.status == 304 and conditions:
            return None
        return walk.read(start, answer)

    def _resumed(self, walk: Walk, place: pages.Position, mode: Mode) -> Page | None:
        """The page an earlier reading stopped before; None if the API has forgotten it (rule 5)."""
        question = pages.question(walk.route.base, self.pagination, place)
        answer = walk.sender.ask(question)
        if answer.status not in _GONE:
            return walk.read(place, answer)
        if mode is Mode.UPSERT:
            return None
        raise SourceChanged(
            _("the API no longer knows where the last reading stopped (it answered {status})").format(
                status=answer.status
            ),
            where=self.label,
            do=_("ingest once with --mode overwrite or upsert: records could come twice otherwise"),
        )

    def _is_known(self, walk: Walk, first: Page, last: HttpCursor | None, mode: Mode) -> bool:
        """True if the one page there is brings nothing that the last pass had not brought (rule 4)."""
        if last is None or walk.watch is None or last.resume is not None or mode is Mode.OVERWRITE:
            return False
        if pages.following(first, self.pagination, pages.Trail(), self.label) is not None:
            return False
        seen = replace(walk.watch, tail=[])
        taken = seen.taken(first.listed, first.records)
        return not taken or (
            mode is Mode.UPSERT and bool(last.tail) and seen.tail_digest(of=len(first.records)) == last.tail
        )

    def _opened(self, walk: Walk, stream: Batches, first: Page, last: HttpCursor | None, mode: Mode) -> Opened:
        def watermark() -> Cursor:
            stream.check_finished(self.label)
            return write_cursor(self._after(walk, first, last, mode))

        def reconciliation() -> Reconciliation:
            return Reconciliation(Totals(walk.total or 0), Totals(walk.count))

        counts = walk.route.total is not None and walk.route.rows is None
        return Opened(
            StreamScan(stream, self.label, records=True),
            watermark,
            self.label,
            more=lambda: walk.stopped,
            reconciliation=reconciliation if counts else None,
        )

    def _after(self, walk: Walk, first: Page, last: HttpCursor | None, mode: Mode) -> HttpCursor:
        watch, known = walk.watch, last if mode is not Mode.OVERWRITE else None
        high = None if watch is None else watch.high
        if walk.then is not None:
            until = None if watch is None or watch.until is None else watch.until[0]
            before = None if known is None else known.last
            tail = "" if known is None else known.tail
            place = pages.kept(walk.then, self._secrets(), self._own_names(), self.label)
            return HttpCursor(self.identity, last=before, tail=tail, resume=place, high=high, until=until)
        if watch is not None:
            return HttpCursor(self.identity, last=high, tail=watch.tail_digest() if mode is Mode.UPSERT else "")
        if not isinstance(self.pagination, OnePage):
            return HttpCursor(self.identity)
        marks = first.answer.headers
        return HttpCursor(self.identity, marks.get("etag", "")[:1000], marks.get("last-modified", "")[:100])

    def _secrets(self) -> tuple[str, ...]:
        """What must not stand in a cursor."""
        found = [self.url, *self.parameters.values()]
        if self.options.auth is not None:
            texts = msgspec.to_builtins(self.options.auth).values()
            found += [Secret(text) for text in texts if isinstance(text, str)]
        return tuple(value for secret in found for value in secret.values())

    def _own_names(self) -> tuple[str, ...]:
        """Parameters that every request has anyway."""
        auth = self.options.auth
        return (auth.name,) if isinstance(auth, ParameterAuth) else ()

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
        if last is None or last.of != self.identity or not isinstance(self.pagination, OnePage):
            return {}
        if last.etag:
            return {"if-none-match": last.etag}
        return {"if-modified-since": last.modified} if last.modified else {}


def http_source(options: Mapping[str, Any], base: Path) -> HttpSource:  # Any: a person's YAML values
    """The source of kind `http`. Raises `ConfigurationError`."""
    del base
    given = read_options(options, HttpOptions)
    if not given.url.startswith(("http://", "https://", "${")):
        raise wrong_option(given.kind, _("url is not one of HTTP"), do=_("write https://…"))
    refuse_written_secrets(given.url)
    check_auth(given.kind, given.auth)
    _check_pages(given)
    parts = urlsplit(given.url)
    label = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else "${…}"
    return HttpSource(
        url=_reference(given.url),
        label=label,
        headers=_secrets(given.kind, given.headers),
        parameters=_secrets(given.kind, {name: _text(value) for name, value in given.parameters.items()}),
        options=given,
    )


def _schema() -> Any:  # Any: pyarrow.Schema
    import pyarrow as pa

    return pa.schema([pa.field("record", pa.string())])


def _check_pages(given: HttpOptions) -> None:
    pagination = given.pagination
    if isinstance(pagination, CursorPages) and (pagination.path is None) == (pagination.header is None):
        raise wrong_option(given.kind, _("pagination needs either path or header: where the next cursor is"))
    if isinstance(pagination, (NumberedPages, OffsetPages)) and pagination.end == "total" and given.total is None:
        raise wrong_option(given.kind, _("pages that end by the total need the option total: where it is"))


def _limits(given: HttpOptions) -> Limits:
    count, _slash, unit = (given.rate_limit or "").partition("/")
    interval = _SECONDS[unit] / float(count) if unit and float(count) > 0 else 0.0
    return Limits(
        given.timeout_s,
        given.retries,
        given.page_bytes_max,
        connect_s=given.connect_timeout_s,
        read_s=given.read_timeout_s,
        interval_s=interval,
        fuse=Fuse(given.circuit.failures, given.circuit.pause_s),
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


def _revealed(value: Any) -> Any:  # Any: JSON values
    """The value with every reference in its texts replaced."""
    match value:
        case dict():
            return {name: _revealed(each) for name, each in value.items()}
        case list():
            return [_revealed(each) for each in value]
        case str():
            return Secret(value).reveal()
        case _:
            return value


def _reference(text: str) -> Secret:
    secret = Secret(text)
    _names = secret.names  # a malformed reference is refused now, not when it is needed
    return secret


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

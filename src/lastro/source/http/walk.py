"""A walk over pages, in order, each looked at before it is handed on.

Rules:

1. Pages come in order, whether they are fetched one by one or several at once; memory holds those few.
2. Where the API declares a total, it must stay the same during the walk and equal the records that came, else:
   `SourceChanged`. It is not compared where a walk goes on from an earlier one.
3. Where `key` names what identifies a record, none may come twice: pages that shift while they are read repeat records,
   and elsewhere leave others out. For `upsert` repeats are harmless, the last one counts; they are not counted twice.
4. A field that every record of the first page has, and none of a later one, was renamed or dropped in the middle:
   `SourceChanged`, unless `optional` names it.
5. A part of an answer (`206`, `Content-Range`) is refused unless a range was asked for; where pages were spoken of, one
   that says which of all records it holds is a page.
6. No content is no record, but for the first page of all there is: there it would empty a dataset, and is refused
   unless `allow_no_content` says that it means that.
7. A walk may stop after `rows` records, between two pages; where the next one is, is then its result.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import msgspec

from lastro.model.errors import LimitExceeded, SourceBroken, SourceChanged, SourceUnreachable
from lastro.model.text import _, ngettext
from lastro.source.fetch.client import Answer, Requester
from lastro.source.fetch.parts import part
from lastro.source.http import exact, pages, signs, stamps
from lastro.source.http.body import Members, body, decoded
from lastro.source.http.options import NumberedPages, OffsetPages, OnePage, Pagination
from lastro.source.http.pages import Base, Page, Position, Trail

_STEADY_MIN = 10


@dataclass(frozen=True, slots=True)
class Route:
    """What is asked for, and where in a page is what. `repeats` tells whether records may come twice,
    `said` whether somebody said how pages follow each other, `ranged` whether a range is asked for, `whole` whether
    what comes is all there is, so that no content would empty the dataset.
    """

    base: Base
    pagination: Pagination
    records: str = ""
    total: str | None = None
    key: str | None = None
    optional: frozenset[str] = frozenset()
    rows: int | None = None
    pages_max: int = 10_000
    repeats: bool = False
    said: bool = True
    ranged: bool = False
    whole: bool = False


@dataclass(slots=True)
class Walk:
    """One walk. `count` is the number of different records so far, `came` of all; `then` is where the next page is, if
    there is one.
    """

    route: Route
    sender: Requester
    label: str
    watch: stamps.Watch | None = None
    count: int = 0
    total: int | None = None
    then: Position | None = None
    came: int = 0
    trail: Trail = field(default_factory=Trail)
    keys: set[stamps.Stamp] = field(default_factory=set)
    steady: frozenset[str] | None = None

    @property
    def stopped(self) -> bool:
        """True if there is more to read."""
        return self.then is not None

    def fetch(self, position: Position) -> Page:
        """A page. Raises `SourceError`."""
        question = pages.question(self.route.base, self.route.pagination, position)
        if not self.sender.is_ours(question.url):
            raise SourceBroken(
                _("the next page is at another place, {host}").format(host=question.url.host),
                where=self.label,
                do=_("read from there directly, if it can be trusted"),
            )
        return self.read(position, self.sender.ask(question))

    def read(self, position: Position, answer: Answer) -> Page:
        """The page in an answer. Raises `SourceError`."""
        self.check(answer)
        if self.route.whole and not self.trail.pages and position == pages.first(self.route.pagination):
            _refuse_no_content(answer, self.label)
        found = body(answer, self.label)
        listed, records = found.records(self.route.records)
        return Page(position, answer, found, listed, records)

    def check(self, answer: Answer) -> None:
        """Raises `SourceUnreachable` unless the answer is a good one, `SourceBroken` if it is a part (rule 5)."""
        check_status(answer, self.label)
        found = part(answer.status, answer.headers)
        if found is None or self.route.ranged:
            return
        if found.is_counted and self.route.said and not isinstance(self.route.pagination, OnePage):
            return
        raise SourceBroken(
            _("it answered with only a part of what there is ({status})").format(status=answer.status),
            where=self.label,
            do=_("say how pages follow each other (pagination); or ask for that part with a header Range (headers)"),
        )

    def batches(self, first: Page) -> Generator[Any]:  # Any: pyarrow.RecordBatch
        """The records as lines of JSON, a batch a page. Raises `SourceError`."""
        for page, then in self._pages(first):
            taken = self._looked_at(page)
            self.came += len(page.records)
            yield lines(page.listed, page.records, taken, self.label)
            self.then = then
            if then is not None and self.route.rows is not None and self.came >= self.route.rows:
                return
        if self.total is not None and self.total != self.count:
            raise self._miscounted()

    def _pages(self, first: Page) -> Iterator[tuple[Page, Position | None]]:
        """Each page, and where the next one is."""
        pagination = self.route.pagination
        if isinstance(pagination, (NumberedPages, OffsetPages)) and pagination.parallel > 1:
            yield from self._side_by_side(first, pagination)
            return
        page = first
        while True:
            then = self._following(page)
            yield page, then
            if then is None:
                return
            page = self.fetch(then)

    def _side_by_side(
        self, first: Page, pagination: NumberedPages | OffsetPages
    ) -> Iterator[tuple[Page, Position | None]]:
        """The same with several requests under way; those beyond the end are dropped."""
        then = self._following(first)
        yield first, then
        if then is None:
            return
        with ThreadPoolExecutor(pagination.parallel, thread_name_prefix="page") as pool:
            under_way: deque[Future[Page]] = deque()
            position = int(then)
            try:
                while True:
                    while len(under_way) < pagination.parallel:
                        under_way.append(pool.submit(self.fetch, position))
                        position = pages.ahead(pagination, position)
                    page = under_way.popleft().result()
                    after = self._following(page)
                    yield page, after
                    if after is None:
                        return
            finally:
                for each in under_way:
                    each.cancel()

    def _following(self, page: Page) -> Position | None:
        self._check_total(page)
        if not self.route.said:
            signs.refuse_more(page.answer, page.body, self.route.records, len(page.records))
        then = pages.following(page, self.route.pagination, self.trail, self.label)
        if getattr(self.route.pagination, "end", "") == "total" and self.count + len(page.records) >= (self.total or 0):
            return None
        if then is not None and self.trail.pages >= self.route.pages_max:
            raise LimitExceeded(
                _("there are more than {count:,} pages").format(count=self.route.pages_max),
                where=self.label,
                do=_("ask for larger pages, or raise pages_max"),
            )
        return then

    def _looked_at(self, page: Page) -> list[msgspec.Raw]:
        """The records to hand on."""
        self._check_steady(page)
        self.count += self._new_ones(page)
        return page.records if self.watch is None else self.watch.taken(page.listed, page.records)

    def _check_total(self, page: Page) -> None:
        if self.route.total is None:
            return
        found = self._declared(page, self.route.total)
        if self.total is not None and found != self.total:
            raise SourceChanged(
                ngettext(
                    "the API declared {first:,} record at first and {then:,} later: they changed while they were read",
                    "the API declared {first:,} records at first and {then:,} later: they changed while they were read",
                    self.total,
                ).format(first=self.total, then=found),
                where=self.label,
                do=_("ingest again, when nobody writes; or read by a cursor or incrementally, with --mode upsert"),
            )
        self.total = found

    def _declared(self, page: Page, place: str) -> int:
        header, _colon, name = place.partition(":")
        if header == "header" and name:
            text = page.answer.headers.get(name.strip().lower())
        else:
            raw = page.body.at(place, required=False)
            text = None if raw is None else raw.strip().strip(b'"').decode()
        if text is None or not (text.isascii() and text.isdigit()) or len(text) > 18:
            raise SourceBroken(
                _("there is no total at {place!r}").format(place=place), where=self.label, do=_("correct total")
            )
        return int(text)

    def _check_steady(self, page: Page) -> None:
        """Rule 4."""
        if len(page.records) < _STEADY_MIN:
            return
        if self.steady is None:
            self.steady = self._common(page) - self.route.optional
            return
        missing = self.steady - self._names(page.records[0]) - self._names(page.records[-1])
        for record in page.records if missing else ():
            missing -= self._names(record)
        if missing:
            raise SourceChanged(
                _("every record of the first page has {name!r}, and none of a later page").format(
                    name=min(missing)[:60]
                ),
                where=self.label,
                do=_("ask the API's owner; if records may lack it, add optional: [{name}]").format(
                    name=min(missing)[:60]
                ),
            )

    def _common(self, page: Page) -> frozenset[str]:
        common = self._names(page.records[0])
        for record in page.records[1:]:
            common &= self._names(record)
        return common

    def _names(self, record: msgspec.Raw) -> frozenset[str]:
        try:
            return frozenset(decoded(bytes(record), Members, self.label))
        except msgspec.ValidationError:
            return frozenset()

    def _new_ones(self, page: Page) -> int:
        """How many of the page's records have not been seen before. Raises `SourceChanged` (rule 3)."""
        if self.route.key is None or not page.records:
            return len(page.records)
        found = stamps.values(page.listed, self.route.key, self.label)
        if None in found:
            raise SourceBroken(
                _("a record has no {key}").format(key=self.route.key), where=self.label, do=_("correct key")
            )
        before = len(self.keys)
        self.keys.update(hash(each) if isinstance(each, str) else each for each in found if each is not None)
        new = len(self.keys) - before
        if new < len(found) and not self.route.repeats:
            raise SourceChanged(
                ngettext(
                    "{count:,} record came twice: the pages shifted while they were read, and others may be missing",
                    "{count:,} records came twice: the pages shifted while they were read, and others may be missing",
                    len(found) - new,
                ).format(count=len(found) - new),
                where=self.label,
                do=_("ingest again; or let the API sort by a field that never changes, or use --mode upsert"),
            )
        return new

    def _miscounted(self) -> SourceChanged:
        return SourceChanged(
            ngettext(
                "the API declared {total:,} record and gave {count:,}",
                "the API declared {total:,} records and gave {count:,}",
                self.total or 0,
            ).format(total=self.total, count=self.count),
            where=self.label,
            do=_("ingest again; if they never agree, correct pagination, or leave total out"),
        )


def check_status(answer: Answer, label: str) -> None:
    """Raises `SourceUnreachable` unless the answer is a good one."""
    if 200 <= answer.status < 300:
        return
    if answer.status in (401, 403, 407):
        do = _("check the credentials: `auth`, and those behind `headers` and `parameters`")
    else:
        do = _("check the URL and its parameters")
    raise SourceUnreachable(_("it answered {status}").format(status=answer.status), where=label, do=do)


def _refuse_no_content(answer: Answer, label: str) -> None:
    if answer.status == 204:
        raise SourceBroken(
            _("it answered without content (204), which would empty the dataset"),
            where=label,
            do=_("look at what the API answers; if it says so that there are no records, add allow_no_content: true"),
        )


def lines(listed: bytes, records: list[msgspec.Raw], taken: list[msgspec.Raw], label: str) -> Any:  # Any: RecordBatch
    """The records that are taken as one batch of lines, built from their bytes without an object a record.

    All `records` of the page are looked at first. Raises `SourceBroken`, `LimitExceeded`.
    """
    import pyarrow as pa

    text, ends = _joined(records)
    exact.check(listed, text, ends, label)
    if taken is not records:
        text, ends = _joined(taken)
    if exact.has_long_numbers(text):
        text, ends = _joined([exact.with_all_digits(bytes(record)) for record in taken])
    # A line break in JSON is only ever a blank between two tokens; one record is one line.
    text = text.replace(b"\n", b" ").replace(b"\r", b" ")
    column = pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(text))
    return pa.RecordBatch.from_arrays([column], names=["record"])


def _joined(records: Sequence[msgspec.Raw] | Sequence[bytes]) -> tuple[bytes, array[int]]:
    """The records one after another, and where each begins and the last one ends."""
    return b"".join(records), array("i", accumulate(map(len, records), initial=0))

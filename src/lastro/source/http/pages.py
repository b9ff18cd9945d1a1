"""Pages: how the next one is asked for, and when there is none.

Rules:

1. `none`: one page. If its `Link` header names a next one, reading on was forgotten: `SourceBroken`.
2. `page`: a number that grows by `step` with each request. `offset`: how many records came before; a page that is not
   full must be the last one, else records would be passed over: `SourceBroken`.
3. Both end with the first page without records, or where the flag at `has_more` is false. A declared total ends them on
   request only (`end: total`): some totals are capped, and the page after the last one costs little.
4. `cursor`: a value in the page or a header, sent back; null, false, empty or absent is the end, and so is a false
   `has_more`. Empty pages on the way are passed.
5. `link`: the URL of the next page, from the `Link` header or from a place in the page; it must stay at the origin.
6. What comes twice – a cursor, a URL, a page's records – would come for ever: `SourceBroken`.
7. Where a place is kept for a later reading (`resume`), no secret is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import msgspec

from lastro.model.errors import SourceBroken
from lastro.model.text import _
from lastro.source.fetch.client import Answer, Question
from lastro.source.http.body import Body
from lastro.source.http.options import CursorPages, LinkedPages, NumberedPages, OffsetPages, OnePage, Pagination

Position = int | str
"""A page: its number, its offset, its cursor, its URL; the empty text is the first page of the last two."""
START = ""
_SECRET_MIN = 4


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the answer, what is around the records, and the records as bytes."""

    position: Position
    answer: Answer
    body: Body
    listed: bytes
    records: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Base:
    """What every request has: the URL with its parameters, and the body where it is a POST."""

    url: httpx2.URL
    content: Mapping[str, Any] | None = None  # Any: JSON values

    def asking(self, given: Mapping[str, str | int]) -> Base:
        """With more parameters: in the body where there is one (`page.cursor` is a place in it), else in the URL."""
        if self.content is None:
            url = self.url
            for name, value in given.items():
                url = url.copy_set_param(name, str(value))
            return Base(url)
        content = self.content
        for name, value in given.items():
            content = _placed(content, name.split("."), value)
        return Base(self.url, content)

    def question(self) -> Question:
        """As a request."""
        if self.content is None:
            return Question(self.url)
        return Question(self.url, {"content-type": "application/json"}, msgspec.json.encode(self.content))


@dataclass(slots=True)
class Trail:
    """What was asked and seen so far."""

    pages: int = 0
    short: bool = False
    seen: set[tuple[str, int]] = field(default_factory=set)

    def meet(self, kind: str, value: str | bytes, label: str) -> None:
        """Notes something that must be new. Raises `SourceBroken` if it is not (rule 6)."""
        mark = (kind, hash(value))
        if mark in self.seen:
            raise SourceBroken(
                _("the same {kind} came twice, so the pages would never end").format(kind=kind),
                where=label,
                do=_("check `pagination`: does the API know its parameter?"),
            )
        self.seen.add(mark)


def first(pagination: Pagination) -> Position:
    """The first page."""
    return pagination.start if isinstance(pagination, (NumberedPages, OffsetPages)) else START


def question(base: Base, pagination: Pagination, position: Position) -> Question:
    """The request for a page. Raises `SourceBroken` for a URL that is none."""
    match pagination:
        case NumberedPages():
            sized = pagination.size_parameter is not None and pagination.size is not None
            size = {str(pagination.size_parameter): pagination.size or 0} if sized else {}
            return base.asking({**size, pagination.parameter: position}).question()
        case OffsetPages():
            return base.asking(
                {pagination.limit_parameter: pagination.limit, pagination.parameter: position}
            ).question()
        case CursorPages() if position != START:
            return base.asking({pagination.parameter: position}).question()
        case LinkedPages() if position != START:
            url = base.url.join(str(position)).copy_with(username=None, password=None)
            return Base(url, base.content).question()
        case _:
            return base.question()


def following(page: Page, pagination: Pagination, trail: Trail, label: str) -> Position | None:
    """Where the next page is; None if this was the last. Raises `SourceBroken`."""
    trail.pages += 1
    if page.records:
        trail.meet("page", page.listed, label)
    match pagination:
        case OnePage():
            if page.answer.next_link:
                raise SourceBroken(
                    _("there are more pages than this one"), where=label, do=_("add pagination: {type: link}")
                )
            return None
        case NumberedPages():
            return ahead(pagination, page.position) if _goes_on(page, pagination.has_more) else None
        case OffsetPages():
            _check_full(page, pagination, trail, label)
            return ahead(pagination, page.position) if _goes_on(page, pagination.has_more) else None
        case CursorPages():
            return _cursor(page, pagination, trail, label)
        case LinkedPages(path):
            target = page.answer.next_link if path is None else page.body.scalar(path)
            return None if target is None else _linked(page.answer, str(target), trail, label)


def ahead(pagination: NumberedPages | OffsetPages, position: Position) -> int:
    """The page after one, known before it is read."""
    return int(position) + (pagination.step if isinstance(pagination, NumberedPages) else pagination.limit)


def _goes_on(page: Page, has_more: str | None) -> bool:
    return bool(page.records) if has_more is None else page.body.flag(has_more)


def _check_full(page: Page, pagination: OffsetPages, trail: Trail, label: str) -> None:
    """Rule 2: behind a page that is not full there is nothing, and none is fuller than was asked."""
    count = len(page.records)
    if count > pagination.limit or (count and trail.short):
        raise SourceBroken(
            _("a page has another number of records than the {limit:,} that were asked for").format(
                limit=pagination.limit
            ),
            where=label,
            do=_("set pagination.limit to a number that the API grants: else records are left out or come twice"),
        )
    trail.short = count < pagination.limit


def _cursor(page: Page, pagination: CursorPages, trail: Trail, label: str) -> Position | None:
    value: Position | None
    if pagination.header is not None:
        value = page.answer.headers.get(pagination.header.lower()) or None
    else:
        value = page.body.scalar(pagination.path or "")
    if pagination.has_more is not None:
        goes_on = page.body.flag(pagination.has_more)
        if goes_on and value is None:
            raise SourceBroken(
                _("there are more pages, but no cursor for the next one"),
                where=label,
                do=_("correct pagination.path or pagination.header"),
            )
        value = value if goes_on else None
    if value is not None:
        trail.meet("cursor", str(value), label)
    return value


def _linked(answer: Answer, target: str, trail: Trail, label: str) -> str:
    try:
        url = answer.url.join(target)
    except httpx2.InvalidURL:
        raise SourceBroken(_("the link to the next page is no URL"), where=label, do=_("ask the API's owner")) from None
    trail.meet("link", str(url), label)
    return str(url)


def kept(position: Position, secrets: tuple[str, ...], names: tuple[str, ...], label: str) -> Position:
    """A position as it may be kept in a commit: a URL without its origin and without the parameters of these names,
    which each request has anyway.

    Raises `SourceBroken` if one of the secrets is in it all the same (rule 7).
    """
    if isinstance(position, str) and "://" in position:
        url = httpx2.URL(position)
        for name in names:
            url = url.copy_remove_param(name) if name in url.params else url
        position = url.raw_path.decode("ascii")
    if isinstance(position, str) and any(len(secret) >= _SECRET_MIN and secret in position for secret in secrets):
        raise SourceBroken(
            _("the place of the next page holds a secret, and cannot be kept"),
            where=label,
            do=_("leave batch_rows out, or send the secret in a header (auth)"),
        )
    return position


def _placed(content: Mapping[str, Any], place: list[str], value: str | int) -> dict[str, Any]:  # Any: JSON values
    if len(place) == 1:
        return {**content, place[0]: value}
    inner = content.get(place[0])
    return {**content, place[0]: _placed(inner if isinstance(inner, Mapping) else {}, place[1:], value)}

"""Pages of a JSON API: the records in one, and where the next one is.

Rules:

1. `none`: one page. If its `Link` header names a next one, reading on was forgotten: `SourceBroken`.
2. `page`: a number that grows by `step` with each request; the first page without records is the end.
3. `cursor`: a value in the page, sent back as a parameter; null, false, empty or absent is the end.
4. `link`: the URL of the next page, from the `Link` header or from a place in the page; it must stay at the origin.
5. What comes twice – a cursor, a URL, a page's records – would come for ever: `SourceBroken`.
6. Records stay the bytes they are; only what stands around them is read.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any

import httpx2
import msgspec
from msgspec import Meta

from lastro.model.errors import LimitExceeded, SourceBroken
from lastro.model.text import _
from lastro.source.fetch import Answer

_HTML = ("text/html", "application/xhtml+xml")
_PLAIN = ("", "text/plain", "application/octet-stream", "text/javascript")
_SHOWN = 10

Text = Annotated[str, Meta(min_length=1)]


class OnePage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="none"):
    """There is one page only."""


class NumberedPages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="page"):
    """Pages by number, or by offset with a `step`. `size_parameter` and `size` ask for that many records a page."""

    parameter: Text = "page"
    start: int = 1
    step: Annotated[int, Meta(ge=1)] = 1
    size_parameter: Text | None = None
    size: Annotated[int, Meta(ge=1)] | None = None


class CursorPages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="cursor"):
    """Pages by a value that each page holds at `path` (`meta.next`), sent back as `parameter`."""

    path: Text
    parameter: Text = "cursor"


class LinkedPages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="link"):
    """Pages by the next one's URL: in the `Link` header, or at `path` in the page."""

    path: Text | None = None


Pagination = OnePage | NumberedPages | CursorPages | LinkedPages


@dataclass(slots=True)
class Trail:
    """What was asked and seen so far."""

    pages: int = 0
    seen: set[str] = field(default_factory=set)

    def meet(self, kind: str, value: bytes, label: str) -> None:
        """Notes something that must be new. Raises `SourceBroken` if it is not (rule 5)."""
        mark = kind + sha256(value).hexdigest()
        if mark in self.seen:
            raise SourceBroken(
                _("the same {kind} came twice, so the pages would never end").format(kind=kind),
                where=label,
                do=_("check `pagination`: does the API know its parameter?"),
            )
        self.seen.add(mark)


def first(url: httpx2.URL, pagination: Pagination) -> httpx2.URL:
    """The URL of the first page."""
    if not isinstance(pagination, NumberedPages):
        return url
    if pagination.size_parameter is not None and pagination.size is not None:
        url = url.copy_set_param(pagination.size_parameter, str(pagination.size))
    return url.copy_set_param(pagination.parameter, str(pagination.start))


def records_in(answer: Answer, path: str, label: str) -> list[msgspec.Raw]:
    """The records of a page, each as its bytes. Raises `SourceBroken`, `LimitExceeded`."""
    if answer.status == 204:
        return []
    body = _json(answer, label)
    raw = _at(body, path, label, required=True)
    if raw is None or raw.strip() == b"null":
        return []
    try:
        records: list[msgspec.Raw] = _decoded(raw, list[msgspec.Raw], label)
    except msgspec.ValidationError:
        raise SourceBroken(
            _("there is no list of records at {path!r}").format(path=path or "."),
            where=label,
            do=_("say where they are: records: data.items; the page has {names}").format(names=_names(raw, label)),
        ) from None
    return records


def following(
    answer: Answer, records: list[msgspec.Raw], pagination: Pagination, trail: Trail, first_url: httpx2.URL, label: str
) -> httpx2.URL | None:
    """The URL of the next page; None if this was the last. Raises `SourceBroken`."""
    trail.pages += 1
    if records:
        trail.meet("page", b"\n".join(bytes(record) for record in records), label)
    match pagination:
        case OnePage():
            if answer.next_link:
                raise SourceBroken(
                    _("there are more pages than this one"), where=label, do=_("add pagination: {type: link}")
                )
            return None
        case NumberedPages(parameter, start, step):
            number = start + step * trail.pages
            return first(first_url, pagination).copy_set_param(parameter, str(number)) if records else None
        case CursorPages(path, parameter):
            value = _scalar(answer, path, label)
            if value is None:
                return None
            trail.meet("cursor", value.encode(), label)
            return first_url.copy_set_param(parameter, value)
        case LinkedPages(path):
            target = answer.next_link if path is None else _scalar(answer, path, label)
            return None if target is None else _linked(answer, target, trail, label)


def _linked(answer: Answer, target: str, trail: Trail, label: str) -> httpx2.URL:
    try:
        url = answer.url.join(target)
    except httpx2.InvalidURL:
        raise SourceBroken(_("the link to the next page is no URL"), where=label, do=_("ask the API's owner")) from None
    trail.meet("link", str(url).encode(), label)
    return url


def _json(answer: Answer, label: str) -> bytes:
    """The body, if it is JSON by its type and its bytes."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = answer.body.removeprefix(codecs.BOM_UTF8)
    if kind in _HTML or body.lstrip()[:1] == b"<":
        raise SourceBroken(
            _("it answered with a page for people (HTML) instead of JSON"),
            where=label,
            do=_("check the URL and the credentials: a login page often looks so"),
        )
    if not kind.endswith("json") and kind not in _PLAIN:
        raise SourceBroken(
            _("it answered with {kind} instead of JSON").format(kind=kind[:60]), where=label, do=_("check the URL")
        )
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise SourceBroken(_("the answer is not UTF-8, as JSON must be"), where=label, do=_("ask its owner")) from None
    return body


def _scalar(answer: Answer, path: str, label: str) -> str | None:
    """The text or number at a place in the page; None for null, false, empty and absent."""
    if answer.status == 204:
        return None
    raw = _at(_json(answer, label), path, label, required=False)
    if raw is None:
        return None
    try:
        value = _decoded(raw, str | int | float | bool | None, label)
    except msgspec.ValidationError:
        raise SourceBroken(
            _("at {path!r} is no text or number").format(path=path), where=label, do=_("correct pagination.path")
        ) from None
    return None if value is None or value is False or value == "" else str(value)


def _at(body: bytes, path: str, label: str, *, required: bool) -> bytes | None:
    """The bytes at a path of keys; None where a key is absent and not required, or a null stands on the way."""
    for key in path.split(".") if path else ():
        if body.strip() == b"null":
            return None
        try:
            members = _decoded(body, dict[str, msgspec.Raw], label)
        except msgspec.ValidationError:
            members = {}
        if key not in members:
            if not required:
                return None
            raise SourceBroken(
                _("there is no {key!r} in the answer").format(key=key),
                where=label,
                do=_("correct `records`; the page has {names}").format(names=_names(body, label)),
            )
        body = bytes(members[key])
    return body


def _decoded(body: bytes, into: Any, label: str) -> Any:  # Any: a type, and a value of it
    """The bytes as that type. Raises `msgspec.ValidationError` if they are JSON of another."""
    try:
        return msgspec.json.decode(body, type=into)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        raise SourceBroken(
            _("the answer is not JSON, or was cut off"), where=label, do=_("ingest again; ask the API's owner")
        ) from None
    except RecursionError:
        raise LimitExceeded(_("the answer is nested too deep"), where=label, do=_("ask the API's owner")) from None


def _names(body: bytes, label: str) -> str:
    try:
        names = sorted(_decoded(body, dict[str, msgspec.Raw], label))
    except msgspec.ValidationError:
        return _("no names")
    return ", ".join(name[:40] for name in names[:_SHOWN]) or _("no names")

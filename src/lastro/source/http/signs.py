"""Signs: what a page says of others, and where its records are, found without being told.

Rules:

1. A sign of more is a name that says so (`next`, `nextCursor`, `has_more`, …) with a value, or a total above the
   number of records, around the records or in a header. Where nothing was said about pages, it is never passed over.
2. A guess is made only where one answer is evident: the one list of objects there is; the next page's URL, in the
   `Link` header or under such a name. All else is asked back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.text import _
from lastro.source.fetch.client import Answer
from lastro.source.http.body import Body, members_of

_LEVELS = 3
_NEXT = frozenset(
    {"next", "nextcursor", "nextpage", "nextpagetoken", "nextpageurl", "nexturl", "nextlink", "nexttoken", "nexthref"}
)
_MORE = frozenset({"hasmore", "hasnext", "hasnextpage", "morepages", "more"})
_TOTALS = frozenset({"total", "totalcount", "totalresults", "totalrecords", "totalitems", "totalsize", "totalelements"})
_NOTHING = (b"null", b"false", b'""', b"[]", b"{}")


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that says that there is more: where it stands, and the next page's URL if it is one."""

    place: str
    url: str | None = None


def more(answer: Answer, found: Body, records: str, count: int) -> list[Sign]:
    """The signs of more pages than this one, which holds `count` records."""
    signs = [Sign("Link")] if answer.next_link else []
    for name, value in answer.headers.items():
        bare = _bare(name.removeprefix("x-"))
        if name.startswith("x-") and ((bare in _NEXT and value.strip()) or (bare in _TOTALS and _above(value, count))):
            signs.append(Sign(name))
    return signs + list(_around(found.content, records, count, "", found.label))


def refuse_more(answer: Answer, found: Body, records: str, count: int) -> None:
    """Raises `SourceBroken` if the page says that it is not the only one."""
    signs = more(answer, found, records, count)
    if signs:
        raise SourceBroken(
            _("there are more pages than this one ({place})").format(place=signs[0].place[:60]),
            where=found.label,
            do=_("add pagination, such as {type: link}; or {type: none}, if this page is all"),
        )


def completed(options: dict[str, Any], answer: Answer, found: Body) -> dict[str, Any]:  # Any: a source's options
    """The options with what is evident from the first page. Raises `ConfigurationError` with a question."""
    if "records" not in options:
        places = list(_lists(found.content, "", found.label))
        if len(places) > 1:
            raise ConfigurationError(
                _("which of these lists holds the records: {places}?").format(places=", ".join(places[:10])),
                where=found.label,
                do=_("add --option records={place}").format(place=places[0]),
            )
        options = {**options, **({"records": places[0]} if places and places[0] else {})}
    if "pagination" in options:
        return options
    place = str(options.get("records", ""))
    _listed, records = found.records(place)
    signs = more(answer, found, place, len(records))
    pagination = _evident(answer, signs)
    if pagination is not None:
        return {**options, "pagination": pagination}
    if signs:
        raise ConfigurationError(
            _("there are more pages, as {place} says, but not how to ask for them").format(place=signs[0].place[:60]),
            where=found.label,
            do=_(
                "add --option pagination.type=page (or offset, cursor, link) and its keys, such as "
                "--option pagination.parameter=NAME; or --option pagination.type=none, if this page is all"
            ),
        )
    return options


def _evident(answer: Answer, signs: list[Sign]) -> dict[str, str] | None:
    if answer.next_link:
        return {"type": "link"}
    links = [sign for sign in signs if sign.url is not None]
    return {"type": "link", "path": links[0].place} if len(links) == 1 else None


def _around(content: bytes, records: str, count: int, here: str, label: str) -> Iterator[Sign]:
    """The signs in an object, but for those inside its records."""
    if not content.lstrip().startswith(b"{") or here.count(".") >= _LEVELS:
        return
    for name, value in members_of(content, label):
        place = f"{here}.{name}" if here else name
        if place == records or value.strip() in _NOTHING:
            continue
        if value.lstrip().startswith(b"{"):
            yield from _around(value, records, count, place, label)
        elif _says_more(name, here, value, count):
            yield Sign(place, _url(value))


def _says_more(name: str, here: str, value: bytes, count: int) -> bool:
    bare = _bare(name)
    if bare in _TOTALS:
        return _above(value.decode(), count)
    if bare in _MORE:
        return value.strip() == b"true"
    is_link_object = bare == "href" and _bare(here.rpartition(".")[2]) in _NEXT
    return (bare in _NEXT or is_link_object) and not value.lstrip().startswith(b"[")


def _url(value: bytes) -> str | None:
    text: Any = msgspec.json.decode(value)  # Any: a JSON value
    return text if isinstance(text, str) and text.startswith(("https://", "http://", "/", "?")) else None


def _lists(content: bytes, here: str, label: str) -> Iterator[str]:
    """Where lists of objects are; the page itself is the empty place."""
    start = content.lstrip()[:1]
    if start == b"[":
        if not here or _holds_objects(content):
            yield here
    elif start == b"{" and here.count(".") < _LEVELS:
        for name, value in members_of(content, label):
            yield from _lists(value, f"{here}.{name}" if here else name, label)


def _holds_objects(content: bytes) -> bool:
    items = msgspec.json.decode(content, type=list[msgspec.Raw])
    return bool(items) and all(bytes(item).lstrip()[:1] == b"{" for item in items)


def _bare(name: str) -> str:
    return name.rpartition(".")[2].replace("_", "").replace("-", "").replace("@", "").lower()


def _above(text: str, count: int) -> bool:
    text = text.strip().strip('"')
    return text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > count

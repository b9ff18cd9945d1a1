"""An answer's body: whether it is JSON at all, and what stands where in it.

Rules:

1. JSON by its type and its bytes: HTML with status 200, another type, broken UTF-8 and cut-off texts are refused.
2. A page that has an error in it is one, whatever its status says.
3. Records stay the bytes they are; only what stands around them is read, once.
4. A name that occurs twice around the records has no one meaning: refused.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lastro.model.errors import LimitExceeded, SourceBroken
from lastro.model.text import _
from lastro.source.fetch.client import Answer
from lastro.source.http import exact

_HTML = ("text/html", "application/xhtml+xml")
_PLAIN = ("", "text/plain", "application/octet-stream", "text/javascript")
_SHOWN = 10
_ERRORS = ("error", "errors")
_NO_ERROR = (b"null", b"false", b'""', b"[]", b"{}", b"0")

Members = dict[str, msgspec.Raw]


@dataclass(slots=True)
class Body:
    """The body of one answer, taken apart as far as it was asked about."""

    content: bytes
    label: str
    known: dict[str, Members | None] = field(default_factory=dict)

    def records(self, path: str) -> tuple[bytes, list[msgspec.Raw]]:
        """The list at a path, as its bytes and as its items' bytes. Raises `SourceBroken`, `LimitExceeded`."""
        if not self.content:
            return b"[]", []
        self._refuse_error()
        raw = self.at(path, required=True)
        if raw is None or raw.strip() == b"null":
            return b"[]", []
        try:
            found: list[msgspec.Raw] = decoded(raw, list[msgspec.Raw], self.label)
        except msgspec.ValidationError:
            raise SourceBroken(
                _("there is no list of records at {path!r}").format(path=path or "."),
                where=self.label,
                do=_("say where they are: records: data.items; the page has {names}").format(
                    names=shown_names(raw, self.label)
                ),
            ) from None
        return raw, found

    def scalar(self, path: str) -> str | int | None:
        """The text or number at a place, whole numbers as such; None for null, false, empty and absent.

        Raises `SourceBroken`.
        """
        raw = self.at(path, required=False)
        if raw is None:
            return None
        try:
            value = decoded(raw, str | int | float | bool | None, self.label)
        except msgspec.ValidationError:
            raise SourceBroken(
                _("at {path!r} is no text or number").format(path=path), where=self.label, do=_("correct the path")
            ) from None
        if value is None or value is False or value == "":
            return None
        return value if type(value) is int else str(value)

    def flag(self, path: str) -> bool:
        """The flag at a place; it must be there, else a wrong path would end the reading in silence."""
        raw = self.at(path, required=False)
        match None if raw is None else raw.strip():
            case b"true" | b"1":
                return True
            case b"false" | b"0" | b"null":
                return False
            case _:
                raise SourceBroken(
                    _("at {path!r} is no true or false").format(path=path),
                    where=self.label,
                    do=_("correct pagination.has_more; the page has {names}").format(
                        names=shown_names(self.content, self.label)
                    ),
                )

    def at(self, path: str, *, required: bool) -> bytes | None:
        """The bytes at a path of keys; None where a key is absent and not required, or a null stands on the way.

        A key may have dots in it (`@odata.nextLink`): the longest that is there is taken.
        """
        here, content, left = "", self.content, path.split(".") if path else []
        while left:
            if not content or content.strip() == b"null":
                return None
            members = self._members(here, content) or {}
            count = next((n for n in range(len(left), 0, -1) if ".".join(left[:n]) in members), 0)
            if not count:
                if not required:
                    return None
                raise SourceBroken(
                    _("there is no {key!r} in the answer").format(key=left[0]),
                    where=self.label,
                    do=_("correct `records`; the page has {names}").format(names=shown_names(content, self.label)),
                )
            key, left = ".".join(left[:count]), left[count:]
            here, content = f"{here}.{key}", bytes(members[key])
        return content

    def _members(self, here: str, content: bytes) -> Members | None:
        if here not in self.known:
            try:
                found: Members | None = decoded(content, Members, self.label)
            except msgspec.ValidationError:
                found = None
            if found is not None and not _is_all(content, found):
                exact.refuse_repeated_names(content, self.label)
            self.known[here] = found
        return self.known[here]

    def _refuse_error(self) -> None:
        members = None if self.content.lstrip()[:1] != b"{" else self._members("", self.content)
        for name in _ERRORS if members else ():
            if members and bytes(members.get(name, b"null")).strip() not in _NO_ERROR:
                raise SourceBroken(
                    _("the answer holds an error ({name}), though its status says that all is well").format(name=name),
                    where=self.label,
                    do=_("look at what the API answers to this request, for instance with curl"),
                )


def body(answer: Answer, label: str) -> Body:
    """The body, if it is JSON by its type and its bytes. Raises `SourceBroken`."""
    if answer.status == 204:
        return Body(b"", label)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = answer.body.removeprefix(codecs.BOM_UTF8)
    if kind in _HTML or content[:64].lstrip()[:1] == b"<":
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
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise SourceBroken(_("the answer is not UTF-8, as JSON must be"), where=label, do=_("ask its owner")) from None
    if not content.strip():
        raise cut_off(label)
    return Body(content, label)


def decoded(content: bytes, into: Any, label: str) -> Any:  # Any: a type, and a value of it
    """The bytes as that type. Raises `msgspec.ValidationError` if they are JSON of another, `SourceBroken`."""
    try:
        return msgspec.json.decode(content, type=into)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        raise cut_off(label) from None
    except RecursionError:
        raise too_deep(label) from None


def cut_off(label: str) -> SourceBroken:
    """The error for what is no JSON."""
    return SourceBroken(
        _("the answer is not JSON, or was cut off"), where=label, do=_("ingest again; ask the API's owner")
    )


def too_deep(label: str) -> LimitExceeded:
    """The error for JSON that is nested beyond all use."""
    return exact.too_deep(label)


def shown_names(content: bytes, label: str) -> str:
    """The names of an object's members, for a person to choose from."""
    try:
        names = sorted(decoded(content, Members, label))
    except msgspec.ValidationError:
        return _("no names")
    return ", ".join(name[:40] for name in names[:_SHOWN]) or _("no names")


def members_of(content: bytes, label: str) -> Iterator[tuple[str, bytes]]:
    """Names and values of an object; nothing for anything else."""
    try:
        found: Members = decoded(content, Members, label)
    except msgspec.ValidationError:
        return
    yield from ((name, bytes(raw)) for name, raw in found.items())


def _is_all(content: bytes, members: Members) -> bool:
    """False if the object may hold more than these members: then one of the names occurs twice.

    Around a value stand its name, two quotes, a colon, a comma, and one blank after each of the last two.
    """
    held = sum(len(raw) + len(name.encode()) + 6 for name, raw in members.items())
    return len(content) <= held + 2

"""What `lastro.yaml` may say of a source of kind `http`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lastro.source.options import SourceOptions

_PAGES_MAX = 10_000
_BYTES_MAX = 64 << 20

Scalar = str | int | float | bool
Text = Annotated[str, Meta(min_length=1)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


class OnePage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="none"):
    """There is one page only."""


class NumberedPages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="page"):
    """Pages by number. `size_parameter` and `size` ask for that many records a page; `has_more` is the place of a flag
    in the page that says whether there is another one; `end: total` stops where the declared total is reached;
    `parallel` pages are fetched at once.
    """

    parameter: Text = "page"
    start: Annotated[int, Meta(ge=0)] = 1
    step: Positive = 1
    size_parameter: Text | None = None
    size: Positive | None = None
    has_more: Text | None = None
    end: Literal["empty", "total"] = "empty"
    parallel: Annotated[int, Meta(ge=1, le=32)] = 1


class OffsetPages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="offset"):
    """Pages by how many records come before: `limit` of them a page, asked for by `limit_parameter`."""

    limit: Positive
    parameter: Text = "offset"
    limit_parameter: Text = "limit"
    start: Annotated[int, Meta(ge=0)] = 0
    has_more: Text | None = None
    end: Literal["empty", "total"] = "empty"
    parallel: Annotated[int, Meta(ge=1, le=32)] = 1


class CursorPages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="cursor"):
    """Pages by a value that each answer holds, at `path` in the page or in the `header`, sent back as `parameter`."""

    path: Text | None = None
    header: Text | None = None
    parameter: Text = "cursor"
    has_more: Text | None = None


class LinkedPages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="link"):
    """Pages by the next one's URL: in the `Link` header, or at `path` in the page."""

    path: Text | None = None


Pagination = OnePage | NumberedPages | OffsetPages | CursorPages | LinkedPages


class HeaderAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="header"):
    """A secret in a header of its own."""

    name: Text
    value: Text


class BearerAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="bearer"):
    """`Authorization: Bearer …`."""

    token: Text


class BasicAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="basic"):
    """An account and its password."""

    user: Text
    password: str


class ParameterAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="parameter"):
    """A secret in the URL."""

    name: Text
    value: Text


class OAuth2(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="oauth2"):
    """The client credentials grant of RFC 6749: a token from `token_url`, renewed before it expires. `client_auth` says
    how the client proves itself there; `parameters` are sent along (`audience`).
    """

    token_url: Text
    client_id: Text
    client_secret: Text
    scopes: tuple[Text, ...] = ()
    client_auth: Literal["basic", "body"] = "basic"
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


Auth = HeaderAuth | BearerAuth | BasicAuth | ParameterAuth | OAuth2


class Incremental(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask only for what is new: the greatest value at `path` in the records read so far, less `lag`, is sent as
    `parameter`, written in `format`. `start` is sent the first time.
    """

    parameter: Text
    path: Text
    start: Text | int | None = None
    lag: Annotated[float, Meta(ge=0)] = 0
    format: Literal["as_is", "iso", "date", "epoch", "epoch_ms"] = "as_is"


class FuseOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After how many failures in a row a host is left in peace, and for how long."""

    failures: Positive = 10
    pause_s: Annotated[float, Meta(gt=0, le=86_400)] = 60


class HttpOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `http`. What is asked: `url`, `parameters`, `headers`, `body` (a POST); by whom: `auth`.

    Where things are: `records` is the path to the list (`data.items`; the page itself if empty), `total` to how many
    records there are (or `header:NAME`), `key` to what identifies a record; `optional` names fields that may be absent.
    `allow_no_content` says that `204` means no records, even where that empties the dataset.
    How far: `pagination`, `incremental`, and `batch_rows`, after which a reading stops to be committed. Limits:
    `rate_limit` (`5/second`), the time-outs, `retries`, `circuit`, `pages_max`, `page_bytes_max`; `allow_hosts` need
    not be public.
    """

    url: Annotated[str, Meta(min_length=1)]
    records: str = ""
    pagination: Pagination | None = None
    auth: Auth | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    parameters: dict[str, Scalar] = msgspec.field(default_factory=dict)
    body: dict[str, Any] | None = None  # Any: JSON values
    total: Text | None = None
    key: Text | None = None
    optional: tuple[str, ...] = ()
    allow_no_content: bool = False
    incremental: Incremental | None = None
    batch_rows: Positive | None = None
    rate_limit: Annotated[str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?/(second|minute|hour)$")] | None = None
    timeout_s: Seconds = 30
    connect_timeout_s: Seconds = 10
    read_timeout_s: Seconds = 30
    retries: Annotated[int, Meta(ge=0, le=100)] = 5
    circuit: FuseOptions = FuseOptions()
    allow_hosts: tuple[str, ...] = ()
    pages_max: Positive = _PAGES_MAX
    page_bytes_max: Annotated[int, Meta(ge=1, le=1 << 30)] = _BYTES_MAX

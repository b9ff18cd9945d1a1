"""Options of the kind `logs`, as `lastro.yaml` has them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lastro.source.logs.following import FollowOptions

Text = Annotated[str, Meta(min_length=1, max_length=20_000)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]


class PairsOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands between pairs, and within one."""

    between: Annotated[str, Meta(min_length=1, max_length=3)] = " "
    within: Annotated[str, Meta(min_length=1, max_length=3)] = "="


class DelimitedOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values with a delimiter between them; `missing` are texts that stand for none."""

    columns: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=500)]
    delimiter: Annotated[str, Meta(min_length=1, max_length=3)] = ","
    quote: Literal['"', ""] = '"'
    missing: tuple[Text, ...] = ()


class LineFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A format of one's own, told in one of these ways; `patterns` belongs to `grok`."""

    pattern: Text | None = None
    nginx: Text | None = None
    apache: Text | None = None
    grok: Text | None = None
    patterns: dict[Name, Text] | None = None
    pairs: PairsOptions | None = None
    delimited: DelimitedOptions | None = None


class MultilineOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines make one record: it starts at a line that matches `start`, or goes on with those that `continues`
    matches.
    """

    start: Text | None = None
    continues: Text | None = None
    bytes_max: Annotated[int, Meta(ge=1_000, le=16 << 20)] = 1 << 20


Named = Literal["combined", "common", "json", "logfmt", "rfc3164", "rfc5424"]


class LogsOptions(FollowOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `logs`: where the files are, and how their lines are written.

    `encoding` is UTF-8, or one of a byte a character. `times` tells how columns write their moments (strptime notation,
    `epoch` and its like, `iso8601`), `zone` where clocks stood whose zone no text tells, `year` the year of times
    without one.
    """

    format: Named | LineFormat = "combined"
    multiline: MultilineOptions | None = None
    encoding: str = "utf-8"
    times: dict[Name, Text] | None = None
    zone: Text | None = None
    year: Annotated[int, Meta(ge=1970, le=9999)] | None = None

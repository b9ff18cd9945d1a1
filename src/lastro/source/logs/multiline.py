"""Records of several lines in a log that is still written: which bytes at its end belong to one that may go on.

Rules:

1. A record may go on until another begins. The last one waits, and so does a line without its line feed.
2. A record beyond its limit is set aside line by line whatever comes: it waits no longer.
3. What begins a record is decided as the engine decides it: by the line's text, in which a byte that is none of the
   encoding's is some character.
"""

from __future__ import annotations

from collections.abc import Callable

from lastro.engine.scan import Joining
from lastro.model.errors import ConfigurationError
from lastro.model.text import _


def open_record(joining: Joining, *, encoding: str = "utf-8") -> Callable[[bytes], int]:
    """A function of a log's last bytes, the first line of which may be cut at its beginning: how many of them belong to
    a record that may go on; all of them if none begins in them.

    The function raises `ConfigurationError` for a pattern that RE2 does not have.
    """

    def unfinished(tail: bytes) -> int:
        end = tail.rfind(b"\n") + 1
        begin = tail.find(b"\n") + 1
        place = _last(tail[begin:end], joining, encoding) if begin < end else None
        if place is not None:
            return len(tail) - begin - place
        return len(tail) - end if len(tail) > joining.bytes_max else len(tail)

    return unfinished


def _last(text: bytes, joining: Joining, encoding: str) -> int | None:
    """Where the last of these whole lines begins that begins a record."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lines = text.split(b"\n")[:-1]
    values = pa.array([line.removesuffix(b"\r").decode(encoding, "replace") for line in lines], pa.string())
    try:
        matches = pc.match_substring_regex(values, joining.pattern).to_pylist()
    except pa.ArrowInvalid:
        raise ConfigurationError(
            _("multiline: the pattern is no regular expression of RE2"), do=_("correct the source's `pattern`")
        ) from None
    begins = [number for number, matched in enumerate(matches) if matched is joining.starts]
    return sum(len(line) + 1 for line in lines[: begins[-1]]) if begins else None

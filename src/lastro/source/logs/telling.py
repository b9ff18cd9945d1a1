"""What is said of logs beside their lines: what was lost, what waits, and what cannot be told.

Rules:

1. Of what concerns many files, the first is named, and the others are counted.
2. A file in doubt is named when it is read; what waits, and what is taken for a known log, as long as it is so.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from lastro.model.text import _, ngettext
from lastro.source.logs.marks import LogMark
from lastro.source.logs.recognition import Alike, Recognised


def said_of_lost(mark: LogMark, path: str) -> str:
    """What is lost, or may be, of a log that is gone."""
    if mark.size > mark.offset:
        return ngettext(
            "{name} is gone before it was read to its end: at least {count:,} byte is lost",
            "{name} is gone before it was read to its end: at least {count:,} bytes are lost",
            mark.size - mark.offset,
        ).format(name=mark.name, count=mark.size - mark.offset)
    return _(
        "{name} was read up to byte {offset:,}, and no file that {path} takes in holds this any more: lines "
        "written after it may be lost"
    ).format(name=mark.name, offset=mark.offset, path=path)


def said_of_doubt(known: Recognised, *, read: Container[str] | None = None) -> tuple[str, ...]:
    """Which files cannot be told from copies of others, of all or of those that are `read`."""
    doubt = [alike for alike in known.doubt if read is None or alike.name in read]
    again = [alike for alike in doubt if alike.name == alike.other]
    other = [alike for alike in doubt if alike.name != alike.other]
    return (
        *_of_all(
            again,
            _(
                "{name} is another file than before and begins with the {size:,} bytes that were read, which are too "
                "few to tell whether it is the same log: it is read as a new one"
            ),
        ),
        *_of_all(
            other,
            _(
                "{name} and {other} begin with the same {size:,} bytes, too few to tell whether one is a copy: each is "
                "read as a log of its own"
            ),
        ),
    )


def said_of_rest(known: Recognised, waiting: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """What is not read: taken for a known log, perhaps a copy being made, or the beginning of a record."""
    wait = [Alike(name, "", size) for name, size in waiting]
    return (
        *_of_all(
            known.taken,
            _(
                "{name} is taken for {other}, as it begins with the {size:,} bytes that were read: they are not read "
                "again"
            ),
        ),
        *_of_all(
            known.copying,
            _("{name} waits for a minute: it may be a copy of {other} that is being made, and holds no more"),
        ),
        *_of_all(
            wait,
            _(
                "the last {size:,} bytes of {name} wait for a later ingestion: the line, or the record of several "
                "lines, may go on"
            ),
        ),
    )


def _of_all(alike: Sequence[Alike], text: str) -> tuple[str, ...]:
    if not alike:
        return ()
    first = alike[0]
    said = text.format(name=first.name, other=first.other or _("a log that ended"), size=first.size)
    more = len(alike) - 1
    if more:
        said += "; " + ngettext("and so it is with {count:,} more", "and so it is with {count:,} more", more).format(
            count=more
        )
    return (said,)

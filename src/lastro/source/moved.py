"""A source that is the same in a new place: the cursor of its former label becomes its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lastro.model.errors import SourceChanged
from lastro.source.options import Struct, read_cursor, write_cursor
from lastro.source.protocol import Cursor, Handed


def newest(earlier: Mapping[str, Cursor], into: type[Struct], as_own: Callable[[Struct], Struct]) -> Handed | None:
    """The newest cursor that is of the kind `into`, made the source's own; None if there is none."""
    for label, found in of_kind(earlier, into):
        return Handed(write_cursor(as_own(found)), (label,))
    return None


def of_kind(earlier: Mapping[str, Cursor], into: type[Struct]) -> Iterator[tuple[str, Struct]]:
    """The cursors that a source of this kind wrote, and their labels."""
    for label, cursor in earlier.items():
        try:
            yield label, read_cursor(cursor, into, label)
        except SourceChanged:  # another kind of source wrote it
            continue

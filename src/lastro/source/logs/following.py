"""Logs that are followed while they grow and are rotated.

Rules:

1. `append` follows: of each log it reads what came after the last commit (`recognition`, `pieces`). The other modes
   read all files whole, as `files` does, and know nothing of rotation.
2. What was read must still be there after it was read: the same file, with the same beginning and the same end of what
   was read. Growing is no change.
3. The cursor of a log is its content's (`marks`); a log's rows and its new mark are in one commit.
4. Lines that were lost because a file went away before it was read are told with every run until the next commit; with
   `on_loss: refuse` nothing is read before somebody saw to it.
5. Files that cannot be told from copies are read and told; with `on_doubt: refuse` nothing is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from lastro.engine.scan import FileFormat, FileScan, Span
from lastro.model.errors import SourceBroken, SourceChanged, SourceUnreachable
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source.files.formats import reading_of
from lastro.source.files.known import Bounds
from lastro.source.files.known import handed as known_whole
from lastro.source.files.matching import Found, find, look
from lastro.source.files.source import FilesSource
from lastro.source.logs import evidence, names
from lastro.source.logs.content import EDGE_BYTES, Log, changed, hashed
from lastro.source.logs.earlier import upgraded
from lastro.source.logs.marks import Entry, LogMark, handed, read_marks, short_hash, stamp, to_cursor
from lastro.source.logs.pieces import Piece, Pieces, Unfinished, open_line, pieces
from lastro.source.logs.recognition import Recognised, Told, check_waiting, recognise
from lastro.source.logs.telling import said_of_doubt, said_of_lost, said_of_rest
from lastro.source.options import SourceOptions, write_cursor
from lastro.source.protocol import Cursor, Handed, Opened, Unchanged

_LOOKS = 5


class FollowOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where log files are: `path`, a path or glob that takes in the rotated ones; how much one batch takes of them; and
    what to do where lines were lost, or might be read twice.
    """

    path: Annotated[str, Meta(min_length=1)]
    batch_files: Annotated[int, Meta(ge=1)] = 5_000
    batch_bytes: Annotated[int, Meta(ge=1)] = 1 << 30
    on_loss: Literal["note", "refuse"] = "note"
    on_doubt: Literal["note", "refuse"] = "note"


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Log files of one format; `append` follows them."""

    path: str
    base: Path
    format: FileFormat
    kind: str = "logs"
    bounds: Bounds = field(default_factory=Bounds)
    on_loss: Literal["note", "refuse"] = "note"
    on_doubt: Literal["note", "refuse"] = "note"
    unfinished: Unfinished = open_line

    @property
    def label(self) -> str:
        """The path or glob, as it was given."""
        return self.path

    @property
    def reading(self) -> str:
        """The identity of how the files are read."""
        return reading_of(self.format)

    def moved(self, earlier: Mapping[str, Cursor], *, same: bool) -> Handed | None:
        """What is known of logs under other paths: they are recognised by what they hold."""
        del same
        return handed(earlier) or known_whole(earlier)

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A scan of what to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`."""
        if mode is Mode.APPEND:
            yield self._followed(cursor)
            return
        whole = FilesSource(self.path, self.base, self.format, self.kind, self.bounds)
        if cursor is not None and "follows" in cursor:
            read_marks(cursor, self.label)
            cursor = None
        with whole.open(cursor, mode) as opened:
            yield opened

    def _followed(self, cursor: Cursor | None) -> Opened | Unchanged:
        found = [Log(file) for file in self._found()]
        marks, entries = self._marks(cursor, found)
        known = recognise(found, marks, entries, moved=bool(cursor and cursor.get("moved")))
        now = pieces(known.logs, self.bounds, self.unfinished)
        for log in now.torn:
            check_waiting(log, found)
        lost, read = self._lost(known.lost), {piece.log.name for piece in now.read}
        self._refuse_doubt(known)
        notes = (*lost, *said_of_doubt(known, read=read), *said_of_rest(known, now.waiting))
        if not now.read:
            return Unchanged(notes=notes)
        return Opened(
            scan=FileScan(
                tuple(piece.log.found.path for piece in now.read),
                self.format,
                tuple(Span(piece.begin, piece.end) for piece in now.read),
            ),
            watermark=lambda: self._watermark(known, now),
            label=self.label,
            notes=notes,
            more=lambda: now.more,
        )

    def _marks(self, cursor: Cursor | None, found: Sequence[Log]) -> tuple[Sequence[LogMark], Sequence[Entry]]:
        if cursor is None:
            return (), ()
        return (upgraded(cursor, self.label, found), ()) if "reading" in cursor else read_marks(cursor, self.label)

    def _found(self) -> tuple[Found, ...]:
        """The files, looked for until nothing moved between two looks: a rotation may be on its way."""
        before: set[tuple[str, int]] | None = None
        for attempt in range(_LOOKS):
            try:
                found = find(self.path, self.base)
            except SourceUnreachable:
                if attempt == _LOOKS - 1:
                    raise
                continue
            for file in found:
                _refuse_foreign(file.name)
            now = {(file.name, file.inode) for file in found}
            if now == before:
                break
            before = now
        return found

    def _lost(self, lost: Sequence[LogMark]) -> tuple[str, ...]:
        said = [said_of_lost(mark, self.path) for mark in lost]
        if said and self.on_loss == "refuse":
            raise SourceChanged(
                "; ".join(said),
                where=self.label,
                do=_("restore the file, or set on_loss: note and ingest to go on without those lines"),
            )
        return tuple(said)

    def _refuse_doubt(self, known: Recognised) -> None:
        if known.doubt and self.on_doubt == "refuse":
            raise SourceChanged(
                "; ".join(said_of_doubt(known)),
                where=self.label,
                do=_("take copies out of the path and keep new logs there, then set on_doubt: note and ingest"),
            )

    def _watermark(self, known: Recognised, now: Pieces) -> Cursor:
        for piece in now.read:
            self._check(piece)
        read = {piece.log.name: piece for piece in now.read}
        logs: list[LogMark] = list(known.waits)
        ended = list(known.gone)
        for told in known.logs:
            after = _after(told, read.get(told.log.name))
            if isinstance(after, LogMark):
                logs.append(after)
            elif after is not None:
                ended.append(after)
        return write_cursor(to_cursor(logs, ended))

    def _check(self, piece: Piece) -> None:
        """Raises `SourceChanged` if what was read is not what stands there now (rule 2)."""
        file = piece.log.found
        try:
            now = look(file.name, self.base, self.path)
        except SourceUnreachable:
            now = None
        if now is None or (now.device, now.inode) != (file.device, file.inode) or now.size < file.size:
            raise changed(file.name)
        if piece.log.packed:
            if (now.size, now.mtime_ns) != (file.size, file.mtime_ns):
                raise changed(file.name)
            return
        again = Log(now)
        if (hashed(again.head(min(piece.end, EDGE_BYTES))), again.edge(piece.end)) != (piece.head, piece.edge):
            raise changed(file.name)


def _refuse_foreign(name: str) -> None:
    if name.endswith(names.FOREIGN):
        raise SourceBroken(
            _("{name} is compressed in a way that is not read").format(name=name),
            do=_("let the rotation use gzip or zstd, or write a path that leaves such files out"),
        )


def followed(
    given: FollowOptions,
    base: Path,
    form: FileFormat,
    *,
    unfinished: Unfinished = open_line,
) -> LogFiles:
    """The source that follows these files."""
    bounds = Bounds(given.batch_files, given.batch_bytes)
    on = {"on_loss": given.on_loss, "on_doubt": given.on_doubt}
    return LogFiles(given.path, base, form, bounds=bounds, unfinished=unfinished, **on)


def _after(told: Told, read: Piece | None) -> LogMark | Entry | None:
    """What is known of a log after its piece, if any, was read; None if nothing is."""
    log, file = told.log, told.log.found
    if read is not None:
        offset, head, edge = read.end, read.head, read.edge
    elif told.known is not None:
        offset, head, edge = told.known.offset, told.known.head, told.known.edge
    else:
        return None
    if told.rests or (told.ended and log.ends_at(offset)):
        hashes = evidence.file_hash(log), short_hash(file.name)
        return Entry(stamp(file), offset, head, edge, *hashes, mtime_s=file.mtime_ns // 10**9)
    return LogMark(file.name, offset, head, edge, file.device, file.inode, log.length, log.born_ns)

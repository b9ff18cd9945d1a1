"""Files: CSV, JSON lines and Parquet, by path or glob, plain or compressed.

Rules:

1. The engine reads the files; here they are only found, told apart and watched.
2. `append` reads files that were never seen. A seen file that is another now is refused: which of its rows are new
   cannot be known, so one growing file needs `upsert` or `overwrite`.
3. `overwrite` and `upsert` read all files if any of them changed, is new or is gone.
4. Nothing is unchanged by guess: equal size and modification time, or an equal digest, prove it. If the options that
   say how to read a file changed, `overwrite` and `upsert` read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lastro.engine.scan import FileFormat, FileScan
from lastro.model.version import Mode
from lastro.source.files.formats import FilesOptions, bounds_of, format_of, reading_of
from lastro.source.files.known import Bounds, Known, choose, handed, known_files
from lastro.source.files.matching import Found, find
from lastro.source.files.reading import Hasher, hashing, marks_after
from lastro.source.location import REMOTE
from lastro.source.options import read_options, write_cursor
from lastro.source.protocol import Cursor, Handed, Opened, Source, Unchanged


@dataclass(frozen=True, slots=True)
class FilesSource:
    """Files of one format."""

    path: str
    base: Path
    format: FileFormat
    kind: str = "files"
    bounds: Bounds = field(default_factory=Bounds)

    @property
    def label(self) -> str:
        """The path or glob, as it was given."""
        return self.path

    @property
    def reading(self) -> str:
        """The identity of how the files are read."""
        return reading_of(self.format)

    def moved(self, earlier: Mapping[str, Cursor], *, same: bool) -> Handed | None:
        """What is known of files under other paths: they are recognised by what they hold."""
        del same
        return handed(earlier)

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A scan of the files to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`."""
        known = known_files(cursor, self.label)
        found = find(self.path, self.base)
        with hashing() as hasher:
            choice = choose(found, known, mode, hasher, bounds=self.bounds, reading=self.reading)
            if not choice.read:
                yield Unchanged()
                return
            hasher.begin(choice.read)
            before = known if mode is Mode.APPEND else Known(None)
            yield Opened(
                scan=FileScan(tuple(file.path for file in choice.read), self.format),
                watermark=lambda: self._watermark((*choice.read, *choice.proven), before, hasher),
                label=self.label,
                notes=choice.notes(len(found)),
                more=lambda: choice.left > 0,
            )

    def _watermark(self, files: Sequence[Found], before: Known, hasher: Hasher) -> Cursor:
        marks = marks_after(files, self.base, self.path, hasher)
        return write_cursor(before.with_marks(marks, self.reading))


def files_source(options: Mapping[str, Any], base: Path) -> Source:  # Any: a person's YAML values
    """The source of kind `files`, wherever they are. Raises `ConfigurationError`."""
    scheme = str(options.get("path", "")).partition("://")[0].lower()
    if scheme in REMOTE and "://" in str(options["path"]):
        return _remote(options, base, scheme)
    given = read_options(options, FilesOptions)
    return FilesSource(given.path, base, format_of(given), bounds=bounds_of(given, Bounds()))


def _remote(options: Mapping[str, Any], base: Path, scheme: str) -> Source:  # Any: a person's YAML values
    if scheme in ("http", "https"):
        from lastro.source.files.web import web_files

        return web_files(options, base)
    from lastro.source.files.objects import object_files

    return object_files(options, base, scheme)

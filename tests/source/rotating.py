"""A service that writes a log, whatever rotates it, and somebody who follows it: real files, real renames.

Every line that is ever written has a number of its own, so that what was read can be compared with what was written;
and moments, as logs have them, by which a short log is known.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from collections import Counter
from pathlib import Path

from lastro.engine.duck import feed
from lastro.model.errors import SourceChanged
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.protocol import Unchanged


class Service:
    """Writes lines to `app.log` and keeps the file open, as services do, until it is told to open it again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app.log"
        self.written: list[bytes] = []
        self.begun = b""
        self._count = 0
        self._file = self.path.open("ab", buffering=0)

    def write(self, lines: int, *, size: int = 12) -> None:
        """Whole lines; the first ends what was begun."""
        for _line in range(lines):
            text = self.begun + self._next(size)
            self._file.write(text[len(self.begun) :] + b"\n")
            self.written.append(text)
            self.begun = b""

    def begin(self) -> None:
        """The beginning of a line."""
        if not self.begun:
            self.begun = self._next(8)
            self._file.write(self.begun)

    def end(self) -> None:
        """The rest of the line that was begun."""
        if self.begun:
            self.write(1)

    def reopen(self) -> None:
        """What a service does when it is told that its log was rotated; a line that was begun stays as it is."""
        self._file.close()
        self.leave()
        self._file = self.path.open("ab", buffering=0)

    def leave(self) -> None:
        """Gives up the line that was begun: it is a line without its end."""
        if self.begun:
            self.written.append(self.begun)
        self.begun = b""

    def close(self) -> None:
        """The service ends."""
        self._file.close()
        self.leave()

    def _next(self, size: int) -> bytes:
        self._count += 1
        begun = 1_769_850_000 + self._count
        return b"%d %d %d %s;" % (begun, begun + 1, self._count, b"x" * size)


class Rotation:
    """What happens to the files of a log: each method is one real step."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.live = folder, folder / "app.log"
        self.day = 0

    def shift(self) -> None:
        """Makes room for a new `app.log.1`."""
        kept = [path for path in self.numbered() if path.suffix != ".tmp"]
        for path in reversed(kept):
            number, packed = _number(path)
            path.rename(self.folder / f"app.log.{number + 1}{packed}")

    def numbered(self) -> list[Path]:
        """The files rotated by number, the newest first."""
        found = [path for path in self.folder.glob("app.log.*") if path.name.split(".")[2].isdigit()]
        return sorted(found, key=_number)

    def rotated(self) -> list[Path]:
        """All files that were rotated away, the oldest first."""
        dated = sorted(self.folder.glob("app.log-*"))
        return [*dated, *reversed(self.numbered())]

    def rename(self) -> None:
        """`app.log` becomes `app.log.1`."""
        self.shift()
        self.live.rename(self.folder / "app.log.1")

    def rename_dated(self) -> None:
        """`app.log` becomes `app.log-20260101` and so on."""
        self.day += 1
        self.live.rename(self.folder / f"app.log-{20260100 + self.day}")

    def copy(self, *, part: float = 1.0) -> None:
        """The first half of copytruncate; with `part`, only so much of the copy is there yet."""
        self.shift()
        time.sleep(0.01)  # a copy is younger than what it copies, by more than a tick of the clock
        content = self.live.read_bytes()
        (self.folder / "app.log.1").write_bytes(content[: int(len(content) * part)])

    def truncate(self) -> None:
        """The second half, once the copy is whole."""
        (self.folder / "app.log.1").write_bytes(self.live.read_bytes())
        os.truncate(self.live, 0)

    def pack(self, path: Path, *, done: bool = True) -> None:
        """Compresses a rotated file; if not `done`, only a part is written, and the original is there."""
        content = gzip.compress(path.read_bytes())
        target = path.with_name(path.name + ".gz")
        target.write_bytes(content if done else content[: max(1, len(content) // 2)])
        if done:
            shutil.copystat(path, target)
            path.unlink()

    def restore(self, path: Path) -> None:
        """Another file with the same content and time, as from a backup; the old one's inode may be used again."""
        shutil.copy2(path, self.folder / "restored.tmp")
        (self.folder / "restored.tmp").replace(path)

    def age(self, seconds: int = 120) -> None:
        """Time goes by."""
        for path in self.folder.iterdir():
            status = path.stat()
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - seconds * 10**9))

    def even(self) -> None:
        """All files get the same time, as from a coarse clock or a copy of the whole folder."""
        files = list(self.folder.iterdir())
        latest = max(path.stat().st_mtime_ns for path in files)
        for path in files:
            os.utime(path, ns=(latest, latest))


def _number(path: Path) -> tuple[int, str]:
    _app, _log, number, *packed = path.name.split(".")
    return int(number), "".join(f".{each}" for each in packed)


class Follower:
    """Reads what is new, as the pipeline does, and keeps cursor and lines only where it commits."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.options = {"kind": "logs", "path": "app.log*", "format": {"pattern": "(?P<line>.*)"}, **options}
        self.folder = folder
        self.cursor: dict[str, object] | None = None
        self.lines: list[bytes] = []
        self.notes: list[str] = []
        self.more = False

    def step(self, *, commit: bool = True, meanwhile: object = None) -> bool:
        """One batch; False if nothing was new. `meanwhile` happens after it was read."""
        with create(self.options, base=self.folder).open(self.cursor, Mode.APPEND) as opened:
            if isinstance(opened, Unchanged):
                return False
            taken = []
            for path, span in opened.scan.parts():
                text = b"".join(feed.raw_blocks(path, span=span))
                taken += text.removesuffix(b"\n").split(b"\n")
            if callable(meanwhile):
                meanwhile()
            try:
                cursor = json.loads(json.dumps(opened.watermark()))
            except SourceChanged:
                return True
            self.more = opened.more()
            if commit:
                self.cursor, self.lines = cursor, self.lines + taken
                self.notes += opened.notes
        return True

    def catch_up(self) -> None:
        """Reads as long as there is more, as one ingestion does; then nothing is new."""
        for _batch in range(10_000):
            if not self.step() or not self.more:
                assert not self.step(), "there was more than was told"
                return
        raise AssertionError("it never ends")

    def wrong(self, written: list[bytes]) -> tuple[Counter[bytes], Counter[bytes]]:
        """Lines that are missing, and lines too many."""
        want, have = Counter(written), Counter(self.lines)
        return want - have, have - want

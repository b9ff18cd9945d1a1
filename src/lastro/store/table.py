"""One dataset's table: its versions, its tags, its files."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.model.clock import Clock, utc_now
from lastro.model.errors import Conflict, Corrupted, Expired, LastroError, Locked, UnknownName, WriteFailed
from lastro.model.keyed_path import ColumnKeys, keyed
from lastro.model.profile import Profile
from lastro.model.reference import Digest, Latest, Moment, Number, Selector, Tag
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.store import content, expiry, lock, profiles, reading, recovery, tags
from lastro.store.keys import Keys
from lastro.store.log import Log
from lastro.store.paths import COMMIT_NAME, MANIFEST_NAME, Places, numbers

if TYPE_CHECKING:
    from lastro.store.writer import Writer

LOCK_TIMEOUT_S = 30.0


class Table:
    """The versions of one dataset, in `root/tables/<dataset>`; `root` is the workspace.

    `columns` knows the keys of encrypted columns; the paths of data files carry it to whoever reads them.

    Reading takes no lock. A version seen once is never changed; `head` may be another at the next call. A table object
    belongs to one thread; make one per thread, they cost nothing.
    """

    def __init__(self, root: Path, dataset: str, *, clock: Clock = utc_now, columns: ColumnKeys | None = None) -> None:
        self.places = Places.of(root, dataset)
        self.dataset = dataset
        self.clock = clock
        self.path = self.places.table
        self.log = Log(self.places)
        self.keys = Keys(self.places, self.log)
        self.columns = columns

    @property
    def exists(self) -> bool:
        """True if there is at least one version."""
        return self._head() is not None

    def head(self) -> VersionInfo | None:
        """The newest version, None if there is none. Raises `Corrupted`."""
        number = self._head()
        return None if number is None else self.log.state(number).info()

    def version(self, number: int, *, collected: bool = False) -> VersionInfo:
        """A version by its number; only with `collected` also one whose files were. Raises `UnknownName`, `Expired`,
        `Corrupted`.
        """
        head = self._head()
        if head is None or not 0 <= number <= head:
            raise self._unknown(_("{name} has no version {number}").format(name=self.dataset, number=number))
        if not collected and number in self.expired():
            raise self._expired(number)
        return self.log.state(number).info()

    def history(self, *, limit: int | None = None) -> tuple[VersionInfo, ...]:
        """All versions, or the `limit` newest, newest first; expired ones too. Raises `Corrupted`."""
        head = self._head()
        if head is None:
            return ()
        if limit is None:
            return tuple(state.info() for state in self.log.states(head))[::-1]
        return tuple(self.log.state(number).info() for number in range(head, max(head - limit, -1), -1))

    def expired(self) -> frozenset[int]:
        """The numbers of the versions whose files were collected. Raises `Corrupted`."""
        return expiry.read(self.places)

    def find(self, selector: Selector, *, collected: bool = False) -> VersionInfo:
        """The version a reference means; only with `collected` also one whose files were. Raises `UnknownName`,
        `Expired`, `Corrupted`.
        """
        match selector:
            case Latest():
                found = self.head()
            case Number(number):
                found = self.version(number, collected=collected)
            case Tag(tag):
                number = self.tags().get(tag, -1)
                found = None if number < 0 else self.version(number, collected=collected)
            case Moment(moment):
                newest = self._newest(lambda number: self.log.manifest(number).committed <= moment)
                found = None if newest is None else self.version(newest, collected=collected)
            case Digest(digest):
                newest = self._newest(lambda number: self.log.manifest(number).digest.startswith(digest))
                found = None if newest is None else self.version(newest, collected=collected)
        if found is None:
            raise self._unknown(_("{name} has no such version").format(name=self.dataset))
        return found

    def paths(self, info: VersionInfo, *, verify: bool = True) -> tuple[Path, ...]:
        """A version's data files, absolute; their SHA-256 is proven first. Raises `Corrupted`, `Expired`."""
        if info.number in self.expired():
            raise self._expired(info.number)
        self.places.check()
        if verify:
            content.prove(self.places, info.files)
        return tuple(self.file(entry.path) for entry in info.files)

    def file(self, name: str) -> Path:
        """A data file by its name in the table, with the keys of its encrypted columns; nothing is proven."""
        return self.carrying(self.places.data(name))

    def carrying(self, path: Path) -> Path:
        """A path with the keys of the file's encrypted columns."""
        return path if self.columns is None else keyed(path, self.columns)

    def profile(self, info: VersionInfo) -> Profile | None:
        """The profile that is kept of a version, None if there is none. Raises `Corrupted`."""
        self.places.check()
        return profiles.read(self.places, info.number, self.log.manifest(info.number).proof)

    @contextmanager
    def lock(self, *, timeout_s: float = LOCK_TIMEOUT_S, looking: bool = False) -> Iterator[Writer]:
        """The right to change the table, for as long as the context lasts; a crash before is put in order first.

        Who is only `looking` so far leaves no name in the lock's file before the first change.

        Raises `Locked`, `Conflict` if another writer committed, `Corrupted`, `WriteFailed`.
        """
        from lastro.store.writer import Writer

        with self._held(timeout_s) as sign:
            with self.failing_cleanly():
                if not looking:
                    sign()
                recovery.settle(self.places, self.log)
            writer = Writer(self, sign)
            try:
                yield writer
            finally:
                writer.close()

    def tags(self) -> Mapping[str, int]:
        """Every tag and its version's number. Raises `Corrupted`."""
        return tags.read(self.places)

    def tag(self, tag: str, number: int) -> None:
        """Puts a tag on a version, durably; an existing tag moves. Raises `UnknownName`, `Expired`, `NameRefused`."""
        tags.check_tag(tag)
        with self.exclusive(LOCK_TIMEOUT_S), self.failing_cleanly():
            self.version(number)
            tags.write(self.places, tag, self.log.manifest(number))

    def untag(self, tag: str) -> None:
        """Takes a tag away, durably. Raises `UnknownName`, `NameRefused`."""
        with self.exclusive(LOCK_TIMEOUT_S), self.failing_cleanly():
            tags.remove(self.places, tag)

    @contextmanager
    def failing_cleanly(self) -> Iterator[None]:
        """Turns the operating system's errors into `WriteFailed`, saying which version is the newest."""
        try:
            yield
        except LastroError:
            raise
        except OSError as error:
            raise self._write_failed(error) from error

    @contextmanager
    def exclusive(self, timeout_s: float) -> Iterator[None]:
        """The bare lock, with nothing put in order. Raises `Locked`, `WriteFailed`."""
        with self._held(timeout_s) as sign:
            with self.failing_cleanly():
                sign()
            yield

    @contextmanager
    def _held(self, timeout_s: float) -> Iterator[Callable[[], None]]:
        self.places.check()
        with ExitStack() as stack:
            with self.failing_cleanly():
                sign = stack.enter_context(lock.held(self.places.lock, dataset=self.dataset, timeout_s=timeout_s))
            yield sign

    def _head(self) -> int | None:
        """The newest version's number. What a crash left – a commit without manifest, an erasure – is finished."""
        self.places.check()
        head = self.log.head()
        following = 0 if head is None else head + 1
        if not (self.places.commit(following).exists() or self.places.journal.exists()):
            return head
        # A live writer holds the lock; a damaged or foreign commit, or a folder that cannot be written, is told to
        # whoever writes or verifies: readers stay with what was acknowledged.
        with suppress(Locked, Conflict, Corrupted, WriteFailed), self.lock(timeout_s=0):
            pass
        return self.log.head()

    def _newest(self, fits: Callable[[int], bool]) -> int | None:
        head = self._head()
        numbers_down = range(-1 if head is None else head, -1, -1)
        return next((number for number in numbers_down if fits(number)), None)

    def _unknown(self, what: str) -> UnknownName:
        return UnknownName(what, do=_("lastro log {name} shows its versions").format(name=self.dataset))

    def _expired(self, number: int) -> Expired:
        return Expired(
            _("the files of {name}@{number} were collected").format(name=self.dataset, number=number),
            do=_("tag a version to keep it; lastro log {name} shows which are left").format(name=self.dataset),
        )

    def _write_failed(self, error: OSError) -> WriteFailed:
        denied = error.errno in {errno.EACCES, errno.EPERM}
        reason = _("the folder may not be written") if denied else reason_of(error)
        return WriteFailed(
            _("{name} cannot be changed: {reason}").format(name=self.dataset, reason=reason),
            where=str(error.filename or self.path),
            do=_("make room or give the right to write, then do the same again"),
            state=self.state(),
        )

    def state(self) -> str:
        """The sentence that says nothing was committed and which version is the newest."""
        head = self.log.head()
        if head is None:
            return _("nothing was committed; {name} has no version yet").format(name=self.dataset)
        return _("nothing was committed; {name} is still at version {number}").format(name=self.dataset, number=head)


def tables(root: Path, *, quarantine: bool = False) -> tuple[str, ...]:
    """The datasets that have a table, by name; the quarantines' tables only if asked for."""
    found = []
    folder = Path(root) / "tables"
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        with suppress(ValueError):  # NameRefused: a folder that is no dataset's
            places = Places.of(root, path.name)
            if reading.is_real_folder(path) and (quarantine or not path.name.endswith(".quarantine")) and _has(places):
                found.append(path.name)
    return tuple(found)


def _has(places: Places) -> bool:
    return bool(numbers(places.manifests, MANIFEST_NAME) or numbers(places.log, COMMIT_NAME))

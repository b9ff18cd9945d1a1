"""Erasing people: everywhere, provably, and so that they do not come back (GDPR 17–19; LGPD 16, 18 IV and VI).

Rules, in the order of the steps:

1. Nothing is changed while a contract's legal hold covers somebody's rows (GDPR 17(3)(b); LGPD 16 I): `NotPermitted`
   names the article. On request the datasets under hold are left out; the vault then keeps what they need.
2. The request is written down before anything is changed, with tokens for names. Whoever comes next finishes it.
3. Rows leave every version of every dataset and every quarantine, table by table, each under its lock.
4. The vault forgets the people, and blocks them. Then all tables are looked through again, under their locks: what an
   ingestion brought in between goes, too, and nothing comes after it.
5. The workspace's bytes are searched, the certificate is signed, and the request is closed. All these steps may be done
   twice.
"""

from __future__ import annotations

import gzip
import json
import mmap
import os
import re
import stat
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from lastro.governance.sought import Sought, rows_of, scrubber, set_aside
from lastro.model import digest
from lastro.model.durable import sync_folder, write_durably
from lastro.model.errors import Corrupted, NotPermitted
from lastro.model.personal import Hold, Personal
from lastro.model.schema import Primitive
from lastro.model.text import _
from lastro.store.erasure.erasing import Erased, Seen, erase, find
from lastro.store.erasure.finding import Doomed
from lastro.store.table import Table

FORMAT = 1
_MANY = 200
_PROFILES = ("_lastro", "profiles")
_WORD = re.compile(rb"[0-9A-Za-z_.@+/\-\x80-\xff]{5,}")
ENDING = ".request.json"


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to be erased. `subjects` are tokens: nothing in it names anybody. `left_out` are datasets under a hold."""

    id: str
    at: str
    basis: str
    kind: str
    subjects: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    forgotten: bool = False

    def encode(self) -> bytes:
        """The request as it stands on disk."""
        record = {"lastro": FORMAT, **asdict(self), "subjects": list(self.subjects), "left_out": list(self.left_out)}
        return digest.canonical({"digest": digest.of_value(record), "request": record}) + b"\n"


@dataclass(frozen=True, slots=True)
class Place:
    """A table in which somebody may be found; of a quarantine, that of its dataset's contract."""

    dataset: str
    table: Table
    personal: Personal | None
    is_quarantine: bool = False
    seen: Seen = field(default_factory=dict, compare=False, repr=False)
    """What was counted already of files that did not change since, for the same people."""

    def doomed(self, sought: Sought) -> Doomed | None:
        """Which of its rows are these people's."""
        if self.is_quarantine:
            return set_aside(sought)
        texts = {
            field.name: None
            for info in self.table.history()
            for field in info.schema.fields
            if field.type is Primitive.STRING
        }
        return rows_of(sought, self.personal, tuple(texts))


def found(places: Sequence[Place], sought: Sought, *, afresh: bool = False) -> tuple[Erased, ...]:
    """What would go, of each place that has anything of these people. Changes nothing; `afresh` reads all files."""
    looked = [
        find(place.table, doomed, seen=None if afresh else place.seen)
        for place in places
        if (doomed := place.doomed(sought)) is not None
    ]
    return tuple(each for each in looked if each.files)


def check_holds(places: Sequence[Place], held: Sequence[Erased], today: date) -> dict[str, Hold]:
    """The datasets that hold rows of these people and must keep them, with the duty."""
    named = {each.dataset for each in held}
    return {
        place.dataset: place.personal.hold
        for place in places
        if place.table.dataset in named and place.personal is not None and _is_in_force(place.personal.hold, today)
        if place.personal.hold is not None
    }


def refused(held: Mapping[str, Hold]) -> NotPermitted:
    """The error that names the duties in the way."""
    duties = "; ".join(
        _("{dataset}: {basis}, until {until}").format(
            dataset=dataset, basis=hold.basis, until=hold.until.isoformat() if hold.until else _("further notice")
        )
        for dataset, hold in sorted(held.items())
    )
    return NotPermitted(
        _("a legal duty to keep rows stands against it: {duties}").format(duties=duties),
        do=_("wait until then, or erase everywhere else: --except-held"),
        state=_("nothing was erased"),
    )


def take_out(places: Sequence[Place], sought: Sought, request: Request) -> tuple[Erased, ...]:
    """Takes these people's rows out of every place that is not left out; done twice, the second finds nothing."""
    done, text = [], scrubber(sought)
    for place in places:
        doomed = place.doomed(sought)
        if place.dataset not in request.left_out and doomed is not None and place.table.exists:
            done.append(erase(place.table, doomed, request=request.id, text=text, seen=place.seen))
    return tuple(each for each in done if each.generation)


def hits(root: Path, needles: Collection[str]) -> dict[str, int]:
    """The files below a folder in whose bytes one of the texts stands, and how many of them. Links are not followed.

    Many texts are looked for as words, few of them anywhere; profiles are unpacked.
    """
    wanted = frozenset(needle.encode() for needle in needles)
    counted = {path: _hits(path, wanted) for path in _files(root)} if wanted else {}
    return {path.relative_to(root).as_posix(): count for path, count in counted.items() if count}


def nameless(paths: Collection[str], sought: Sought) -> set[str]:
    """Paths that are fit to be shown."""
    return set(map(scrubber(sought), paths))


def write(folder: Path, request: Request) -> None:
    """Writes a request down, durably. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / f"{request.id}{ENDING}", request.encode())
    sync_folder(folder.parent)


def close(folder: Path, request: Request) -> None:
    """Ends a request whose certificate is there."""
    (folder / f"{request.id}{ENDING}").unlink(missing_ok=True)
    sync_folder(folder)


def open_requests(folder: Path) -> tuple[Request, ...]:
    """The requests that were begun and not ended, oldest first. Raises `Corrupted`."""
    return tuple(read(path) for path in sorted(folder.glob(f"*{ENDING}")))


def read(path: Path) -> Request:
    """A request. Raises `Corrupted`."""
    try:
        content = path.read_bytes()
        record = dict(json.loads(content)["request"])
        record.pop("lastro")
        request = Request(**{**record, "subjects": tuple(record["subjects"]), "left_out": tuple(record["left_out"])})
    except (OSError, ValueError, LookupError, TypeError):
        request = None
    if request is None or request.encode() != content:
        raise Corrupted(
            _("the request for an erasure is damaged"),
            where=str(path),
            do=_("remove it, and ask for the erasure again"),
        )
    return request


def _is_in_force(hold: Hold | None, today: date) -> bool:
    return hold is not None and (hold.until is None or today <= hold.until)


def _files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root, followlinks=False):
        names[:] = sorted(name for name in names if not Path(folder, name).is_symlink())
        for name in sorted(files):
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode) and path.lstat().st_size:
                yield path


def _hits(path: Path, wanted: frozenset[bytes]) -> int:
    try:
        if path.parts[-3:-1] == _PROFILES:
            return _hits_in(gzip.decompress(path.read_bytes()), wanted)
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _hits_in(content, wanted)
    except (FileNotFoundError, ValueError):  # gone, or emptied, since it was listed
        return 0
    except (gzip.BadGzipFile, EOFError, zlib.error):  # a damaged profile, which `lastro verify` tells of
        return 0


def _hits_in(content: bytes | mmap.mmap, wanted: frozenset[bytes]) -> int:
    if len(wanted) > _MANY:
        words = (word.group() for word in _WORD.finditer(content))
        return len({each for word in words for each in (word, word.strip(b".-/_")) if each in wanted})
    return sum(content.find(needle) >= 0 for needle in wanted)

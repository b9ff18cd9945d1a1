"""Profiles beside the manifests: one compressed file for each version that has one.

Rules:

1. A profile is made of a version's files and may be made again: it is written after the commit, and may be absent.
2. The file is gzip of `{"digest": …, "profile": record}` in canonical JSON, of no time and no name, so that equal
   profiles are equal bytes. The record names the digest of the version's record: a profile never passes for another
   version's, nor for one of before rows were erased.
3. A profile that cannot be read is damage, not absence: `verify` names it, `repair` removes it.
4. Profiles outlive the data: a version whose files were collected can still be compared with.
"""

from __future__ import annotations

import gzip
import json
import zlib

from lastro.model import digest
from lastro.model.errors import Corrupted
from lastro.model.profile import Profile
from lastro.model.profile_record import Record, profile_of, record_of
from lastro.model.text import _
from lastro.store import disk, reading
from lastro.store.paths import Places

_HEAD = '{{"digest":"{}","profile":'
UNPACKED_MAX = 256 << 20
"""A profile larger than this, unpacked, is none of ours."""


def encode(profile: Profile, version: str) -> bytes:
    """The file's content for the version of this digest."""
    record = {**record_of(profile), "version": version}
    return gzip.compress(_canonical(record), compresslevel=6, mtime=0)


def write(places: Places, number: int, version: str, profile: Profile) -> None:
    """Keeps a version's profile, durably. Raises `OSError`."""
    for folder in (places.profiles, places.temporary):
        disk.make_folder(folder)
    disk.replace(disk.write_temporary(places.temporary, encode(profile, version)), places.profile(number))


def read(places: Places, number: int, version: str) -> Profile | None:
    """A version's profile, None if none is kept. Raises `Corrupted`."""
    path = places.profile(number)
    if reading.size_of(path) is None:
        return None
    try:
        return decode(reading.read(path), version)
    except ValueError as error:
        raise Corrupted(
            _("the profile of {name}@{number} is damaged").format(name=places.dataset, number=number),
            where=str(path),
            do=_("lastro repair {name} removes it; it is made again when it is asked for").format(name=places.dataset),
        ) from error


def decode(found: bytes, version: str) -> Profile:
    """The profile in a file of the version of this digest. Raises `ValueError`."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(found, UNPACKED_MAX)
        body = plain.removesuffix(b"}\n")[len(_HEAD.format("0" * 71)) :]
        # Of a canonical record, its very bytes are what was digested: nothing has to be written again to prove it.
        proven = plain == _HEAD.format(digest.of_bytes(body)).encode() + body + b"}\n"
        record = json.loads(body) if proven else {}
        whole = unpacking.eof and not unpacking.unused_data and record["version"] == version
    except (zlib.error, LookupError, TypeError, RecursionError) as error:
        raise ValueError("no profile") from error
    if not whole:
        raise ValueError("a profile that is not as it was written")
    return profile_of(record)


def _canonical(record: Record) -> bytes:
    return digest.canonical({"digest": digest.of_value(record), "profile": record}) + b"\n"

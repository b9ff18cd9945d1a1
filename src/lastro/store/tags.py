"""Tags: names on versions, each a small file of its own.

Rules:

1. A tag is a name (`model.reference` rule 1) and neither `latest` nor anything that reads as a number or a date.
2. Its file holds the version's number and digest and a digest of its own; it is replaced as a whole, durably.
3. A tag that cannot be read is an error for everybody, `lastro gc` above all: it pins something.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lastro.model import digest
from lastro.model.errors import Corrupted, NameRefused, UnknownName
from lastro.model.reference import Reference, Tag, check_name
from lastro.model.text import _
from lastro.store import disk, reading
from lastro.store.manifest import Manifest
from lastro.store.paths import Places

FORMAT = 1


def check_tag(tag: str) -> str:
    """The tag itself if it may be one. Raises `NameRefused`."""
    check_name(tag)
    if not isinstance(Reference.parse(f"x@{tag}").selector, Tag):
        raise NameRefused(_("{tag!r} means something else already").format(tag=tag), do=_("choose another word"))
    return tag


def encode(tag: str, manifest: Manifest) -> bytes:
    """The file of a tag on a version."""
    return _encode({"lastro": FORMAT, "tag": tag, "number": manifest.number, "version": manifest.digest})


def write(places: Places, tag: str, manifest: Manifest) -> None:
    """Puts a tag on a version, durably, moving it if it is elsewhere. Raises `NameRefused`, `OSError`."""
    check_tag(tag)
    for folder in (places.tags, places.temporary):
        disk.make_folder(folder)
    disk.replace(disk.write_temporary(places.temporary, encode(tag, manifest)), places.tags / f"{tag}.json")


def remove(places: Places, tag: str) -> None:
    """Takes a tag away, durably. Raises `UnknownName`, `OSError`."""
    path = places.tags / f"{check_tag(tag)}.json"
    if reading.size_of(path) is None:
        raise UnknownName(_("{name} has no tag {tag}").format(name=places.dataset, tag=tag), do=_("lastro log"))
    disk.remove(path)
    disk.sync_folder(places.tags)


def read(places: Places) -> Mapping[str, int]:
    """Every tag and the number of its version, by name. Raises `Corrupted`, naming the file."""
    if not places.tags.is_dir():
        return {}
    return {path.stem: parse(path.name, reading.read(path))[0] for path in sorted(places.tags.glob("*.json"))}


def parse(name: str, found: bytes) -> tuple[int, str]:
    """The number and the digest of the version a tag file stands for. Raises `Corrupted`, naming the file."""
    try:
        record = json.loads(found)["tag"]
        number, version = int(record["number"]), str(record["version"])
        whole = f"{record['tag']}.json" == name and _encode(record) == found
    except (ValueError, LookupError, TypeError):
        number, version, whole = -1, "", False
    if not whole:
        raise Corrupted(
            _("the tag file {name} is damaged").format(name=name),
            where=name,
            do=_("lastro repair shows whether it can be mended; else set the tag again: lastro tag"),
        )
    return number, version


def _encode(record: Mapping[str, Any]) -> bytes:  # Any: JSON values
    return digest.canonical({"digest": digest.of_value(record), "tag": record}) + b"\n"

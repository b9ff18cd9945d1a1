"""Where events go, as `openlineage:` of `lastro.yaml` says it.

Rules:

1. One `file` of the workspace, to which lines are added, or one `url` that takes events by POST. Neither: nothing is
   told. Nothing is sent over the network unless a `url` stands here.
2. The file ends in `.ndjson` or `.jsonl`, so that a typing mistake adds lines to nothing else.
3. `key` is sent as a bearer token, as OpenLineage's own clients send theirs. It is a reference: `${NAME}`.
4. `namespace` is what makes this workspace's datasets differ from all others; else the folder's name makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, NoReturn

import msgspec
from msgspec import Meta

from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.source.location import refuse_written_secrets
from lastro.source.secret import Secret, refers

SUFFIXES = (".ndjson", ".jsonl")
Text = Annotated[str, Meta(min_length=1, max_length=2000)]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`openlineage:`."""

    file: Text | None = None
    url: Text | None = None
    key: Text | None = None
    namespace: Annotated[str, Meta(pattern=r"^[!-~]{1,200}$")] | None = None
    allow_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """A file to which each event is added as a line."""

    path: Path


@dataclass(frozen=True, slots=True)
class Receiver:
    """An address that takes events by POST."""

    url: Secret
    key: Secret | None
    allowed: frozenset[str]


Target = File | Receiver


def target(given: Mapping[str, Any], root: Path) -> Target | None:  # Any: a person's YAML values
    """Where events go; None if nowhere. Raises `ConfigurationError`."""
    options = _options(given)
    if options.file is not None and options.url is not None:
        _wrong(_("either a file or a url"))
    if options.url is None and (options.key is not None or options.allow_hosts):
        _wrong(_("key and allow_hosts are for a url"))
    if options.file is not None:
        path = PurePosixPath(options.file)
        if path.is_absolute() or ".." in path.parts or path.suffix not in SUFFIXES:
            _wrong(_("the file is none of this workspace that ends in .ndjson or .jsonl"))
        return File(root / path)
    if options.url is None:
        return None
    if not options.url.startswith(("https://", "http://", "${")):
        _wrong(_("the url is no address of HTTP"))
    refuse_written_secrets(options.url)
    if options.key is not None and not refers(options.key):
        _wrong(_("the key is written out"))
    key = None if options.key is None else Secret.checked(options.key)
    return Receiver(Secret.checked(options.url), key, frozenset(host.lower() for host in options.allow_hosts))


def namespace(given: Mapping[str, Any], root: Path) -> str:  # Any: a person's YAML values
    """The namespace of the workspace's jobs and datasets. Raises `ConfigurationError`."""
    return _options(given).namespace or f"lastro://{root.name}"


def _options(given: Mapping[str, Any]) -> Options:  # Any: a person's YAML values
    try:
        return msgspec.convert(given, Options)
    except msgspec.ValidationError as error:
        _wrong(str(error).partition(" - at ")[0])


def _wrong(what: str) -> NoReturn:
    raise ConfigurationError(
        what,
        where="lastro.yaml: openlineage",
        do=_("write file: events.ndjson, or url: https://… with key: ${NAME}"),
    )

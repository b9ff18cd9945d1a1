"""Options: what `lastro.yaml` says of a source, and what the last commit's cursor says, checked against a type.

Rules:

1. Every source declares its options as one frozen struct; an unknown option is refused with the nearest known one.
2. A wrong value is refused with its place and the type it should have; the value itself is not repeated.
3. A cursor that cannot be read is no reason to guess: it is refused too.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from lastro.model import digest
from lastro.model.errors import ConfigurationError, SourceChanged
from lastro.model.text import _

Struct = TypeVar("Struct", bound=msgspec.Struct)


class SourceOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every source's options have: the kind they were chosen by."""

    kind: str


def read_options(options: Mapping[str, Any], into: type[Struct]) -> Struct:  # Any: a person's YAML values
    """The options as a struct. Raises `ConfigurationError`."""
    values = plain(options)
    kind = str(values.get("kind", ""))
    known = into.__struct_encode_fields__
    for name in values:
        if name not in known:
            raise _unknown(kind, str(name), known)
    try:
        return msgspec.convert(values, into)
    except msgspec.ValidationError as error:
        raise wrong_option(kind, _explained(error)) from None


def wrong_option(kind: str, what: str, *, do: str = "") -> ConfigurationError:
    """The error for an option's value that cannot be right."""
    return ConfigurationError(
        what, where=_("source of kind {kind}").format(kind=kind), do=do or _("correct lastro.yaml")
    )


def read_cursor(cursor: Mapping[str, Any], into: type[Struct], label: str) -> Struct:  # Any: JSON values
    """The last commit's cursor as a struct. Raises `SourceChanged` if another kind of source wrote it."""
    try:
        return msgspec.convert(plain(cursor), into)
    except msgspec.ValidationError:
        raise SourceChanged(
            _("what the last commit noted about this source was written by another kind of source"),
            where=label,
            do=_("ingest once with --mode overwrite, or restore the source's former options"),
        ) from None


def write_cursor(after: msgspec.Struct) -> dict[str, Any]:  # Any: JSON values
    """A cursor's struct as JSON values."""
    written: dict[str, Any] = plain(msgspec.to_builtins(after))  # Any: JSON values
    return written


def identity(*parts: Any) -> str:  # Any: JSON values
    """What makes two configurations the same source, as 16 hex digits."""
    return digest.of_value(list(parts)).removeprefix(digest.PREFIX)[:16]


def plain(value: Any) -> Any:  # Any: YAML values, whose parser has number and mapping types of its own
    """The value made of builtin types only."""
    match value:
        case Mapping():
            return {plain(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case bool() | None:
            return value
        case str() | int() | float():
            return next(kind(value) for kind in (str, int, float) if isinstance(value, kind))
        case _:
            return value


def _unknown(kind: str, name: str, known: tuple[str, ...]) -> ConfigurationError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = _("did you mean {near!r}? ").format(near=near[0]) if near else ""
    return wrong_option(
        kind,
        _("{name!r} is not an option").format(name=name[:60]),
        do=meant + _("options are: {known}").format(known=", ".join(known)),
    )


def _explained(error: msgspec.ValidationError) -> str:
    """The sentence of msgspec in our words; it names types and places. A quoted value, if any, is left out."""
    what, at, place = str(error).partition(" - at `$")
    name = place.rstrip("`").lstrip(".")
    if what.startswith(("Invalid enum value", "Invalid value")):
        what = _("the value is not one of those allowed")
    return f"{name}: {what}" if at and name else what

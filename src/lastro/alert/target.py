"""Targets: who is to be told, as `lastro.yaml` says it.

Rules:

1. A target is a `webhook` (an address that takes a CloudEvent) or `apprise` (one of the services that library knows).
2. `on` names the kinds of trouble it hears of; without it, all of them.
3. Addresses that carry a secret, and keys, are references: `${NAME}`. They are resolved when something is sent.
4. A target is known by its `name`, else by its place in the list, so that the book can remember whom it told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lastro.alert.event import Kind
from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.source.location import refuse_written_secrets
from lastro.source.secret import Secret, refers

Text = Annotated[str, Meta(min_length=1, max_length=2000)]


class TargetOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `alerts:`."""

    webhook: Text | None = None
    apprise: Text | None = None
    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]{0,62}$")] | None = None
    key: Text | None = None
    on: tuple[Kind, ...] = tuple(Kind)
    allow_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that takes events by POST; signed where there is a `key`."""

    name: str
    kinds: frozenset[Kind]
    url: Secret
    key: Secret | None
    allowed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Apprise:
    """A service that the library apprise delivers to: mail, chat, telephone."""

    name: str
    kinds: frozenset[Kind]
    url: Secret


Target = Webhook | Apprise


def targets(entries: Iterable[Mapping[str, Any]]) -> tuple[Target, ...]:  # Any: a person's YAML values
    """The targets of `alerts:`. Raises `ConfigurationError`, naming the entry."""
    found = tuple(_target(number, entry) for number, entry in enumerate(entries, start=1))
    names = [target.name for target in found]
    if len(set(names)) != len(names):
        raise _wrong(0, _("two targets have the same name"))
    return found


def _target(number: int, entry: Mapping[str, Any]) -> Target:  # Any: a person's YAML values
    try:
        given = msgspec.convert(entry, TargetOptions)
    except msgspec.ValidationError as error:
        raise _wrong(number, str(error).partition(" - at ")[0]) from None
    name = given.name or f"target-{number}"
    if (given.webhook is None) == (given.apprise is None):
        raise _wrong(number, _("either a webhook or apprise"))
    if given.key is not None and not refers(given.key):
        raise _wrong(number, _("the key is written out"))
    if given.webhook is not None:
        if not given.webhook.startswith(("https://", "http://", "${")):
            raise _wrong(number, _("the webhook is no address of HTTP"))
        refuse_written_secrets(given.webhook)
        key = None if given.key is None else Secret.checked(given.key)
        allowed = frozenset(host.lower() for host in given.allow_hosts)
        return Webhook(name, frozenset(given.on), Secret.checked(given.webhook), key, allowed)
    if given.key is not None or given.allow_hosts:
        raise _wrong(number, _("key and allow_hosts are for a webhook"))
    if given.apprise is None or not refers(given.apprise):
        raise _wrong(number, _("an apprise address carries a secret, and is written out"))
    return Apprise(name, frozenset(given.on), Secret.checked(given.apprise))


def _wrong(number: int, what: str) -> ConfigurationError:
    place = f"lastro.yaml: alerts[{number - 1}]" if number else "lastro.yaml: alerts"
    return ConfigurationError(
        what,
        where=place,
        do=_("write webhook: https://… with key: ${{NAME}}, or apprise: ${{NAME}}; on: a list of {kinds}").format(
            kinds=", ".join(Kind)
        ),
    )

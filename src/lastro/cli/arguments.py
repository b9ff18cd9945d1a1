"""Arguments that are more than text: durations, shares, settings, references."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import click

from lastro.model.errors import UsageError
from lastro.model.reference import Reference
from lastro.model.text import _

_DURATION = re.compile(r"([0-9]{1,6})(min|h|d)", re.ASCII)
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%", re.ASCII)
ACTIONS = ("read", "export", "reveal", "erase", "ingest", "build")
"""What policies speak of, as in `model.access`."""
_F = TypeVar("_F", bound=Callable[..., Any])  # Any: a command's own parameters
_UNITS = {"min": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """`30min`, `24h` or `7d`. Raises `click.BadParameter`."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise click.BadParameter(_("{value!r} is no duration; write 30min, 24h or 7d").format(value=text))
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def share(text: str) -> float:
    """`5%` as 0.05; more than nothing and at most all. Raises `click.BadParameter`."""
    found = _SHARE.fullmatch(text)
    value = float(found[1]) / 100 if found else 0.0
    if not 0 < value <= 1:
        raise click.BadParameter(_("{value!r} is no share; write a percentage such as 5%").format(value=text))
    return value


def setting(text: str) -> tuple[str, Any]:  # Any: a JSON value
    """`key=value` as a pair; a value that is JSON (`8`, `true`, `["a"]`) is read as such, else it is text.

    Raises `click.BadParameter`.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.BadParameter(_("{value!r} is no option; write key=value").format(value=text))
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):  # not JSON: the text itself is the value
        return key, value


def written(key: str, value: Any) -> str:  # Any: a JSON value
    """The text that `setting` reads as this pair."""
    plain = f"{key}={value}"
    return plain if isinstance(value, str) and setting(plain) == (key, value) else f"{key}={json.dumps(value)}"


def purpose_option() -> Callable[[_F], _F]:
    """`--purpose`, which holds for the whole command."""
    return click.option(
        "--purpose",
        metavar=_("PURPOSE"),
        expose_value=False,
        callback=_named,
        help=_("What the rows are read for; else what LASTRO_PURPOSE says."),
    )


def _named(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is None or ctx.resilient_parsing:
        return
    from lastro.workspace.access.handed import NAMED

    token = NAMED.set(value)
    ctx.call_on_close(lambda: NAMED.reset(token))


def exact(text: str) -> tuple[str, str]:
    """Name and selector of a reference that must say which version is meant. Raises `NameRefused`, `UsageError`."""
    name = Reference.parse(text).name
    selector = text.partition("@")[2]
    if not selector:
        raise UsageError(
            _("{name} alone does not say which version is meant").format(name=name),
            do=_("write {name}@17, {name}@approved or {name}@2026-01-31; lastro log {name} lists them").format(
                name=name
            ),
        )
    return name, selector

"""Secrets by reference.

Rules:

1. A secret stands in a configuration only as `${NAME}`, the name of an environment variable.
2. It is resolved when a source is opened, never before, and never kept.
3. Whatever carries one shows `***` to everyone who prints it.
4. A text that came from a library may quote a secret: `scrub` takes it out before anybody reads it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from lastro.model.errors import ConfigurationError
from lastro.model.text import _

HIDDEN = "***"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_TELLING = re.compile(r"passw|passphrase|secret|token|api[-_]?key|authorization|cookie|signature|credential", re.I)


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text with `${NAME}` references in it. Its repr is `***`; `reveal` alone gives the text behind it."""

    template: str

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    @classmethod
    def checked(cls, template: str) -> Secret:
        """A secret whose references are well formed, as is told now and not when it is needed.

        Raises `ConfigurationError`.
        """
        secret = cls(template)
        _names = secret.names
        return secret

    @property
    def names(self) -> tuple[str, ...]:
        """The environment variables it refers to. Raises `ConfigurationError` on a malformed reference."""
        found = tuple(_REFERENCE.findall(self.template))
        for name in found:
            if not _NAME.fullmatch(name):
                raise ConfigurationError(
                    _("${{{name}}} is not a reference").format(name=name[:40]),
                    do=_("write the name of an environment variable: ${PASSWORD}"),
                )
        return found

    def reveal(self, environment: Mapping[str, str] | None = None) -> str:
        """The text with every reference replaced. Raises `ConfigurationError` if a variable is not set."""
        return _REFERENCE.sub(lambda found: _value(found[1], environment), self.template)

    def reveal_url(self, environment: Mapping[str, str] | None = None) -> str:
        """The same for a URL: a reference that is only a part of it is percent-encoded, so `@` or `/` do no harm."""
        if _REFERENCE.fullmatch(self.template):
            return self.reveal(environment)
        return _REFERENCE.sub(lambda found: quote(_value(found[1], environment), safe=""), self.template)

    def values(self, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """What must appear nowhere: each variable's value, plain and percent-encoded."""
        plain = [_value(name, environment) for name in self.names]
        return tuple({form for value in plain for form in (value, quote(value, safe=""))})


def refers(text: str) -> bool:
    """True if the text holds a reference."""
    return bool(_REFERENCE.search(text))


def sounds_secret(name: str) -> bool:
    """True if a header, parameter or key of that name usually carries a secret."""
    return bool(_TELLING.search(name))


def scrub(text: str, values: Iterable[str]) -> str:
    """The text without these values, the longest first."""
    for value in sorted(values, key=len, reverse=True):
        if value:
            text = text.replace(value, HIDDEN)
    return text


def _value(name: str, environment: Mapping[str, str] | None) -> str:
    value = (os.environ if environment is None else environment).get(name)
    if value is None:
        raise ConfigurationError(
            _("the environment variable {name} is not set").format(name=name),
            do=_("export {name}=… before running Lastro").format(name=name),
        )
    return value

"""Text for people goes through here, so that it can be read in English and in Brazilian Portuguese.

`_("{name} has no version {number}").format(name=…, number=…)`: the sentence is looked up whole, then filled.
The language is `LASTRO_LANG`, else the first of `LC_ALL`, `LC_MESSAGES`, `LANG`; anything unknown is English.
A document that is wanted in several languages is made inside of `speaking`.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

CATALOGUES = Path(__file__).resolve().parent.parent / "locale"
LANGUAGES = ("en", "pt_BR")
_spoken: ContextVar[str] = ContextVar("lastro language", default="")


def language() -> str:
    """The language asked for by the environment, as gettext names it: `en`, `pt_BR`."""
    if spoken := _spoken.get():
        return spoken
    for variable in ("LASTRO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        # A variable that is not there is an exception inside of `get`, which every message would pay for.
        value = os.environ[variable].split(".")[0].replace("-", "_") if variable in os.environ else ""
        if value:
            return "pt_BR" if value.lower().startswith("pt") else "en"
    return "en"


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Within it, every text is in this one of `LANGUAGES`, whatever the environment asks for."""
    before = _spoken.set(name)
    try:
        yield
    finally:
        _spoken.reset(before)


@lru_cache(maxsize=4)
def _translations(name: str) -> gettext.NullTranslations:
    return gettext.translation("lastro", CATALOGUES, languages=[name], fallback=True)


def _(message: str) -> str:
    """The message in the reader's language; the English text itself where there is no translation."""
    return _translations(language()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The singular or plural message for `count`, in the reader's language."""
    return _translations(language()).ngettext(singular, plural, count)


def figures(text: str) -> str:
    """A number that Python wrote, such as `1,234.5`, with the reader's own separators: `1.234,5` in Portuguese."""
    return text.translate({ord(","): ".", ord("."): ","}) if language() == "pt_BR" else text

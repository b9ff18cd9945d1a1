"""Text for people goes through here, so that it can be read in English and in Brazilian Portuguese.

`_("{name} has no version {number}").format(name=…, number=…)`: the sentence is looked up whole, then filled.
The language is `LASTRO_LANG`, else the first of `LC_ALL`, `LC_MESSAGES`, `LANG`; anything unknown is English.
"""

from __future__ import annotations

import gettext
import os
from functools import lru_cache
from pathlib import Path

CATALOGUES = Path(__file__).resolve().parent.parent / "locale"


def language() -> str:
    """The language asked for by the environment, as gettext names it: `en`, `pt_BR`."""
    for variable in ("LASTRO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "").split(".")[0].replace("-", "_")
        if value:
            return "pt_BR" if value.lower().startswith("pt") else "en"
    return "en"


@lru_cache(maxsize=4)
def _translations(name: str) -> gettext.NullTranslations:
    return gettext.translation("lastro", CATALOGUES, languages=[name], fallback=True)


def _(message: str) -> str:
    """The message in the reader's language; the English text itself where there is no translation."""
    return _translations(language()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The singular or plural message for `count`, in the reader's language."""
    return _translations(language()).ngettext(singular, plural, count)

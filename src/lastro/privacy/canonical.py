"""Canonical forms: two spellings of one identifier are one value.

Rules:

1. A CPF is its digits, with zeros in front up to 11; a CNPJ its letters and digits in capitals; a CEP its digits.
2. An e-mail address is compared without regard to capitals, as providers do.
3. Anything else, and what does not look like its kind, is the text itself, in Unicode's composed form, without blanks
   around it. Values of Lastro's own kinds are kept to the letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_PUNCTUATION = re.compile(r"[.\-/\s]")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_LETTERS = re.compile(r"[0-9A-Z]+", re.ASCII)
_CPF, _CNPJ, _CEP = 11, 14, 8
OWN = "lastro:"
"""How the kinds begin that no contract names."""


def canonical(kind: str, text: str) -> str:
    """The form under which a value of this kind is looked up; empty if there is none."""
    return form_of(kind)(text)


def form_of(kind: str) -> Callable[[str], str]:
    """The function that gives the canonical form of values of a kind."""
    return _itself if kind.startswith(OWN) else _FORMS.get(kind, _text)


def _itself(text: str) -> str:
    return text


def _text(text: str) -> str:
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text).strip()


def _cpf(text: str) -> str:
    return _numbered(text, _CPF)


def _cep(text: str) -> str:
    return _numbered(text, _CEP)


def _numbered(text: str, digits: int) -> str:
    if len(text) == digits and text.isascii() and text.isdigit():
        return text
    found = _PUNCTUATION.sub("", text[: 4 * digits])
    plain = _DIGITS.fullmatch(found) is not None and len(found) <= digits and len(text) <= 4 * digits
    return found.zfill(digits) if plain else _text(text)


def _cnpj(text: str) -> str:
    found = _PUNCTUATION.sub("", text[: 4 * _CNPJ]).upper()
    if len(text) > 4 * _CNPJ or not _LETTERS.fullmatch(found) or len(found) > _CNPJ:
        return _text(text)
    if found.isdigit():
        return found.zfill(_CNPJ)
    return found if len(found) == _CNPJ else _text(text)


def _email(text: str) -> str:
    return _text(text).casefold()


_FORMS: dict[str, Callable[[str], str]] = {"cpf": _cpf, "cnpj": _cnpj, "cep": _cep, "email": _email}

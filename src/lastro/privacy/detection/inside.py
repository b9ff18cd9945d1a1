"""Identifiers inside texts: where they stand in free text, for whoever counts them or takes them out.

Rules:

1. Identifiers with check digits are found in their written form and as bare digits, and only where the check digits
   hold: CPF, CNPJ (also with letters), PIS, CNH, título de eleitor, CNS, payment card, IBAN.
2. Those without are found by a form that little else has: e-mail, telephone number (Brazil, North America, any with a
   `+`), SSN, CEP with its dash, IPv4 and IPv6 address, number plate. Bare digits are none of these.
3. An identifier does not begin or end within a word or a longer number.
4. Of two that overlap, the one with check digits is told, else the longer one.
5. Texts are searched as they are: digits of other scripts, and names and addresses of people, are not found.
6. Nothing is tried twice: every pattern has bounded repetitions, so that the time grows with the text's length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from lastro.privacy.detection import check_digits, telephone

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Span:
    """Where an identifier stands: the text's place in the sequence, and characters from `start` up to `end`."""

    text: int
    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class _Form:
    """How a kind is written; `holds` says of compact candidates of one length which are one. A higher `rank` wins."""

    kind: str
    pattern: re.Pattern[str]
    holds: Callable[[Sequence[str]], Sequence[bool]]
    rank: int


def spans(texts: Sequence[str | None] | pa.Array) -> Iterator[Span]:
    """The identifiers in these texts, by text and place; no two of one text overlap. Missing texts hold none.

    >>> [(found.kind, found.start, found.end) for found in spans(["CPF 111.444.777-35, ana@example.org"])]
    [('cpf', 4, 18), ('email', 20, 35)]
    """
    import pyarrow as pa

    column = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(texts, pa.string())
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    column = column if column.type == pa.string() else column.cast(pa.string())
    found = [*_found(column, "@", _mails), *_found(column, _WORTH, _numbered)]
    for text, group in groupby(sorted(found, key=lambda each: each[0]), key=lambda each: each[0]):
        for start, end, kind in _apart([(place, rank) for _text, place, rank in group]):
            yield Span(text, start, end, kind)


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    start: int
    end: int
    kind: str


def _found(
    column: pa.Array, worth: str, search: Callable[[str], Iterator[tuple[_Place, int]]]
) -> Iterator[tuple[int, _Place, int]]:
    """What a search finds in the texts that are worth it, told by an engine that reads each character once.

    These are searched as one text, between whose parts stands what is in no identifier.
    """
    import pyarrow.compute as pc

    places = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(column, worth), False))
    texts = column.take(places).to_pylist()
    starts, numbers = [0, *accumulate(len(text) + 1 for text in texts)], places.to_pylist()
    for place, rank in search("\0".join(texts)):
        text = bisect_right(starts, place.start) - 1
        first = starts[text]
        yield numbers[text], _Place(place.start - first, place.end - first, place.kind), rank


def _numbered(joined: str) -> Iterator[tuple[_Place, int]]:
    for form in _FORMS:
        found = [(match.start(), match.end(), _compact(match[0])) for match in form.pattern.finditer(joined)]
        by_length = sorted(found, key=lambda each: len(each[2]))
        for _length, group in groupby(by_length, key=lambda each: len(each[2])):
            candidates = list(group)
            held = form.holds([compact for *_place, compact in candidates])
            for (start, end, _compacted), holds in zip(candidates, held, strict=True):
                if holds:
                    yield _Place(start, end, form.kind), form.rank


def _mails(joined: str) -> Iterator[tuple[_Place, int]]:
    """Addresses around each `@`: a domain after it, and before it as many characters of a mailbox as there are."""
    for match in _DOMAIN.finditer(joined):
        box = _MAILBOX.search(joined, max(0, match.start() - _MAILBOX_MAX), match.start())
        if box is not None and (match.start() - box.start() < _MAILBOX_MAX):
            yield _Place(box.start(), match.end(), "email"), _CHECKED


def _apart(found: Sequence[tuple[_Place, int]]) -> Iterator[tuple[int, int, str]]:
    """Those of one text that stay when overlaps are resolved (rule 4), in their order."""
    best = sorted(found, key=lambda each: (-each[1], each[0].start - each[0].end, each[0].start))
    taken: list[_Place] = []
    for place, _rank in best:
        if all(place.end <= other.start or other.end <= place.start for other in taken):
            taken.append(place)
    for place in sorted(taken):
        yield place.start, place.end, place.kind


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text)


def _checked(check: check_digits.Check) -> Callable[[Sequence[str]], Sequence[bool]]:
    def holds(texts: Sequence[str]) -> Sequence[bool]:
        found: list[bool] = check(check_digits.matrix(texts)).tolist()
        return found

    return holds


def _lettered(texts: Sequence[str]) -> Sequence[bool]:
    return _checked(check_digits.cnpj)([text.upper() for text in texts])


def _ibans(texts: Sequence[str]) -> Sequence[bool]:
    return [check_digits.iban(text) for text in texts]


def _telephones(texts: Sequence[str]) -> Sequence[bool]:
    return [telephone.is_number(text) for text in texts]


def _any(texts: Sequence[str]) -> Sequence[bool]:
    return [True] * len(texts)


def _addresses(texts: Sequence[str]) -> Sequence[bool]:
    """Whether candidates are IPv6 addresses, which several short forms make hard to tell by a pattern."""
    return [_is_ip(text) for text in texts]


def _is_ip(text: str) -> bool:
    from ipaddress import IPv6Address

    try:
        IPv6Address(text)
    except ValueError:
        return False
    return text.count(":") > 2 or len(text) >= 6


_MAILBOX_MAX = 65
_MAILBOX = re.compile(r"[^\W_][\w.!#$%&'*+/=?^`{|}~-]*\Z|[\w.!#$%&'*+/=?^`{|}~-]+\Z")
_DOMAIN = re.compile(r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9](?![\w@])")
_SEPARATORS = re.compile(r"[ .()/-]")
_WORTH = (
    r"(?:[0-9][ .()/-]{0,3}){7}|[A-Za-z]{3}[ -]?[0-9][A-Za-z0-9][0-9]{2}"
    r"|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Za-z]{12}[0-9]{2}"
    r"|[0-9A-Za-z]{2}\.[0-9A-Za-z]{3}\.|[A-Z]{2}[0-9]{2}[ A-Z0-9]"
)
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_CHECKED, _SHAPED, _LOOSE = 3, 2, 1


def _form(kind: str, pattern: str, holds: Callable[[Sequence[str]], Sequence[bool]], rank: int) -> _Form:
    """A form whose matches stand apart from words and numbers around them (rule 3)."""
    return _Form(kind, re.compile(rf"(?<![\w@])(?<![0-9][.-])(?:{pattern})(?![\w@]|[.-][0-9])"), holds, rank)


_FORMS = (
    _form("cpf", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}[-.][0-9]{2}", _checked(check_digits.cpf), _CHECKED),
    _form("cpf", r"[0-9]{9}-[0-9]{2}|[0-9]{3}(?: [0-9]{3}){2}[ -][0-9]{2}", _checked(check_digits.cpf), _CHECKED),
    _form("cpf", r"[0-9]{11}", _checked(check_digits.cpf), _CHECKED),
    _form(
        "cnpj",
        r"[0-9A-Za-z]{2}\.[0-9A-Za-z]{3}\.[0-9A-Za-z]{3}/[0-9A-Za-z]{4}-[0-9]{2}|[0-9A-Z]{12}[0-9]{2}"
        r"|[0-9]{8}/[0-9]{4}-[0-9]{2}",
        _lettered,
        _CHECKED,
    ),
    _form("pis", r"[0-9]{3}\.[0-9]{5}\.[0-9]{2}-[0-9]|[12][0-9]{10}", _checked(check_digits.pis), _CHECKED - 1),
    _form("cnh", r"[0-9]{11}", _checked(check_digits.cnh), _CHECKED - 1),
    _form("titulo_eleitor", r"[0-9]{4} [0-9]{4} [0-9]{4}|[0-9]{12}", _checked(check_digits.voter), _CHECKED),
    _form("cns", r"[0-9]{3} [0-9]{4} [0-9]{4} [0-9]{4}|[0-9]{15}", _checked(check_digits.cns), _CHECKED - 1),
    _form(
        "card",
        r"[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5}|[0-9]{13,19}",
        _checked(check_digits.card),
        _CHECKED,
    ),
    _form("iban", r"[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?", _ibans, _CHECKED),
    _form("ssn", r"[0-9]{3}-[0-9]{2}-[0-9]{4}", _checked(check_digits.ssn), _SHAPED),
    _form(
        "phone",
        r"\(0?[0-9]{2}\) ?(?:9[ .]?)?[0-9]{4}[ .-]?[0-9]{4}|0?[0-9]{2}[ .-](?:9[ .]?)?[0-9]{4}[ .-][0-9]{4}"
        r"|(?:\(1\)|1)?[ .-]?(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}",
        _telephones,
        _SHAPED,
    ),
    _Form(
        "phone",
        re.compile(r"(?<![\w+])\+[0-9](?:[ .()-]{0,2}[0-9]){7,14}(?![0-9])"),
        _telephones,
        _SHAPED,
    ),
    _form("ip", rf"{_OCTET}(?:\.{_OCTET}){{3}}", _any, _SHAPED),
    _Form("ip", re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{3,39}(?![\w:])"), _addresses, _SHAPED),
    _form("cep", r"[0-9]{5}-[0-9]{3}|[0-9]{2}\.[0-9]{3}-[0-9]{3}", _any, _LOOSE),
    _form("plate", r"[A-Za-z]{3}-[0-9][0-9A-Ja-j][0-9]{2}|[A-Z]{3}[0-9][A-J0-9][0-9]{2}", _any, _LOOSE),
)

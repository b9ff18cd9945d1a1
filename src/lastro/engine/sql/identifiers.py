"""Identifiers as SQL: whether a text is one of its register, by form and check digits, in one tree for both dialects.

Rules:

1. `cpf`, `cnpj` and `iban` are judged as the library python-stdnum judges them: dashes, dots, blanks (in a CNPJ
   slashes, too) of any script may stand anywhere, line ends around it; full-width digits count as digits. Those of
   other scripts do not, though stdnum's CNPJ takes some; nor does a CPF of one digit repeated, though stdnum takes it.
2. A CNPJ may have capital or small letters in its first twelve places, as issued from July 2026: a character's value is
   its ASCII code less 48. `iban` follows the register's structure for its country, without the national check digits
   that some account numbers have inside.
3. `card` has 12 to 19 digits whose Luhn sum ends in 0, with blanks and dashes as above. `cep` is written `01001-000`,
   `01.001-000` or `01001000`, and is at least 01000-000.
4. `ip` is what Python's `ipaddress` reads, `uuid` one of the four forms that its `uuid` writes, `email` an address as
   browsers check it whose domain has two parts and ends in a name, `url` an absolute one with http, https or ftp.
5. Nothing is tried: digits are taken from numbers of 64 bits, patterns run in linear time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from lastro.engine.sql.dialect import build, full_match, text, try_cast
from lastro.model.iban import STRUCTURES
from lastro.model.plan import IdentifierKind
from lastro.model.schema import Primitive

Part = Callable[[exp.Expr, int], exp.Expr]
"""Names a tree that is used more than once: computed in the layer of that number, which may use those before it."""

_DASHES = (
    "-\u058a\u05be\u2010\u2011\u2012\u2013\u2014\u2015\ufe63\uff0d\u180a\u203e\u2043\u00af\u02d7\uffe3\u1680\u207b\u208b"
    "\u2212\u23af\u23ba\u23bb\u23bc\u23bd\u23e4"
)
_DOTS = (
    ".\u00b7\u0387\u06d4\u3002\u0701\u0702\u0830\u0f0b\u0f0c\u16eb\u2022\u2024\u2027\u2e31\u2e33\u30fb\ufe52\uff0e\uff65"
    "\U00010101\U00010a50\U0001091f\ufbb2\ufbb3\u02d9\u2219\u22c5"
)
_SLASHES = "/\u083c\uff0f\u2215\u27cb\u29f8\u2044"
_BLANKS = " \u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_AROUND = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_WIDE_ZEROS = (0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6)
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_HEX = "[0-9A-Fa-f]{1,4}"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z][A-Za-z0-9-]{{0,61}}[A-Za-z0-9]"
_PORT = "(?:[0-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_URL_CHARACTER = r'\pZ\p{Cc}"<>\\^`{|}'
_URL_START = rf"(?:[Hh][Tt][Tt][Pp][Ss]?|[Ff][Tt][Pp])://(?:[^{_URL_CHARACTER}/?#@\[\]]*@)?"
_URL_END = rf"(?::{_PORT}?)?(?:[/?#][^{_URL_CHARACTER}]*)?"
_URL = rf"{_URL_START}[^{_URL_CHARACTER}/?#@:\[\]]+{_URL_END}"
_URL_OF_IPV6 = rf"{_URL_START}\[[0-9A-Fa-f:.]+\]{_URL_END}"
_UUID = (
    "[0-9A-Fa-f]{32}|(?:urn:uuid:)?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    r"|\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}"
)
_CEP = r"(?:0[1-9]|[1-9][0-9])(?:[0-9]{3}-?|\.[0-9]{3}-)[0-9]{3}"


def is_valid(kind: IdentifierKind, value: exp.Expr, part: Part) -> exp.Expr:
    """Whether the text is an identifier of this kind; of a text that is NULL, anything."""
    match kind:
        case IdentifierKind.CPF:
            return _cpf(value, part)
        case IdentifierKind.CNPJ:
            return _cnpj(value, part)
        case IdentifierKind.CARD:
            return _card(value, part)
        case IdentifierKind.IBAN:
            return _iban(value, part)
        case IdentifierKind.EMAIL:
            short = build("LENGTH(:v) <= 254 AND STRPOS(:v, '@') <= 65", v=value)
            return build("CASE WHEN :s THEN :m ELSE FALSE END", s=short, m=full_match(value, _EMAIL))
        case IdentifierKind.IP:
            addresses = [full_match(value, pattern) for pattern in (_IPV4, *_ipv6())]
            return exp.or_(*addresses)
        case IdentifierKind.CEP:
            return full_match(value, _CEP)
        case IdentifierKind.URL:
            return _url(value)
        case IdentifierKind.UUID:
            return full_match(value, _UUID)


def _compact(value: exp.Expr, separators: str, *, letters: bool = False) -> exp.Expr:
    """The text without separators, small letters as capitals. Texts in ASCII, which most are, take the short ways."""
    dropped = {"-": _DASHES, ".": _DOTS, "/": _SLASHES, " ": _BLANKS}
    wide = [(chr(zero + digit), str(digit)) for zero in _WIDE_ZEROS for digit in range(10)]
    small = list(zip(_CAPITALS.lower(), _CAPITALS, strict=True)) if letters else []
    one = dict([*wide, *small])
    gone = "".join(dropped[each] for each in separators)
    translated = exp.Anonymous(
        this="translate", expressions=[value.copy(), text("".join(one) + gone), text("".join(one.values()))]
    )
    plain: exp.Expr = value
    for each in separators:
        plain = build("REPLACE(:v, :s, '')", v=plain, s=text(each))
    escaped = "".join("\\" + each for each in separators)
    alphabet = "0-9A-Z" if letters else "0-9"
    return build(
        "CASE WHEN :bare THEN :v WHEN :ascii THEN :plain ELSE :trimmed END",
        bare=full_match(value, f"[{alphabet}]*"),
        ascii=full_match(value, f"[{alphabet}{escaped}]*"),
        v=value,
        plain=plain,
        trimmed=exp.Trim(this=translated, expression=text(_AROUND)),
    )


def _whole(tree: exp.Expr) -> exp.Expr:
    return try_cast(tree, Primitive.LONG)


def _digit(number: exp.Expr, place: int) -> exp.Expr:
    """The digit at a place, counted from 0 at the right."""
    if place == 0:
        return build(":n % 10", n=number)
    return build(f"(:n // {10**place}) % 10", n=number)


def _weighted(values: Sequence[exp.Expr], weights: Sequence[int]) -> exp.Expr:
    """The sum of values times weights."""
    terms = [build(f":v * {weight}", v=value) for value, weight in zip(values, weights, strict=True)]
    total = terms[0]
    for term in terms[1:]:
        total = exp.Add(this=total, expression=term)
    return exp.Paren(this=total)


def _check_digit_holds(values: Sequence[exp.Expr], weights: Sequence[int]) -> exp.Expr:
    """Whether the last value is the check digit of those before it: 11 less their sum modulo 11, 10 and 11 being 0."""
    return build("(11 - :s % 11) % 11 % 10 = :d", s=_weighted(values[:-1], weights), d=values[-1])


def _cpf(value: exp.Expr, part: Part) -> exp.Expr:
    compact = part(_compact(value, "-. "), 0)
    number = part(
        _whole(build("CASE WHEN :m THEN :c END", m=full_match(compact, "[0-9]{11}"), c=compact)),
        1,
    )
    digits = [part(_digit(number, 10 - place), 2) for place in range(11)]
    return build(
        ":n IS NOT NULL AND :first AND :second AND :n % 11111111111 <> 0",
        n=number,
        first=_check_digit_holds(digits[:10], range(10, 1, -1)),
        second=_check_digit_holds(digits, range(11, 1, -1)),
    )


_CNPJ_FIRST = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def _cnpj(value: exp.Expr, part: Part) -> exp.Expr:
    compact = part(_compact(value, "-./ ", letters=True), 0)
    number = part(
        _whole(build("CASE WHEN :m THEN :c END", m=full_match(compact, "[0-9]{14}"), c=compact)),
        1,
    )
    numeric = [part(_digit(number, 13 - place), 2) for place in range(14)]
    lettered = [build(f"ASCII(SUBSTR(:c, {place}, 1)) - 48", c=compact) for place in range(1, 15)]
    return build(
        "CASE WHEN :n IS NOT NULL THEN :n >= 100 AND :numeric WHEN :form THEN :lettered ELSE FALSE END",
        n=number,
        numeric=_cnpj_digits_hold(numeric),
        form=full_match(compact, "[0-9A-Z]{12}[0-9]{2}"),
        lettered=_cnpj_digits_hold(lettered),
    )


def _cnpj_digits_hold(values: Sequence[exp.Expr]) -> exp.Expr:
    first = _check_digit_holds(values[:13], _CNPJ_FIRST)
    return exp.Paren(this=exp.and_(first, _check_digit_holds(values, (6, *_CNPJ_FIRST))))


def _card(value: exp.Expr, part: Part) -> exp.Expr:
    compact = part(_compact(value, "- "), 0)
    padded = build("LPAD(CASE WHEN :m THEN :c END, 20, '0')", m=full_match(compact, "[0-9]{12,19}"), c=compact)
    halves = [part(_whole(build(f"SUBSTR(:p, {start}, 10)", p=padded)), 1) for start in (1, 11)]
    plain = [_digit(half, place) for half in halves for place in range(0, 10, 2)]
    doubled = [_digit(half, place) for half in halves for place in range(1, 10, 2)]
    # A doubled digit above 9 counts as the sum of its two digits, which is 9 less.
    terms = [*plain, *(build("2 * :d - 9 * (:d // 5)", d=digit) for digit in doubled)]
    total = _weighted(terms, [1] * len(terms))
    return build(":h IS NOT NULL AND :t % 10 = 0", h=halves[0], t=total)


def _iban(value: exp.Expr, part: Part) -> exp.Expr:
    compact = part(_compact(value, "-. ", letters=True), 0)
    sound = exp.or_(*(full_match(compact, pattern) for pattern in _iban_patterns()))
    account = build("SUBSTR(:c, 5)", c=compact)
    numbered: exp.Expr = account
    for index, letter in enumerate(_CAPITALS, start=10):
        numbered = build("REPLACE(:n, :l, :d)", n=numbered, l=text(letter), d=text(str(index)))
    country = build("(ASCII(SUBSTR(:c, 1, 1)) - 55) * 100 + ASCII(SUBSTR(:c, 2, 1)) - 55", c=compact)
    digits = build(
        "CASE WHEN :sound THEN LPAD("
        "CONCAT(CASE WHEN :plain THEN :a ELSE :numbered END, :country, SUBSTR(:c, 3, 2)), 72, '0') END",
        sound=sound,
        plain=full_match(account, "[0-9]*"),
        a=account,
        numbered=numbered,
        country=try_cast(exp.Paren(this=country), Primitive.STRING),
        c=compact,
    )
    padded = part(digits, 1)
    pieces = [build(f"CAST(SUBSTR(:p, {1 + 18 * n}, 18) AS BIGINT) % 97", p=padded) for n in range(4)]
    total = _weighted(pieces, [pow(10, 18 * (3 - n), 97) for n in range(4)])
    return build(":p IS NOT NULL AND :t % 97 = 1", p=padded, t=total)


def _iban_patterns() -> list[str]:
    """The register as patterns, each short enough for a regular expression of ours."""
    classes = {"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]"}
    structures = []
    for entry in STRUCTURES.split():
        pattern, count = entry[:2] + "[0-9]{2}", ""
        for character in entry[2:]:
            if character.isdigit():
                count += character
                continue
            pattern, count = f"{pattern}{classes[character]}{{{count}}}", ""
        structures.append(pattern)
    return ["|".join(structures[start : start + 15]) for start in range(0, len(structures), 15)]


def _ipv6() -> list[str]:
    """The forms of an IPv6 address: whole, shortened at one place, and with an IPv4 address at its end."""
    whole = [f"(?:{_HEX}:){{7}}{_HEX}", f"(?:{_HEX}:){{6}}{_IPV4}"]
    short = [f"{_before(count)}:(?:{_HEX}(?::{_HEX}){{0,{6 - count}}})?" for count in range(7)]
    short.append(f"(?:{_HEX}:){{7}}:")
    mixed = [f"{_before(count)}:(?:{_HEX}:){{0,{5 - count}}}{_IPV4}" for count in range(6)]
    zone = "(?:%[^%/]+)?"
    return [f"(?:{'|'.join(forms)}){zone}" for forms in (whole, short, mixed)]


def _url(value: exp.Expr) -> exp.Expr:
    host = build("SUBSTR(:v, STRPOS(:v, '[') + 1, STRPOS(:v, ']') - STRPOS(:v, '[') - 1)", v=value)
    return build(
        "CASE WHEN :named THEN TRUE WHEN :numbered THEN :address ELSE FALSE END",
        named=full_match(value, _URL),
        numbered=full_match(value, _URL_OF_IPV6),
        address=exp.or_(*(full_match(host, pattern) for pattern in _ipv6())),
    )


def _before(count: int) -> str:
    """So many groups before the `::`, with its first colon."""
    return f"(?:{_HEX}:){{{count}}}" if count else ":"

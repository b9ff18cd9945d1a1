"""Identifiers for tests: valid ones, what becomes of them in people's hands, and libraries that judge them."""

from __future__ import annotations

import ipaddress
import string
import uuid
from collections.abc import Callable
from random import Random

from stdnum import iban, luhn, util
from stdnum.br import cnpj, cpf

from lastro.model.plan import IdentifierKind

K = IdentifierKind
SEPARATORS = " -./\u00a0\u2013\u2212\u00b7\uff0f\u3000_:=,\t\n\u2028\x00"
COUNTRIES = {
    "BR": "8!n5!n10!n1!a1!c",
    "DE": "18n",
    "GB": "4a14n",
    "LC": "4a24c",
    "RU": "14n15c",
    "PT": "21n",
    "NO": "11n",
}
LETTERS = string.ascii_uppercase


def valid(kind: IdentifierKind, random: Random) -> str:
    """An identifier that its register could have given."""
    return _MAKERS[kind](random)


def mangled(kind: IdentifierKind, random: Random) -> str:
    """An identifier, mostly changed: whether it still is one, the oracle says."""
    text = valid(kind, random)
    for _time in range(random.choice((0, 1, 1, 1, 2, 3))):
        text = random.choice(_CHANGES)(text, random)
    return text


def holds(kind: IdentifierKind, text: str) -> bool:
    """What a library, or the form written out in Python, says of it."""
    return _ORACLES[kind](text)


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices(string.digits, k=count))


def _cpf(random: Random) -> str:
    body = _digits(random, 9)
    number = body + next(end for end in map("{:02}".format, range(100)) if _cpf_holds(body + end))
    return random.choice((number, cpf.format(number)))


def _cpf_holds(number: str) -> bool:
    return cpf.is_valid(number) or set(number) == {"0"}


def _cnpj(random: Random) -> str:
    body = "".join(random.choices(string.digits if random.random() < 0.5 else string.digits + LETTERS, k=12))
    number = body + cnpj.calc_check_digits(body + "00")
    number = random.choice((number, cnpj.format(number)))
    return number.lower() if random.random() < 0.1 else number


def _iban(random: Random) -> str:
    country, structure = random.choice(list(COUNTRIES.items()))
    alphabets = {"n": string.digits, "a": LETTERS, "c": string.digits + LETTERS}
    account, count = "", ""
    for character in structure.replace("!", ""):
        if character.isdigit():
            count += character
            continue
        account, count = account + "".join(random.choices(alphabets[character], k=int(count))), ""
    number = country + iban.calc_check_digits(country + "00" + account) + account
    return random.choice((number, iban.format(number), number.lower()))


def _card(random: Random) -> str:
    body = _digits(random, random.choice((11, 12, 14, 15, 15, 15, 18)))
    number = body + luhn.calc_check_digit(body)
    return random.choice(
        (number, "-".join(number[n : n + 4] for n in range(0, len(number), 4)), f"{number[:4]} {number[4:]}")
    )


def _cep(random: Random) -> str:
    number = _digits(random, 8)
    return random.choice((number, f"{number[:5]}-{number[5:]}", f"{number[:2]}.{number[2:5]}-{number[5:]}"))


def _ip(random: Random) -> str:
    if random.random() < 0.3:
        return str(ipaddress.IPv4Address(random.getrandbits(32)))
    address = ipaddress.IPv6Address(
        random.getrandbits(128) & random.getrandbits(128) & random.choice((-1, 0xFFFF << 64))
    )
    groups = address.exploded.split(":")
    mixed = ":".join(groups[:6]) + ":" + str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    start, count = random.randrange(8), random.randrange(1, 8)
    short = ":".join(groups[:start]) + "::" + ":".join(groups[start + count :])
    start, count = random.randrange(6), random.randrange(6)
    short_mixed = ":".join(groups[:start]) + "::" + ":".join([*groups[start + count : 6], mixed.rpartition(":")[2]])
    found = random.choice((str(address), address.exploded, mixed, short, short_mixed))
    return found + random.choice(("", "", "", "%eth0", "%", "%a%b"))


def _uuid(random: Random) -> str:
    made = uuid.UUID(int=random.getrandbits(128))
    return random.choice((str(made), made.hex, made.urn, f"{{{made}}}", str(made).upper()))


def _word(random: Random, extra: str = "", *, most: int = 12) -> str:
    return "".join(random.choices(string.ascii_letters + string.digits + extra, k=random.randint(1, most)))


def _domain(random: Random) -> str:
    labels = [_word(random, "-", most=random.choice((12, 70))) for _label in range(random.randint(1, 3))]
    return ".".join([*labels, random.choice(("br", "com", "museum", "xn--p1ai", "c", "123"))])


def _email(random: Random) -> str:
    local = ".".join(_word(random, "+-_'", most=random.choice((8, 40))) for _atom in range(random.randint(1, 3)))
    return f"{local}@{_domain(random)}"


def _url(random: Random) -> str:
    scheme = random.choice(("http", "https", "HTTPS", "ftp", "mailto", "javascript"))
    host = random.choice(
        (_domain(random), str(ipaddress.IPv4Address(random.getrandbits(32))), "[::1]", "localhost", "açaí.br")
    )
    port = random.choice(("", "", ":80", ":", ":65535", ":65536", ":99999", ":x", ":000080"))
    rest = random.choice(("", "/", "/a/b%20c", "?q=1&r=ã", "#top", "/a?b#c", "/a b", "/<x>"))
    return f"{scheme}://{random.choice(('', '', 'ana@', 'ana:senha@'))}{host}{port}{rest}"


_MAKERS: dict[IdentifierKind, Callable[[Random], str]] = {
    K.CPF: _cpf, K.CNPJ: _cnpj, K.IBAN: _iban, K.CARD: _card, K.CEP: _cep, K.IP: _ip, K.UUID: _uuid, K.EMAIL: _email,
    K.URL: _url,
}  # fmt: skip


def _at(text: str, random: Random, put: str, *, instead: int = 0) -> str:
    place = random.randint(0, len(text))
    return text[:place] + put + text[place + instead :]


def _other_script(text: str, random: Random) -> str:
    zero = random.choice((0xFF10, 0xFF10, 0x1D7CE, 0x0660, 0x0966, 0x06F0))
    some = random.random() < 0.5
    return "".join(
        chr(zero + int(each)) if each in string.digits and (not some or random.random() < 0.2) else each
        for each in text
    )


_CHANGES: tuple[Callable[[str, Random], str], ...] = (
    lambda text, random: _at(text, random, random.choice(string.digits), instead=1),
    lambda text, random: _at(text, random, random.choice(string.digits + LETTERS + "abcxyz")),
    lambda text, random: _at(text, random, random.choice(LETTERS), instead=1),
    lambda text, random: _at(text, random, "", instead=1),
    lambda text, random: _at(text, random, random.choice(SEPARATORS)),
    lambda text, random: _at(_at(text, random, random.choice(SEPARATORS)), random, random.choice(SEPARATORS)),
    lambda text, random: (
        random.choice(("\t", "\n", " ", "\x85", "\u2029")) + text + random.choice(("", "\r\n", " ", "\x1f"))
    ),
    lambda text, random: "".join(each for each in text if each.isalnum()),
    lambda text, random: "-".join(text) if random.random() < 0.5 else " ".join(text),
    lambda text, random: random.choice((text.lower(), text.upper())),
    lambda text, random: (
        random.choice(string.digits) * random.choice((8, 11, 14, 16)) if random.random() < 0.3 else text
    ),
    lambda text, random: text + text if random.random() < 0.1 else text[: random.randint(0, len(text))],
    _other_script,
    _other_script,
)


def _is_plain(text: str, separators: str) -> bool:
    """Nothing in it but ASCII and what stands for ASCII."""
    return util.clean(text, separators).strip().isascii()


def _card_holds(text: str) -> bool:
    number = util.clean(text, " -").strip()
    return 12 <= len(number) <= 19 and luhn.is_valid(number)


def _cep_holds(text: str) -> bool:
    digits = "".join(each for each in text if each in string.digits)
    forms = (digits, f"{digits[:5]}-{digits[5:]}", f"{digits[:2]}.{digits[2:5]}-{digits[5:]}")
    return len(digits) == 8 and digits >= "01000000" and text in forms


def _ip_holds(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _uuid_holds(text: str) -> bool:
    try:
        found = uuid.UUID(text)
    except ValueError:
        return False
    return text.lower() in (str(found), found.hex, found.urn, f"{{{found}}}") and text.startswith("URN") is False


def _email_holds(text: str) -> bool:
    local, _at_sign, domain = text.partition("@")
    labels = domain.split(".")
    letters = set(string.ascii_letters + string.digits)
    return (
        len(text) <= 254
        and 0 < len(local) <= 64
        and all(atom and set(atom) <= letters | set("!#$%&'*+/=?^_`{|}~-") for atom in local.split("."))
        and len(labels) > 1
        and all(set(label) <= letters | {"-"} and 0 < len(label) <= 63 for label in labels)
        and all(label[0] != "-" != label[-1] for label in labels)
        and len(labels[-1]) > 1
        and labels[-1][0] in string.ascii_letters
    )


def _url_holds(text: str) -> bool:
    scheme, _colon, rest = text.partition("://")
    place = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    host = place.rpartition("@")[2]
    if any(each.isspace() or each in '"<>\\^`{|}' or ord(each) < 32 or 127 <= ord(each) < 160 for each in text):
        return False
    if (
        place.count("@") > 1
        or set(place.rpartition("@")[0]) & set("[]")
        or scheme.lower() not in ("http", "https", "ftp")
    ):
        return False
    if host.startswith("["):
        address, bracket, after = host[1:].partition("]")
        if (
            not bracket
            or ":" not in address
            or "%" in address
            or not _ip_holds(address)
            or (after and not after.startswith(":"))
        ):
            return False
        return _port_holds(after[1:])
    name, _colon, port = host.partition(":")
    return bool(name) and not set(name) & set("[]") and _port_holds(port)


def _port_holds(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535)


_ORACLES: dict[IdentifierKind, Callable[[str], bool]] = {
    # Two things stdnum takes that nobody was given: a CPF of one digit repeated, and digits of scripts that it does not
    # turn into ASCII itself.
    K.CPF: lambda text: cpf.is_valid(text) and len(set(cpf.compact(text))) > 1,
    K.CNPJ: lambda text: cnpj.is_valid(text) and _is_plain(text, " -./"),
    K.IBAN: lambda text: (
        iban.is_valid(text, check_country=False) and _is_plain(text, " -.") and iban.compact(text)[2:4].isdigit()
    ),
    K.CARD: _card_holds,
    K.CEP: _cep_holds,
    K.IP: _ip_holds,
    K.UUID: _uuid_holds,
    K.EMAIL: _email_holds,
    K.URL: _url_holds,
}

"""Forms: how many of a column's distinct values have the form of each kind, and how many of those hold.

Rules:

1. Digits with the usual separators are compacted once; those of a length are checked together. Whole numbers may have
   lost zeros at their beginning, and get them back up to the length of a kind.
2. A value that stands in a written form of its own (`111.444.777-35`) is told apart from bare digits.
3. Each form is looked for only where a value can have it: the first characters decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lastro.privacy.detection import check_digits, people, telephone
from lastro.privacy.detection.sampled import Nature, Sampled

FEW = 60
"""How many of the values are looked at first."""
ONE_BY_ONE_MAX = 400
"""How many values are looked at one by one, where they cannot be all at once."""
SHARE_MIN = 0.05
"""Where fewer of the values have a form, it is not looked at: they are others' slips."""


@dataclass(frozen=True, slots=True)
class Form:
    """Of `total` distinct values, how many can be of a kind (`formed`), are (`held`), and are `written` as it is."""

    kind: str
    total: int
    formed: int
    held: int
    written: int = 0

    @property
    def share(self) -> float:
        """The share of the values that are of the kind."""
        return self.held / self.total


def forms(column: Sampled) -> Iterator[Form]:
    """The forms that a column's values have."""
    if column.nature is Nature.TEXT:
        yield from _of_texts(column)
    elif column.nature is Nature.WHOLE:
        yield from _of_digits(column.texts, column.texts, column.distinct, padded=True)


def share_matching(column: Sampled, pattern: str) -> float:
    """The share of distinct values that match a pattern of RE2."""
    return _matching(column.texts, pattern) / column.distinct if column.distinct else 0.0


_DIGITS = r"^[+(]?[0-9](?:[ ().\-/]{0,3}[0-9]){4,21}(?:\.0)?(?: ?(?:x|ext\.? ?|r\.? ?)[0-9]{1,5})?$"
_CNPJ = r"^[0-9A-Za-z]{2}\.?[0-9A-Za-z]{3}\.?[0-9A-Za-z]{3}/?[0-9A-Za-z]{4}-?[0-9]{2}$"
_IBAN = r"^[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{1,4}){3,8}$"
_EMAIL = r"^[^@\s<>\x22]+@(?:[^@\s<>\x22/.,]+\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"^(?:{_OCTET}\.){{3}}{_OCTET}(?:/[0-9]{{1,2}}|:[0-9]{{1,5}})?$"
_IPV4_WIDE = r"^(?:[0-9]+\.){0,3}(?:[1-9][0-9]{2})(?:\.[0-9]+){0,3}"
_IPV6 = r"^(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w+|/[0-9]{1,3})?$"
_MAC = r"^[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}$"
_PLATE = r"^[A-Z]{3}-?[0-9][0-9A-J][0-9]{2}$"
_MERCOSUL = r"^[A-Z]{3}-?[0-9][A-Z][0-9]{2}$"
_WORDS = re.compile(r"[^0-9@/#:_]+")
_PERSON = r"^[^0-9@/#:_&%+=*<>\[\]{}|\\\x22!?;$]+$"
_STREET_CERTAIN = (
    r"(?i)^(?:rua|r\.|av\.?|avenida|travessa|tv\.|alameda|al\.|rodovia|rod\.|estrada|pra[cç]a|largo|viela|ladeira|beco"
    r"|viaduto) \S|^p\.?o\.? box [0-9]+"
)
_STREET = (
    r"(?i)^(?:quadra|setor|condom[ií]nio|conjunto|loteamento|vila|passagem|parque|jardim|via|vereda|trecho|trevo"
    r"|s[ií]tio|fazenda|ch[aá]cara|residencial|recanto|morro|n[uú]cleo|favela|lago|lagoa|feira|distrito|col[oô]nia"
    r"|campo|aeroporto|[aá]rea|esta[cç][aã]o|esplanada|passarela|p[aá]tio|vale) \S"
)
_NUMBERED = r"^[0-9]{1,6}[A-Za-z]? [\pL0-9.'-]+ [\pL0-9.' -]+"
_NUMBERED_CERTAIN = (
    r"(?i)^[0-9]{1,6}[A-Za-z]? .+ (?:st|street|ave|avenue|rd|road|blvd|boulevard|ln|lane|dr|drive|ct|court|pl|place|way"
    r"|ter|terrace|cir|circle|pkwy|parkway|sq|square|trail|hwy|highway|apt|suite|ste|unit)\b"
)


def _of_texts(column: Sampled) -> Iterator[Form]:
    """The forms of texts: those that are not among a few of the values are not looked for among all."""
    few = column.texts.take(list(range(0, column.distinct, max(1, column.distinct // FEW))))
    for group in (_addresses, _numbers, _codes, _mails, _machines, _plates, _streets, _people):
        if not any(True for _form in group(few, len(few))):
            continue
        found = list(group(column.texts, column.distinct))
        yield from found
        if any(form.formed >= 0.95 * form.total for form in found):
            return


def _addresses(texts: Any, total: int) -> Iterator[Form]:  # Any: a pyarrow array
    """IPv4 addresses; those of small numbers only are versions of something."""
    if _enough(held := _matching(texts, _IPV4), total) and _matching(texts, _IPV4_WIDE) >= held / 2:
        yield Form("ip", total, held, held, held)


def _numbers(texts: Any, total: int) -> Iterator[Form]:  # Any: a pyarrow array
    import pyarrow.compute as pc

    is_digits = pc.match_substring_regex(texts, _DIGITS)
    if _enough(pc.sum(is_digits).as_py() or 0, total):
        written = texts.filter(is_digits)
        bare = pc.replace_substring_regex(written, r"(?:\.0| ?(?:x|ext\.? ?|r\.? ?)[0-9]{1,5})$|[ ().\-/]", "")
        yield from _of_digits(written, bare, total, padded=False)


def _mails(texts: Any, total: int) -> Iterator[Form]:  # Any: a pyarrow array
    if _enough(held := _matching(texts, _EMAIL), total):
        yield Form("email", total, held, held, held)


def _machines(texts: Any, total: int) -> Iterator[Form]:  # Any: a pyarrow array
    """IPv6 addresses, and those of network cards."""
    if _enough(held := _matching(texts, _MAC), total):
        yield Form("mac", total, held, held, held)
    elif _enough(_matching(texts, _IPV6), total):
        looked = texts.to_pylist()[:: max(1, total // ONE_BY_ONE_MAX)]
        held = sum(map(_is_ipv6, looked))
        yield Form("ip", len(looked), held, held, held)


def _plates(texts: Any, total: int) -> Iterator[Form]:  # Any: a pyarrow array
    """Number plates; `formed` are those whose fifth place is a letter, `written` those where it is one of A to J."""
    if _enough(held := _matching(texts, _PLATE), total):
        lettered = _matching(texts, r"^[A-Z]{3}-?[0-9][A-J][0-9]{2}$")
        yield Form("plate", total, _matching(texts, _MERCOSUL), held, lettered)


def _streets(texts: Any, total: int) -> Iterator[Form]:  # Any: a pyarrow array
    """Addresses by the word that begins them, or by their number; of the `written` ones, nothing else is one."""
    if _enough(certain := _matching(texts, _STREET_CERTAIN), total):
        held = certain + _matching(texts, _STREET)
        yield Form("address", total, held, held, certain)
    elif _enough(certain := _matching(texts, _NUMBERED_CERTAIN), total):
        held = _matching(texts, _NUMBERED)
        yield Form("address", total, held, held, certain)


def _codes(texts: Any, total: int) -> Iterator[Form]:  # Any: a pyarrow array
    """CNPJs that have letters, and IBANs."""
    import pyarrow.compute as pc

    is_cnpj = pc.match_substring_regex(texts, _CNPJ)
    if _enough(formed := pc.sum(is_cnpj).as_py() or 0, total):
        found = pc.utf8_upper(pc.replace_substring_regex(texts.filter(is_cnpj), "[./-]", "")).to_pylist()
        held = int(check_digits.cnpj(check_digits.matrix(found)).sum())
        yield Form("cnpj", total, formed, held, _matching(texts, "/") if held else 0)
    is_iban = pc.match_substring_regex(texts, _IBAN)
    if _enough(formed := pc.sum(is_iban).as_py() or 0, total):
        found = pc.replace_substring(texts.filter(is_iban), " ", "").to_pylist()
        step = max(1, formed // ONE_BY_ONE_MAX)
        held = sum(map(check_digits.iban, found[::step]))
        yield Form("iban", len(range(0, total, step)), len(found[::step]), held)


_LENGTHS: dict[int, tuple[tuple[str, check_digits.Check], ...]] = {
    11: (("cpf", check_digits.cpf), ("pis", check_digits.pis), ("cnh", check_digits.cnh)),
    12: (("titulo_eleitor", check_digits.voter),),
    14: (("cnpj", check_digits.cnpj),),
    15: (("cns", check_digits.cns), ("imei", check_digits.imei)),
}
_WRITTEN = {
    "cpf": r"^[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}$",
    "pis": r"^[0-9]{3}\.[0-9]{5}\.[0-9]{2}-[0-9]$",
    "cnpj": r"^[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}$",
}
_SHORTEST = {11: 8, 12: 9, 14: 11}
"""How short a whole number may be that stands for so many digits, since zeros at its beginning are lost."""
_SSN, _CEP = r"^[0-9]{3}-[0-9]{2}-[0-9]{4}$", r"^[0-9]{2}\.?[0-9]{3}-[0-9]{3}$"
_CARD_MIN, _CARD_MAX = 13, 19


def _of_digits(written: Any, bare: Any, total: int, *, padded: bool) -> Iterator[Form]:  # Any: pyarrow arrays
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.binary_length(bare).to_numpy(zero_copy_only=False)
    for length, checks in _LENGTHS.items():
        shortest = _SHORTEST.get(length, length) if padded else length
        fits = (lengths >= shortest) & (lengths <= length)
        if not _enough(int(fits.sum()), total) or (padded and lengths[fits].max() < length - 1):
            continue
        chosen = bare.filter(_array(fits))
        digits = _matrix(chosen, length)
        if digits is None:
            continue
        for kind, check in checks:
            pattern = _WRITTEN.get(kind)
            shaped = _matching(written.filter(_array(fits)), pattern) if pattern and not padded else 0
            yield Form(kind, total, int(fits.sum()), int(check(digits).sum()), shaped)
    yield from _cards(bare, lengths, total)
    if not padded:
        yield from _shaped(written, bare, total)
    elif _enough(count := int(np.isin(lengths, (7, 8)).sum()), total):
        yield Form("cep", total, count, count)


def _matrix(texts: Any, length: int) -> Any:  # Any: a pyarrow array; a matrix of digits, None if they are none
    import pyarrow.compute as pc

    if _matching(texts, "^[0-9]+$") != len(texts):
        texts = texts.filter(pc.match_substring_regex(texts, "^[0-9]+$"))
    return check_digits.matrix(pc.utf8_lpad(texts, length, "0").to_pylist()) if len(texts) else None


def _cards(bare: Any, lengths: Any, total: int) -> Iterator[Form]:  # Any: pyarrow and numpy arrays
    """Payment cards of all lengths together."""
    import numpy as np

    fits = (lengths >= _CARD_MIN) & (lengths <= _CARD_MAX)
    if not _enough(formed := int(fits.sum()), total):
        return
    held = 0
    for length in np.unique(lengths[fits]):
        digits = _matrix(bare.filter(_array(lengths == length)), int(length))
        held += 0 if digits is None else int(check_digits.card(digits).sum())
    yield Form("card", total, formed, held)


def _shaped(written: Any, bare: Any, total: int) -> Iterator[Form]:  # Any: pyarrow arrays
    """Kinds without check digits, of texts of digits and separators."""
    import pyarrow.compute as pc

    is_ssn = pc.match_substring_regex(written, _SSN)
    if _enough(formed := pc.sum(is_ssn).as_py() or 0, total):
        held = int(check_digits.ssn(_matrix(bare.filter(is_ssn), 9)).sum())
        yield Form("ssn", total, formed, held, held)
    is_cep = pc.match_substring_regex(written, _CEP)
    ceps = _matching(bare, "^[0-9]{8}$")
    if _enough(ceps, total):
        yield Form("cep", total, ceps, ceps, pc.sum(is_cep).as_py() or 0)
    if _enough(formed := _matching(bare, r"^\+?[0-9]{10,15}$"), total):
        held = _matching(bare, f"^(?:(?:00)?{telephone.NUMBER})$")
        separated = _matching(written, r"^[+(]|[0-9][ )\-.x]") >= formed / 2
        abroad = _matching(written, r"^(?:\+|00[1-9])|[0-9] ?(?:x|ext\.? ?|r\.? ?)[0-9]+$")
        yield Form("phone", total, formed if separated else 0, held, abroad)


def _people(texts: Any, total: int) -> Iterator[Form]:  # Any: a pyarrow array
    """Values that look like people's names: `held` begin with a known given name, `written` have a surname after it.

    What looks like the name of a firm is none. Of the kind `known_name` are all that have any known name.
    """
    if not _enough(_matching(texts, _PERSON), total):
        return
    formed = held = both = known = 0
    step = max(1, total // ONE_BY_ONE_MAX)
    looked = texts.to_pylist()[::step]
    for text in looked:
        spoken = [word.strip(".,'’`-") for word in plain_words(text)]
        spoken = [word for word in spoken if word and word not in people.TITLES]
        if not spoken or not people.FIRMS.isdisjoint(spoken) or not _WORDS.fullmatch(text):
            continue
        formed += 1
        inverted = "," in text
        core = [word for word in spoken if word not in people.LINKS] or spoken
        first, rest = (core[-1:], core[:-1]) if inverted else (core[:1], core[1:])
        given = first[0] in people.GIVEN or (inverted and any(word in people.GIVEN for word in core[1:]))
        surname = any(part in people.SURNAMES for word in rest for part in word.split("-"))
        held += given
        both += given and surname
        known += given or any(part in people.SURNAMES for word in core for part in word.split("-"))
    yield Form("name", len(looked), formed, held, both)
    yield Form("known_name", len(looked), formed, known)


def plain_words(text: str) -> list[str]:
    """The words of a text in small letters, without accents."""
    return unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode().split()


def _is_ipv6(text: str) -> bool:
    from ipaddress import IPv6Address

    try:
        IPv6Address(text.partition("/")[0])
    except ValueError:
        return False
    return True


def _matching(texts: Any, pattern: str) -> int:  # Any: a pyarrow array
    import pyarrow.compute as pc

    return pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0


def _array(mask: Any) -> Any:  # Any: numpy and pyarrow arrays
    import pyarrow as pa

    return pa.array(mask)


def _enough(count: int, total: int) -> bool:
    return count > 0 and count >= SHARE_MIN * total

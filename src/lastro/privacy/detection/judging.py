"""Judges one column by itself: what its forms, its words and its name come to; the rules stand in `columns`."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from lastro.privacy.detection.column_names import is_hidden, kind_named, names_thing
from lastro.privacy.detection.forms import Form, forms, share_matching
from lastro.privacy.detection.inside import spans
from lastro.privacy.detection.kinds import CHANCE, CLASS_OF, TEXT
from lastro.privacy.detection.proposal import Because, Proposal
from lastro.privacy.detection.sampled import Nature, Sampled
from lastro.privacy.detection.vocabulary import vocabulary_kind

CERTAIN, LIKELY = 4.0, 1.0
MOST, HALF, SOME = 0.8, 0.5, 0.3
TEXTS_MAX = 1_000
INSIDE_MIN, INSIDE_TEXTS = 0.01, 2
WHOLE, WHOLE_MIN = 0.8, 0.1
TEXT_LENGTH = 12
PROSE_WORDS, PROSE_DISTINCT = 6, 30
GIVEN_MIN, NAMES_MIN = 0.05, 0.2
_CHECKED = ("cpf", "cnpj", "titulo_eleitor", "cns", "cnh", "pis", "card", "imei", "iban")
_ALIKE = frozenset({"ssn", "plate", "phone"})
"""Kinds whose form codes of things may have, too."""
_SAME_DIGITS = {"renavam": "pis", "postcode": "cep"}
"""Kinds that only the name tells from another of the same form."""
_ANY_OF = {
    "pix": ("cpf", "cnpj", "email", "phone"),
    "document": ("cpf", "cnpj", "cnh", "pis", "titulo_eleitor"),
    "rg": ("cpf",),
    "device": ("imei", "mac", "ip"),
    "login": ("email", "cpf"),
    "person_id": ("cpf", "email", "cnpj"),
    "name": (),
}
"""Kinds under whose name another kind may stand, which is told instead."""


def judged(name: str, column: Sampled) -> Proposal:
    """The proposal for a column without lists and objects, by itself."""
    named = kind_named(name)
    if column.is_empty:
        return Proposal(name, CLASS_OF.get(named), named, Because.EMPTY, named=named)
    found = {form.kind: form for form in forms(column)}
    is_thing = names_thing(name)
    for kind, form in _by_form(found, named):
        if is_thing and kind in _ALIKE:
            continue
        because = Because.BOTH if named == kind else Because.VALUES
        return Proposal(name, CLASS_OF[kind], kind, because, form.held, form.total, named)
    if named and not is_hidden(name) and _may_be(named, column, found):
        return Proposal(name, CLASS_OF[named], named, Because.NAME, distinct=column.distinct, named=named)
    if kind := vocabulary_kind(column):
        return Proposal(name, CLASS_OF[kind], kind, Because.VALUES, column.distinct, column.distinct, named)
    is_formed = any(form.formed >= 0.95 * form.total for form in found.values())
    inside, texts = ({}, 0) if is_formed and "name" not in found else _inside(column)
    if inside:
        return Proposal(
            name, CLASS_OF[TEXT], TEXT, Because.INSIDE, texts, min(column.distinct, TEXTS_MAX), named, inside
        )
    if named and column.nature is not Nature.TRUTH:
        held = found[named].held if named in found else 0
        return Proposal(name, None, "", Because.DOUBT, held, column.distinct, named)
    if column.nature is Nature.OTHER:
        return Proposal(name, None, "", Because.EMPTY)
    if _is_prose(column):
        return Proposal(name, None, "", Because.PROSE, distinct=column.distinct)
    weak = found.get("cep")
    if weak is not None and weak.share >= 0.95 and weak.written >= SOME * weak.total:
        return Proposal(name, None, "cep", Because.NOTHING, weak.held, weak.total)
    return Proposal(name, None, "", Because.NOTHING, distinct=column.distinct)


def certainty(form: Form) -> float:
    """How far above chance a form holds: the decimal logarithm of its likelihood against that of values at random.

    The likelihood ratio of a binomial share against a fixed chance; 0 where the share is not above the chance.
    """
    chance = CHANCE.get(form.kind, 1.0)
    share = form.held / form.formed if form.formed else 0.0
    if share <= chance:
        return 0.0
    apart = share * math.log10(share / chance)
    if share < 1:
        apart += (1 - share) * math.log10((1 - share) / (1 - chance))
    return form.formed * apart


def _by_form(found: Mapping[str, Form], named: str) -> list[tuple[str, Form]]:
    """The kinds that values have by their form, the best first."""
    chosen: list[tuple[str, Form]] = []
    own = _SAME_DIGITS.get(named, named)
    if own in found and _fits(found[own], is_named=True):
        return [(named, found[own])]
    if named == "pix" and (mixed := _mixed(found, "pix")):
        return [mixed]
    if {"cpf", "cnpj"} <= found.keys() and (mixed := _both(found, named)):
        return [mixed]
    expected = _ANY_OF.get(named, ())
    for kind, form in found.items():
        if _fits(form, is_named=kind in expected):
            chosen.append((kind, form))
    return sorted(chosen, key=lambda each: (each[1].share, certainty(each[1])), reverse=True)


def _fits(form: Form, *, is_named: bool) -> bool:
    match form.kind:
        case kind if kind in _CHECKED:
            eased = is_named or form.written >= HALF * form.formed
            return form.share >= (HALF if eased else MOST) and certainty(form) >= (LIKELY if eased else CERTAIN)
        case "ssn":
            return form.share >= MOST and (form.held >= 0.98 * form.formed and (is_named or certainty(form) >= CERTAIN))
        case "phone":
            abroad = form.written >= 0.2 * form.total and form.share >= 0.7
            return abroad or (form.share >= HALF if is_named else form.share >= MOST and certainty(form) >= CERTAIN)
        case "plate":
            told = form.written >= 0.97 * form.formed and form.formed >= SOME * form.total
            return form.share >= HALF if is_named else told and form.share >= 0.9 and certainty(form) >= CERTAIN
        case "cep":
            return is_named and form.share >= HALF
        case "email":
            return form.share >= (SOME if is_named else HALF)
        case "address":
            return form.share >= (SOME if is_named else 0.6) and form.written >= 0.1 * form.total
        case "name":
            return not is_named and _are_names(form)
        case "known_name":
            return False
        case _:
            return form.share >= (HALF if is_named else MOST)


def _are_names(form: Form) -> bool:
    looks = form.formed >= HALF * form.total
    full = form.written >= NAMES_MIN * form.total
    alone = form.held >= 0.6 * form.total and form.total >= 5
    return looks and (full or alone) and form.held >= 2


def _mixed(found: Mapping[str, Form], kind: str) -> tuple[str, Form] | None:
    """Several kinds of one column counted together, such as the keys of PIX."""
    parts = [found[each] for each in (*_ANY_OF[kind], "uuid") if each in found]
    held, total = sum(each.held for each in parts), max((each.total for each in parts), default=0)
    return (kind, Form(kind, total, held, held)) if total and held >= HALF * total else None


def _both(found: Mapping[str, Form], named: str) -> tuple[str, Form] | None:
    """CPF and CNPJ in one column; told as the CPF, which is a person's."""
    cpf, cnpj = found["cpf"], found["cnpj"]
    if min(certainty(cpf), certainty(cnpj)) < CERTAIN:
        return None
    form = Form("cpf", cpf.total, cpf.formed, cpf.held + cnpj.held, cpf.written)
    return ("cpf", form) if form.share >= (HALF if named in {"cpf", "cnpj", "document"} else MOST) else None


_LETTERS = r"^[^0-9@/#:_&%+=*<>\[\]{}|\\\x22!?;$]+$"
_PATTERNS = {
    "rg": r"^(?:[A-Za-z]{2}[ -]?)?[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}[-.]?[0-9Xx]?(?:[ /-]*[A-Za-z/]{2,8})?$"
    r"|^[0-9]{5,10}[Xx]?$",
    "passport": r"^[A-Za-z]{1,2}[ -]?[0-9]{6,8}$|^[0-9]{8,9}$",
    "document": r"^[A-Za-z]{0,3}[0-9.\-/ ]{5,20}[0-9A-Za-z]?$",
    "account": r"^[0-9.\-/ ]{4,24}[0-9Xx]$",
    "ssn": r"^[0-9]{9}$",
    "phone": r"^[+(]?[0-9](?:[ ().\-/]{0,3}[0-9]){7,14}$",
    "postcode": r"^[0-9]{4,5}(?:-[0-9]{3,4})?$|^[A-Za-z][A-Za-z0-9]{1,3} ?[0-9][A-Za-z]{2}$",
    "cep": r"^[0-9]{7,8}$",
    "renavam": r"^[0-9]{9,11}$",
    "pix": r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    "plate": r"^[A-Za-z]{3}[ -]?[0-9][A-Za-z0-9][0-9]{2}$|^[A-HJ-NPR-Z0-9]{17}$",
    "city": r"^[^0-9@#:_]+$",
    "region": r"^[^0-9@#:_]+$",
    "address": r"[^0-9] ",
    "age": r"^[0-9]{1,3}(?:\.0)?$|^[0-9]{1,3} ?[-–a] ?[0-9]{1,3}|^(?:>|<|\+)?=? ?[0-9]{1,3} ?\+?$",
    "gender": r"^[^0-9@#:_]+$|^[0-9]$",
    "birth_date": r"^[0-9]{4}[-/.]?[0-9]{2}[-/.]?[0-9]{2}|^[0-9]{1,2}[-/. ](?:[0-9]{1,2}|[A-Za-z]{3,9})[-/. ][0-9]{2,4}"
    r"|^(?:19|20)[0-9]{2}$|^[0-9]{1,2}$",
    "location": r"^-?[0-9]{1,3}[.,][0-9]+|^[0-9a-z]{5,12}$|^POINT|^\{|[^0-9]{3}",
    "income": r"^(?:[A-Z]{0,3}\$? ?)?-?[0-9][0-9.,]*k?$|[0-9]",
    "imei": r"^[0-9]{14,20}$",
    "mac": r"^[0-9A-Fa-f]{12}$|^[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}$",
    "household": r"^[0-9]{1,2}(?:\.0)?$|^[^0-9@#:_]+$",
}
"""What most values must look like for a name to be believed; a kind without an entry is believed of any text."""
_NEVER_BY_NAME = frozenset({"cpf", "cnpj", "pis", "cnh", "titulo_eleitor", "cns", "card", "iban", "email", "ip"})
"""Kinds whose values decide alone."""
_CATEGORIES_MAX = 60


def _may_be(kind: str, column: Sampled, found: Mapping[str, Form]) -> bool:
    """Whether nothing in the values speaks against what the name says."""
    match column.nature:
        case _ if kind in _NEVER_BY_NAME:
            return False
        case Nature.TRUTH:
            return kind in {"gender", "health", "disability", "union", "criminal", "biometric", "political"}
        case Nature.DATE | Nature.MOMENT:
            return kind == "birth_date"
        case Nature.OTHER:
            return kind in {"biometric", "genetic", "health"}
        case Nature.NUMBER:
            return kind in {"location", "income", "age", "health", "genetic", "biometric"} and _in_range(kind, column)
        case Nature.WHOLE:
            coded = {"race", "religion", "health", "education", "marital_status", "occupation", "person_id", "login"}
            coded |= {"disability", "union", "political", "sexual_life", "criminal", "genetic", "nationality", "city"}
            coded |= {"device"}
            fits = kind in coded or (kind in _PATTERNS and share_matching(column, _PATTERNS[kind]) >= MOST)
            return fits and _in_range(kind, column)
    if kind == "name":
        return _names_by_name(column, found)
    if kind in {"gender", "race", "marital_status", "religion"} and column.distinct > _CATEGORIES_MAX:
        return False
    return kind not in _PATTERNS or share_matching(column, _PATTERNS[kind]) >= (MOST if kind != "location" else HALF)


def _names_by_name(column: Sampled, found: Mapping[str, Form]) -> bool:
    """Names in other letters than the lists', and those that few have: letters only, and not many words of a language.

    Of values in Latin letters, of which enough were looked up and none is known, nothing is said.
    """
    if share_matching(column, _LETTERS) < MOST:
        return False
    form = found.get("known_name")
    latin = share_matching(column, r"^[A-Za-zÀ-ÿ .,'-]+$") >= HALF
    return not latin or form is None or form.total < 10 or form.held >= GIVEN_MIN * form.total


def _in_range(kind: str, column: Sampled) -> bool:
    numbers = column.numbers
    if numbers is None or not len(numbers):
        return True
    low, high = float(numbers.min()), float(numbers.max())
    limits = {"age": (0, 130), "location": (-180, 180), "household": (0, 40), "gender": (0, 9), "income": (0, math.inf)}
    if kind not in limits:
        return True
    return limits[kind][0] <= low and high <= limits[kind][1]


def _inside(column: Sampled) -> tuple[dict[str, int], int]:
    """How many of the texts hold identifiers, by kind, and how many hold any; nothing if those may be chance."""
    import pyarrow.compute as pc

    if column.nature is not Nature.TEXT or (pc.mean(pc.binary_length(column.texts)).as_py() or 0) < TEXT_LENGTH:
        return {}, 0
    texts = column.texts.slice(0, TEXTS_MAX)
    if not pc.any(pc.match_substring_regex(texts, _MANY)).as_py():
        return {}, 0
    counted, bare, whole = Counter[str](), Counter[str](), Counter[str]()
    holding: dict[bool, set[int]] = {True: set(), False: set()}
    for span in spans(texts):
        text = texts[span.text].as_py()
        found = text[span.start : span.end]
        if span.kind in {"plate", "cep"} or (span.kind == "ip" and not _OF_NETWORK.search(found)):
            continue
        if len(found) >= WHOLE * len(text):
            whole[span.kind] += 1
            continue
        is_bare = found.isalnum() and span.kind != "iban"
        (bare if is_bare else counted)[span.kind] += 1
        holding[is_bare].add(span.text)
    if whole["email"] >= WHOLE_MIN * len(texts):
        counted["email"] += whole["email"]
    runs = _runs(texts) if bare else 0
    trusted = {kind: count for kind, count in bare.items() if kind in {"cpf", "cnpj"} and count >= HALF * runs}
    total = Counter(trusted) + counted
    enough = max(INSIDE_TEXTS, INSIDE_MIN * len(texts)) if len(texts) > INSIDE_TEXTS else 1
    if sum(total.values()) < enough:
        return {}, 0
    held = len(holding[False] | holding[True]) if trusted else len(holding[False])
    return dict(total.most_common()), min(len(texts), max(held, total["email"]))


_OF_NETWORK = re.compile(r"[0-9]{3}|:")
"""What tells an address from the version of a program."""
_MANY = r"[ @/?=&;,|{\x22\t]"
"""What no text lacks that holds more than one thing."""


def _runs(texts: Any) -> int:  # Any: a pyarrow array
    """How many runs of 11 or 14 digits there are in texts."""
    import pyarrow.compute as pc

    return pc.sum(pc.count_substring_regex(texts, r"\b(?:[0-9]{11}|[0-9]{14})\b")).as_py() or 0


def _is_prose(column: Sampled) -> bool:
    if column.nature is not Nature.TEXT or column.distinct < PROSE_DISTINCT:
        return False
    return share_matching(column, rf"^\S+(?:\s+\S+){{{PROSE_WORDS - 1},}}") >= HALF

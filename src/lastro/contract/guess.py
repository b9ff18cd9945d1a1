"""What a column's name and sampled values suggest: whether it identifies, whom it is about, what its bounds are.

Rules:

1. A key is unique, never missing, of a plain type, and named like one (`id`, `loan_id`, `codigo`, `uuid`, …).
2. A list of allowed values is guessed for text with 2 to 20 values, seen five times each on average, unless name or
   values look like identifiers, contacts or names of people.
3. Bounds are guessed only where everyone knows them: rates, percentages, ages, years, months, coordinates; else numbers
   that were never negative are at least 0. Bounds never come from a single seen value, and text gets none.
4. What looks personal is classified as restricted, so that its values stand in no statistics.
"""

from __future__ import annotations

import re
from decimal import Decimal as Number
from decimal import InvalidOperation

from lastro.contract.naming import snake
from lastro.model.sample import Sample
from lastro.model.schema import Decimal, Primitive, members
from lastro.model.text import _

VALUES_MIN = 2
VALUES_MAX = 20
REPEATS_MIN = 5
VALUE_LENGTH_MAX = 60


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS = frozenset(
    {Primitive.LONG, Primitive.INTEGER, Primitive.SHORT, Primitive.BYTE, Primitive.DOUBLE, Primitive.FLOAT}
)
_KEY_TYPES = _NUMBERS - {Primitive.DOUBLE, Primitive.FLOAT} | {Primitive.STRING}
_KEY_WORDS = _words("id uuid guid key chave code codigo cod number numero nr num protocolo protocol pk oid")
_IDENTIFIERS = _KEY_WORDS | _words(
    "cpf cnpj rg pis nis cnh ssn passport passaporte token hash ip cookie session sessao account conta iban card cartao"
    " plate placa document documento matricula cep zip postcode"
)
_PERSONAL = _words(
    "cpf rg pis nis cnh ssn passport passaporte email mail phone telefone celular fone mobile whatsapp nome sobrenome"
    " surname firstname lastname fullname endereco address rua street birth nascimento birthday birthdate ip latitude"
    " longitude documento document cartao card iban mother mae father pai"
)
_NAME_OF = _words("first last full customer client cliente person pessoa user usuario employee holder titular")
_PERSON = re.compile(r"[A-ZÀ-Ý][a-zà-ÿ]+(?: (?:d[aeo]s? )?[A-ZÀ-Ý][a-zà-ÿ]+)+")
_CONTACT = re.compile(r"@|\d{6}|(?:\d[ .\-/]?){8}")
_BOUNDS = (
    (_words("latitude lat"), (-90, 90)),
    (_words("longitude lon lng"), (-180, 180)),
    (_words("age idade"), (0, 120)),
    (_words("year ano"), (1900, 2100)),
    (_words("month mes"), (1, 12)),
    (_words("hour hora"), (0, 23)),
    (
        _words("rate taxa ratio share probability probabilidade score pct percent percentage percentual"),
        (0, 1),
    ),
    (_words("rate taxa ratio share pct percent percentage percentual"), (0, 100)),
)


def words(name: str) -> frozenset[str]:
    """The words a column's name is made of, without accents, in lower case."""
    return frozenset(snake(name).split("_"))


def is_key(sample: Sample) -> bool:
    """True if the column can be the primary key and is named like one."""
    fits = sample.unique and not sample.nulls and sample.rows > 0 and not sample.encrypted
    plain = sample.column.type in _KEY_TYPES or (
        isinstance(sample.column.type, Decimal) and not sample.column.type.scale
    )
    return fits and plain and names_key(sample)


def names_key(sample: Sample) -> bool:
    """True if the column is named like a key, whatever it holds, and not known to refer to another one."""
    return not sample.refers and bool(_KEY_WORDS & words(sample.column.name))


def is_personal(sample: Sample) -> bool:
    """True if the name, the name of something inside, or a value, looks as if it were about a natural person."""
    if sample.personal:
        return True
    if any(names_person(name) for name in (sample.column.name, *members(sample.column.type))):
        return True
    return sample.column.type is Primitive.STRING and any("@" in value for value in sample.values)


def names_identifier(name: str) -> bool:
    """True if a name looks as if what it names told one thing, or one person, from others."""
    return bool(_IDENTIFIERS & words(name))


def names_person(name: str) -> bool:
    """True if a name looks as if what it names were about a natural person."""
    return _is_personal(words(name))


def _is_personal(name: frozenset[str]) -> bool:
    return bool(_PERSONAL & name or ("name" in name and (_NAME_OF & name or len(name) == 1)))


def allowed_values(sample: Sample) -> tuple[str, ...]:
    """The values to list as allowed, in alphabetical order; empty if a list would promise nothing or tell of people."""
    if sample.column.type is not Primitive.STRING or is_personal(sample) or names_identifier(sample.column.name):
        return ()
    values = tuple(sorted(value for value in sample.values if value.strip()))
    present = sample.rows - sample.nulls
    enough = VALUES_MIN <= len(values) == sample.distinct <= VALUES_MAX and present >= REPEATS_MIN * len(values)
    return values if enough and not any(map(tells_of_person, values)) else ()


def bounds(sample: Sample) -> tuple[int | None, int | None, str] | None:
    """The smallest and largest value to promise and the reason, in which `{column}` stands; None for nothing."""
    kind = sample.column.type
    name = words(sample.column.name)
    if not (kind in _NUMBERS or isinstance(kind, Decimal)) or names_identifier(sample.column.name):
        return None
    low, high = _number(sample.minimum), _number(sample.maximum)
    if low is None or high is None:
        return None
    for known, (smallest, largest) in _BOUNDS:
        if known & name and smallest <= low and high <= largest:
            why = _("{column} is named like what lies from {low} to {high}, and does so throughout")
            return smallest, largest, why.format(column="{column}", low=smallest, high=largest)
    return (0, None, _("{column} is never negative")) if low >= 0 else None


def tells_of_person(value: str) -> bool:
    """True if a value could be a person's name, contact or number, or is free text."""
    return bool(_PERSON.fullmatch(value) or _CONTACT.search(value)) or len(value) > VALUE_LENGTH_MAX


def _number(text: str | None) -> Number | None:
    try:
        number = Number(text) if text is not None else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None

"""Loan applications of an invented lender, with planted faults whose number is known.

Rules:

1. The same seed gives the same rows, to the last digit.
2. A row carries at most one fault, so that what is found can be compared with what was planted, kind by kind. The
   newest row carries none: an upsert reads it twice.
3. The second month brings new applications, changes to old ones, and applications of the first month that arrive late.
4. A campaign shapes the second month's new applications: many come from one state, and from people who earn more.
   Everything else stays as it was, so that what is said to have drifted can be compared with what was planted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from lastro.demo.people import Person, malform

MONTHS = (datetime(2026, 9, 1), datetime(2026, 10, 1))  # noqa: DTZ001  local time, as the source has it
"""The first days of the two months."""

SPELLINGS = {
    "SP": ("sp", " SP", "São Paulo", "SAO PAULO", "S.P."),
    "MG": ("mg", "MG ", "Minas Gerais", "M.G."),
    "RJ": ("rj", " rj ", "Rio de Janeiro", "R.J."),
    "BA": ("ba", "Bahia"),
}
"""How the branches write some states."""
NOWHERE = ("XX", "EX", "Brasil", "00")
PRODUCTS = {"personal": (1_000, 20_000), "payroll": (2_000, 60_000), "vehicle": (12_000, 120_000)}
"""Each product with the usual range of its amounts, in reais."""
CAMPAIGN_STATE, CAMPAIGN_SHARE, CAMPAIGN_INCOME = "BA", 0.6, 2.0
"""Where the campaign runs, the share of the new applications that it brings, and how much more those people earn."""
DRIFTED = ("uf", "income")
"""The columns that the campaign moves, the one that moves most first."""
TERMS = (6, 12, 18, 24, 36, 48, 60)


@dataclass(frozen=True, slots=True)
class Application:
    """One row of `loan_application`, as the lender's system holds it; dates are Brazilian text."""

    id: int
    cpf: str
    name: str
    uf: str
    birth_date: str
    income: float | None
    amount: float
    term_months: int
    product: str
    status: str
    applied_at: str
    updated_at: str
    defaulted: int | None


@dataclass(frozen=True, slots=True)
class Month:
    """What one month brings: the rows in the order they are written, how many carry each fault and how many came late
    or changed. `states` has each application's state spelt rightly, `faulty` the ids of rows that carry a fault.
    """

    rows: tuple[Application, ...]
    planted: Mapping[str, int]
    states: Mapping[int, str]
    faulty: frozenset[int]
    late: int = 0
    changed: int = 0


FAULTS = {
    "income_missing": 0.029,
    "uf_spelling": 0.032,
    "uf_known": 0.00225,
    "amount_usual": 0.003,
    "cpf_valid": 0.00425,
    "birth_date.type": 0.0015,
    "primary_key": 0.006,
}
"""The share of rows that carry each fault, by the name of the rule that must find it."""


def first_month(random: Random, people: Sequence[Person], count: int) -> Month:
    """`count` applications of the first month, and a few of them twice."""
    sound = [_apply(random, number, random.choice(people), MONTHS[0]) for number in range(1, count + 1)]
    return _spoil(random, sound)


def second_month(random: Random, people: Sequence[Person], before: Month, count: int) -> Month:
    """`count` new applications, 2 % more that were made a month earlier, and changes to 5 % of the old sound ones."""
    start = max(row.id for row in before.rows) + 1
    late = count // 50
    new = [_apply(random, start + n, _campaigned(random, people), MONTHS[1]) for n in range(count)]
    old = [_apply(random, start + count + n, random.choice(people), MONTHS[0]) for n in range(late)]
    arrived = [replace(row, updated_at=_moment(random, MONTHS[1])) for row in old]
    spoilt = _spoil(random, new)
    changed = _change(random, before)
    return replace(
        spoilt,
        rows=(*spoilt.rows, *arrived, *changed),
        states={**spoilt.states, **{row.id: row.uf for row in arrived}, **{row.id: row.uf for row in changed}},
        late=late,
        changed=len(changed),
    )


def _campaigned(random: Random, people: Sequence[Person]) -> Person:
    """Who applies while the campaign runs."""
    if random.random() >= CAMPAIGN_SHARE:
        return random.choice(people)
    person = random.choice([each for each in people if each.uf == CAMPAIGN_STATE] or people)
    return replace(person, income=round(person.income * CAMPAIGN_INCOME, 2))


def _apply(random: Random, number: int, person: Person, month: datetime) -> Application:
    product = random.choice(tuple(PRODUCTS))
    least, most = PRODUCTS[product]
    amount = round(least * (most / least) ** random.random(), 2)
    term = random.choice(TERMS)
    applied = _moment(random, month)
    burden = amount / term / person.income
    status = "approved" if random.random() > min(0.75, 0.1 + 0.25 * burden) else "refused"
    return Application(
        id=number,
        cpf=person.cpf,
        name=person.name,
        uf=person.uf,
        birth_date=person.birth_date.strftime("%d/%m/%Y"),
        income=person.income,
        amount=amount,
        term_months=term,
        product=product,
        status=status,
        applied_at=applied,
        updated_at=applied,
        defaulted=int(random.random() < _risk(person, product, burden)) if status == "approved" else None,
    )


def _risk(person: Person, product: str, burden: float) -> float:
    """The chance of a default in this invented world; the model of the demo has to find it again."""
    age = MONTHS[0].year - person.birth_date.year
    base = {"personal": -1.1, "payroll": -2.6, "vehicle": -1.8}[product]
    return 1 / (1 + math.exp(-(base + 2.2 * min(burden, 1.5) - 0.025 * (age - 40))))


def _moment(random: Random, month: datetime) -> str:
    moment = month + timedelta(seconds=random.randrange(30 * 86_400))
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _change(random: Random, before: Month) -> list[Application]:
    """Old approved applications on which a default was noticed in the second month."""
    sound = [row for row in before.rows if row.defaulted == 0 and row.id not in before.faulty]
    chosen = random.sample(sound, len(before.rows) // 20)
    return [replace(row, defaulted=1, updated_at=_moment(random, MONTHS[1])) for row in chosen]


def _spoil(random: Random, sound: Sequence[Application]) -> Month:
    """The rows with faults planted, each kind on rows of its own."""
    planted = {name: max(1, round(share * len(sound))) for name, share in FAULTS.items()}
    newest = max(range(len(sound)), key=lambda place: sound[place].updated_at)
    spellable = [place for place, row in enumerate(sound) if row.uf in SPELLINGS and place != newest]
    misspelt = random.sample(spellable, planted["uf_spelling"])
    others = sorted(set(range(len(sound))) - set(misspelt) - {newest})
    chosen = random.sample(others, sum(planted.values()) - len(misspelt))
    left = iter(chosen)
    rows = list(sound)
    for place in misspelt:
        rows[place] = replace(rows[place], uf=random.choice(SPELLINGS[rows[place].uf]))
    for name in FAULTS:
        if name not in ("uf_spelling", "primary_key"):
            for place in islice(left, planted[name]):
                rows[place] = _fault(random, name, rows[place])
    return Month(
        rows=_repeat(random, rows, set(left)),
        planted=planted,
        states={row.id: row.uf for row in sound},
        faulty=frozenset(sound[place].id for place in [*misspelt, *chosen]),
    )


def _fault(random: Random, name: str, row: Application) -> Application:
    match name:
        case "income_missing":
            return replace(row, income=None)
        case "uf_known":
            return replace(row, uf=random.choice(NOWHERE))
        case "amount_usual":
            return replace(row, amount=random.choice((-row.amount, round(row.amount * 1_000, 2), 0.0)))
        case "cpf_valid":
            return replace(row, cpf=malform(random, row.cpf))
        case _:
            return replace(row, birth_date=random.choice(("30/02/1987", "31/11/1990", "00/00/0000", "45/13/1979")))


def _repeat(random: Random, rows: Sequence[Application], twice: set[int]) -> tuple[Application, ...]:
    """The rows, with each of the places in `twice` once more somewhere behind itself."""
    behind: dict[int, list[Application]] = {}
    for place in sorted(twice):
        behind.setdefault(random.randrange(place, len(rows)), []).append(rows[place])
    return tuple(each for place, row in enumerate(rows) for each in (row, *behind.get(place, ())))

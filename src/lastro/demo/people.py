"""Invented people: names, states, birth dates, incomes and CPF numbers, all drawn from one seeded generator.

Nobody here exists. The CPF numbers obey the check digits of the real ones, because that is what the contract tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

GIVEN = (
    *("Ana", "Antônio", "Aparecida", "Beatriz", "Benedito", "Bruno", "Camila", "Carlos", "Cecília", "Cláudia"),
    *("Daniela", "Diego", "Edson", "Eliane", "Fábio", "Fernanda", "Francisca", "Gabriel", "Helena", "Heitor"),
    *("Inês", "Ivone", "João", "Joaquim", "José", "Juliana", "Larissa", "Leandro", "Lúcia", "Luiz"),
    *("Marcelo", "Márcia", "Maria", "Mateus", "Miguel", "Neusa", "Otávio", "Patrícia", "Paulo", "Pedro"),
    *("Rafael", "Regina", "Renato", "Rita", "Rodrigo", "Rosana", "Sandra", "Sebastião", "Simone", "Sônia"),
    *("Tânia", "Teresa", "Tiago", "Valéria", "Vanessa", "Vicente", "Vitória", "Wagner", "Yara", "Zélia"),
)
FAMILY = (
    *("Almeida", "Alves", "Andrade", "Araújo", "Azevedo", "Barbosa", "Barros", "Batista", "Braga", "Cardoso"),
    *("Carvalho", "Castro", "Correia", "Costa", "Cunha", "Dias", "Duarte", "Farias", "Ferreira", "Freitas"),
    *("Gomes", "Gonçalves", "Guimarães", "Leite", "Lima", "Lopes", "Macedo", "Machado", "Martins", "Melo"),
    *("Mendes", "Moraes", "Moreira", "Nogueira", "Nunes", "Oliveira", "Pereira", "Pinto", "Queiroz", "Ramos"),
    *("Ribeiro", "Rocha", "Sampaio", "Santana", "Santos", "Silva", "Souza", "Tavares", "Teixeira", "Vieira"),
)
STATES = {
    "SP": 44,
    "MG": 20,
    "RJ": 16,
    "BA": 14,
    "PR": 11,
    "RS": 11,
    "PE": 9,
    "CE": 9,
    "PA": 8,
    "SC": 8,
    "GO": 7,
    "MA": 7,
    "AM": 4,
    "ES": 4,
    "PB": 4,
    "MT": 4,
    "RN": 3,
    "AL": 3,
    "PI": 3,
    "DF": 3,
    "MS": 3,
    "SE": 2,
    "RO": 2,
    "TO": 2,
    "AC": 1,
    "AP": 1,
    "RR": 1,
}
"""Each state with its weight in the draw."""


@dataclass(frozen=True, slots=True)
class Person:
    """One invented customer. `income` is in reais a month."""

    cpf: str
    name: str
    uf: str
    birth_date: date
    income: float


def people(random: Random, count: int, *, today: date) -> tuple[Person, ...]:
    """`count` people between 19 and 74 years old, each with a CPF of their own."""
    return tuple(_person(random, cpf, today) for cpf in _numbers(random, count))


def _person(random: Random, cpf: str, today: date) -> Person:
    return Person(
        cpf=cpf,
        name=f"{random.choice(GIVEN)} {random.choice(FAMILY)} {random.choice(FAMILY)}",
        uf=random.choices(tuple(STATES), tuple(STATES.values()))[0],
        birth_date=today - timedelta(days=random.randint(19 * 366, 74 * 365)),
        income=round(random.lognormvariate(8.2, 0.55), 2),
    )


def _numbers(random: Random, count: int) -> list[str]:
    bodies: dict[str, None] = {}
    while len(bodies) < count:
        bodies[f"{random.randrange(10**9):09d}"] = None
    return [punctuate(complete(body)) for body in bodies]


def complete(body: str) -> str:
    """A CPF's nine digits with its two check digits behind them: weighted sums modulo 11."""
    for weight in (10, 11):
        total = sum(int(digit) * (weight - place) for place, digit in enumerate(body))
        body += str(total * 10 % 11 % 10)
    return body


def punctuate(digits: str) -> str:
    """Eleven digits as people write them: `123.456.789-09`."""
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"


def malform(random: Random, cpf: str) -> str:
    """A CPF as it looks after somebody's mistake: a wrong digit, one too few, or a letter for a digit."""
    digits = cpf.replace(".", "").replace("-", "")
    match random.randrange(3):
        case 0:
            return punctuate(digits[:10] + str((int(digits[10]) + 1 + random.randrange(9)) % 10))
        case 1:
            return digits[:10]
        case _:
            return punctuate(digits[:4] + "O" + digits[5:])

"""The invented lender: the same each time, and with as many faults as it says."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from random import Random
from urllib.request import urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.demo import access, database
from lastro.demo.applications import MONTHS, Month, first_month, second_month
from lastro.demo.customers import PAGE_ROWS, customers, serving
from lastro.demo.lender import build
from lastro.demo.people import STATES, complete, malform, people, punctuate

SIZE = 3_000
TODAY = date(2026, 9, 1)


@pytest.fixture(scope="module")
def months() -> tuple[Month, Month]:
    random = Random(5)
    crowd = people(random, 900, today=TODAY)
    first = first_month(random, crowd, SIZE)
    return first, second_month(random, crowd, first, SIZE // 3)


def test_the_same_size_gives_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        build(tmp_path / name, 500)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        digests.append([(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])

    assert digests[0] == digests[1]
    assert len(digests[0]) == 3


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_check_digits_satisfy_the_law_of_the_cpf(body: str) -> None:
    digits = [int(digit) for digit in complete(body)]

    for place in (9, 10):
        rest = sum(digit * (place + 1 - at) for at, digit in enumerate(digits[:place])) % 11
        assert digits[place] == (0 if rest < 2 else 11 - rest)


@given(st.from_regex(r"[0-9]{9}", fullmatch=True), st.integers(0, 1000))
def test_a_malformed_cpf_is_never_right_by_chance(body: str, seed: int) -> None:
    broken = re.sub(r"\D", "", malform(Random(seed), punctuate(complete(body))))

    assert len(broken) != 11 or complete(broken[:9]) != broken


def test_every_fault_is_there_as_often_as_said(months: tuple[Month, Month]) -> None:
    for month in months:
        rows = month.rows
        found = {
            "income_missing": sum(row.income is None for row in rows),
            "uf_spelling": sum(row.uf != month.states[row.id] and not nowhere(row.uf) for row in rows),
            "uf_known": sum(nowhere(row.uf) for row in rows),
            "amount_usual": sum(not 500 <= row.amount <= 200_000 for row in rows),
            "cpf_valid": sum(not sound_cpf(row.cpf) for row in rows),
            "birth_date.type": sum(not is_date(row.birth_date) for row in rows),
            "primary_key": sum(count - 1 for count in Counter(row.id for row in rows).values()),
        }

        assert found == dict(month.planted)


def test_a_row_carries_at_most_one_fault(months: tuple[Month, Month]) -> None:
    first, _second = months
    kinds = Counter(
        sum(
            (
                row.income is None,
                row.uf != first.states[row.id],
                not 500 <= row.amount <= 200_000,
                not sound_cpf(row.cpf),
                not is_date(row.birth_date),
            )
        )
        for row in first.rows
    )

    assert set(kinds) == {0, 1}


def test_the_second_month_brings_late_and_changed_rows(months: tuple[Month, Month]) -> None:
    first, second = months
    known = {row.id: row for row in first.rows}
    changed = [row for row in second.rows if row.id in known]
    late = [row for row in second.rows if row.id not in known and row.applied_at < f"{MONTHS[1]:%Y-%m-%d}"]

    assert len(changed) == second.changed > 0
    assert all(known[row.id].defaulted == 0 and row.defaulted == 1 for row in changed)
    assert len(late) == second.late > 0
    assert min(row.updated_at for row in second.rows) > max(row.updated_at for row in first.rows)


def test_the_newest_row_is_sound(months: tuple[Month, Month]) -> None:
    first, _second = months
    newest = max(first.rows, key=lambda row: row.updated_at)

    assert newest.id not in first.faulty


def test_the_database_holds_what_arrived(tmp_path: Path, months: tuple[Month, Month]) -> None:
    path = tmp_path / "core.db"
    first, second = months

    database.create(path, first.rows)
    database.arrive(path, second.rows)

    with closing(sqlite3.connect(path)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM loan_application").fetchone()
        (newest,) = connection.execute("SELECT max(updated_at) FROM loan_application").fetchone()
    assert rows == len(first.rows) + len(second.rows) - second.changed
    assert newest == max(row.updated_at for row in second.rows)


def test_the_api_gives_every_customer_on_some_page() -> None:
    random = Random(5)
    served = customers(random, people(random, 1200, today=TODAY), today=TODAY)
    got: list[dict[str, str]] = []

    with serving(served) as address:
        for page in (1, 2, 3, 4):
            with urlopen(f"{address}?page={page}") as answer:
                body = json.load(answer)
            got += body["items"]

    assert body["pages"] == 3
    assert got == list(served.items)
    assert len({row["cpf"] for row in got}) == 1200 == len(got) - served.planted["primary_key"]
    assert got[PAGE_ROWS - 1] == got[PAGE_ROWS]


@pytest.mark.parametrize("name", ["access.log", "access.log.gz"])
def test_a_log_has_as_many_broken_lines_as_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    broken = access.write(path, Random(5), month=MONTHS[0], requests=1500)
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()

    request = re.compile(r'\S+ - - \[[^\]]+\] "[A-Z]+ \S+ HTTP/2\.0" \d{3} \d+ "-" "[^"]+"')
    lines = text.splitlines()

    assert len(lines) == 1500 + broken
    assert sum(not request.fullmatch(line) for line in lines) == broken == 3


def nowhere(state: str) -> bool:
    return state in {"XX", "EX", "Brasil", "00"} and state not in STATES


def sound_cpf(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return len(digits) == 11 and complete(digits[:9]) == digits


def is_date(text: str) -> bool:
    try:
        return bool(datetime.strptime(text, "%d/%m/%Y"))
    except ValueError:
        return False

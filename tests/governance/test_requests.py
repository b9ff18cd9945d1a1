"""The register of requests: last days, order, and nothing of whose they are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lastro.governance.requests import Register, by_urgency, dues, month_after, new_id
from lastro.model.errors import Corrupted, UnknownName, UsageError
from lastro.model.subject import Request

DAY = date(2026, 11, 26)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register(tmp_path / "requests.jsonl")


def entered(register: Register, number: int, received: date = DAY, basis: str = "") -> Request:
    request = Request(new_id(number.to_bytes(6, "big")), "access", received, basis)
    return register.enter(request, actor="bea")


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 12, 15), date(2027, 1, 15)),
        (date(2026, 4, 30), date(2026, 5, 30)),
    ],
)
def test_a_month_ends_on_its_own_day_or_on_the_last(received: date, due: date) -> None:
    assert month_after(received) == due


def test_the_basis_says_which_law_counts() -> None:
    assert [each.law for each in dues(DAY, "LGPD art. 18, II")] == ["LGPD"]
    assert [each.law for each in dues(DAY, "GDPR art. 15")] == ["GDPR"]
    assert [each.law for each in dues(DAY, "")] == ["GDPR", "LGPD"]
    assert dues(DAY, "lgpd")[0].day == date(2026, 12, 11)


def test_overdue_ones_come_first(register: Register) -> None:
    late, soon = entered(register, 1, date(2026, 10, 1)), entered(register, 2)
    done, later = entered(register, 3, date(2026, 9, 1)), entered(register, 4, basis="GDPR art. 15")
    register.answer(done.id, DAY, "exported", actor="bea")

    order = by_urgency(register.read(), DAY)

    assert [each.id for each in order] == [late.id, soon.id, later.id, done.id]
    assert [each.is_overdue(DAY) for each in order] == [True, False, False, False]
    assert not soon.is_overdue(date(2026, 12, 11))
    assert soon.is_overdue(date(2026, 12, 12))


@pytest.mark.parametrize("text", ["x" * 201, "a\nb", "\x1b[31m"])
def test_what_is_no_short_text_is_refused(register: Register, text: str) -> None:
    with pytest.raises(UsageError):
        entered(register, 1, basis=text)

    assert register.read() == ()


@pytest.mark.parametrize("id_", ["", "../../x", "req-ABCDEF012345", "req-0123456789abc", "529.982.247-25"])
def test_what_is_no_id_is_refused_without_being_told(register: Register, id_: str) -> None:
    with pytest.raises(UsageError) as refused:
        register.answer(id_, DAY, "", actor="bea")

    assert not id_ or id_ not in str(refused.value)


def test_an_unknown_request_and_a_changed_register(register: Register) -> None:
    entered(register, 1)
    with pytest.raises(UnknownName):
        register.get("req-ffffffffffff")

    register.path.write_bytes(register.path.read_bytes().replace(b"2026-11-26", b"2026-12-26"))

    with pytest.raises(Corrupted):
        register.read()

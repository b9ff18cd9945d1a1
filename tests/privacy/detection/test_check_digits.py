"""Check digits: known numbers hold, and one changed digit is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.br import cnpj as cnpj_oracle
from stdnum.br import cpf as cpf_oracle
from stdnum.luhn import is_valid as luhn_oracle

from lastro.privacy.detection import check_digits
from lastro.privacy.detection.check_digits import matrix

KNOWN = [
    (check_digits.cpf, "11144477735"),
    (check_digits.cpf, "52998224725"),
    (check_digits.cnpj, "11222333000181"),
    (check_digits.cnpj, "12ABC34501DE35"),
    (check_digits.pis, "12056412547"[:10] + "5"),
    (check_digits.cnh, "02650306461"),
    (check_digits.voter, "004356870906"),
    (check_digits.cns, "898000000043208"),
    (check_digits.card, "4111111111111111"),
    (check_digits.card, "378282246310005"),
    (check_digits.imei, "490154203237518"),
    (check_digits.ssn, "078051120"),
]


@pytest.mark.parametrize(("check", "number"), KNOWN)
def test_a_known_number_holds_and_its_neighbour_does_not(check: check_digits.Check, number: str) -> None:
    last = str((int(number[-1]) + 1) % 10)

    assert check(matrix([number])).tolist() == [True]
    assert check is check_digits.ssn or check(matrix([number[:-1] + last])).tolist() == [False]


@given(st.lists(st.from_regex(r"[0-9]{11}", fullmatch=True), min_size=1, max_size=20))
def test_a_cpf_is_what_the_library_says(numbers: list[str]) -> None:
    found = check_digits.cpf(matrix(numbers)).tolist()

    assert found == [cpf_oracle.is_valid(each) and len(set(each)) > 1 for each in numbers]


@given(st.from_regex(r"[0-9A-Z]{12}", fullmatch=True))
def test_a_cnpj_is_what_the_library_says(body: str) -> None:
    number = body + cnpj_oracle.calc_check_digits(body)

    assert check_digits.cnpj(matrix([number])).tolist() == [len(set(number)) > 1]


@given(st.lists(st.from_regex(r"[0-9]{16}", fullmatch=True), min_size=1, max_size=20))
def test_luhns_sum_is_what_the_library_says(numbers: list[str]) -> None:
    assert check_digits.luhn(matrix(numbers)).tolist() == [luhn_oracle(each) and len(set(each)) > 1 for each in numbers]


def test_an_iban_has_check_digits_and_a_length() -> None:
    assert check_digits.iban("GB82WEST12345698765432")
    assert check_digits.iban("BR1800360305000010009795493C1")
    assert not check_digits.iban("GB83WEST12345698765432")
    assert not check_digits.iban("GB82WEST1234569876543")
    assert not check_digits.iban("XX82WEST12345698765432")

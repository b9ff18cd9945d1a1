"""Identifiers inside texts: found where they stand, and nowhere else."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.privacy.detection.inside import spans

FOUND = [
    ("CPF 111.444.777-35.", [("cpf", "111.444.777-35")]),
    ("52998224725,11144477735;52998224725", [("cpf", "52998224725"), ("cpf", "11144477735"), ("cpf", "52998224725")]),
    ("cpf: 529 982 247 25 (pago)", [("cpf", "529 982 247 25")]),
    ("Empresa 12.ABC.345/01DE-35", [("cnpj", "12.ABC.345/01DE-35")]),
    ("nota de 11222333000181", [("cnpj", "11222333000181")]),
    ("escreva a ana.silva+x@correio.example.org, obrigada", [("email", "ana.silva+x@correio.example.org")]),
    ("josé@exemplo.com.br", [("email", "josé@exemplo.com.br")]),
    ("ligue (11) 98765-4321 ou +55 21 99876-5432", [("phone", "(11) 98765-4321"), ("phone", "+55 21 99876-5432")]),
    ("call 212-555-0147, or +442071838750", [("phone", "212-555-0147"), ("phone", "+442071838750")]),
    ("card 4111 1111 1111 1111!", [("card", "4111 1111 1111 1111")]),
    ("IBAN GB82 WEST 1234 5698 7654 32 now", [("iban", "GB82 WEST 1234 5698 7654 32")]),
    ("SSN 078-05-1120", [("ssn", "078-05-1120")]),
    ("de 10.0.0.1 para 2001:db8::1", [("ip", "10.0.0.1"), ("ip", "2001:db8::1")]),
    ("CEP 01310-100, placa BRA2E19", [("cep", "01310-100"), ("plate", "BRA2E19")]),
    ("título 0043 5687 0906", [("titulo_eleitor", "0043 5687 0906")]),
]
NOT_FOUND = [
    "111.444.777-36",
    "12345678901",
    "4111 1111 1111 1112",
    "versão 1.2.3.4.5",
    "às 12:30:45",
    "mac 00:1A:2B:3C:4D:5E",
    "pi 3.14159265358979",
    "666-12-1234",
    "pedido 2026-0001-778",
    "x52998224725",
    "1529982247255",
    "ana at example dot org",
    "R$ 1.234.567,89 em 2026-11-26T10:15:05Z",
    "uuid 6f1b2a3c-0d4e-4f5a-8b6c-7d8e9f0a1b2c",
    "",
]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_an_identifier_is_found_where_it_stands(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(found.kind, text[found.start : found.end]) for found in spans([text])] == expected


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_only_looks_like_one_is_left(text: str) -> None:
    assert list(spans([text])) == []


def test_places_are_those_of_the_texts_given() -> None:
    texts = pa.chunked_array([[None, "nada"], ["é 52998224725"]])

    assert [(found.text, found.start, found.end) for found in spans(texts)] == [(2, 2, 13)]


@given(st.lists(st.one_of(st.none(), st.text(max_size=30), st.sampled_from([text for text, _found in FOUND]))))
def test_every_text_is_searched_by_itself(texts: list[str | None]) -> None:
    together = [(found.text, found.start, found.end, found.kind) for found in spans(texts)]

    alone = [(place, found.start, found.end, found.kind) for place, text in enumerate(texts) for found in spans([text])]
    assert together == alone


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    for piece in ("1", "1 ", "a@", "1.", "::", "+1", "(11) "):
        assert len(list(spans([piece * 20_000]))) < 20_000

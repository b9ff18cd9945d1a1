"""Proposals for columns: values decide where they can, names the rest, and nothing that was seen is told."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.br import cpf

from lastro.model.personal import OF_PERSONS, Classified, PersonalClass
from lastro.privacy.detection.column_names import kind_named
from lastro.privacy.detection.columns import column, propose
from lastro.privacy.detection.proposal import Because

RANDOM = random.Random(5)
BODIES = [f"{RANDOM.randrange(10**9):09}" for _each in range(200)]
CPFS = [body + cpf._calc_check_digits(body) for body in BODIES]
NUMBERS = [str(RANDOM.randrange(10**10, 10**11)) for _each in range(200)]
NAMES = ["Ana Souza", "João da Silva", "MARIA LIMA", "Lucas Rocha Filho", "Costa, Pedro", "Dra. Carla Dias"] * 5


def kinds(name: str, values: object) -> tuple[PersonalClass | None, str]:
    found = column(name, values)
    return found.of, found.kind


IDENTIFIER = PersonalClass.IDENTIFIER


@pytest.mark.parametrize(
    "values",
    [
        pa.array(CPFS),
        pa.array([cpf.format(each) for each in CPFS]),
        pa.array([f" {each} " for each in CPFS]),
        pa.array([int(each) for each in CPFS]),
        pa.array([float(each) for each in CPFS]),
        pa.array([f"{int(each)}.0" if each[0] != "0" else each for each in CPFS]),
        pa.array([Decimal(each) for each in CPFS], pa.decimal128(18, 0)),
        pa.array([*CPFS, None, "", "N/A", "000.000.000-00"]),
        pa.array(CPFS).dictionary_encode(),
        pa.chunked_array([CPFS[:100], CPFS[100:]]),
        pa.array(CPFS, pa.large_string()),
        pa.array(CPFS, pa.string_view()),
        pa.array([[each, each] for each in CPFS]),
        pa.array([{"a": {"b": each}} for each in CPFS]),
        pa.array([[("k", each)] for each in CPFS], pa.map_(pa.string(), pa.string())),
        pa.array(CPFS[:3]),
    ],
)
def test_a_cpf_is_found_whatever_it_is_kept_as(values: pa.Array) -> None:
    assert kinds("x", values) == (IDENTIFIER, "cpf")


@pytest.mark.parametrize(
    ("name", "values", "because"),
    [
        ("cpf", pa.array([1.5, 2.25, 1999.9]), Because.DOUBT),
        ("cpf", pa.array(NUMBERS), Because.DOUBT),
        ("cpf", pa.array([int(each) for each in NUMBERS]), Because.DOUBT),
        ("cpf_hash", pa.array([f"{RANDOM.getrandbits(256):064x}" for _each in range(50)]), Because.NOTHING),
        ("x", pa.array(NUMBERS), Because.NOTHING),
        ("x", pa.array(["52998224725"]), Because.NOTHING),
        ("email_verified", pa.array([True, False]), Because.NOTHING),
        ("company_name", pa.array(["Silva & Filhos Ltda", "Souza SA", "Lima Comércio"] * 9), Because.NOTHING),
        ("x", pa.array([], pa.string()), Because.EMPTY),
        ("x", pa.array([None, None], pa.string()), Because.EMPTY),
        ("x", pa.nulls(3), Because.EMPTY),
        ("x", pa.array(["", "  ", None]), Because.EMPTY),
        ("x", pa.array([b"\xff\xfe"]), Because.EMPTY),
        ("x", pa.array([{}], pa.struct([])), Because.EMPTY),
        ("x", pa.array([float("nan"), float("inf")]), Because.NOTHING),
        ("x", pa.array([f"uma frase bem longa de número {n} que ninguém leu" for n in range(50)]), Because.PROSE),
    ],
)
def test_what_only_looks_personal_is_not_called_so(name: str, values: pa.Array, because: Because) -> None:
    found = column(name, values)

    assert found.of is None
    assert found.because is because


@pytest.mark.parametrize(
    ("name", "values", "of", "kind"),
    [
        ("cpf", pa.array(["529.982.247-25"]), IDENTIFIER, "cpf"),
        ("x", pa.array(["529.982.247-25"]), IDENTIFIER, "cpf"),
        ("col", pa.array(NAMES), IDENTIFIER, "name"),
        ("nome", pa.array(["山田太郎", "Анна Иванова", "محمد علي"] * 4), IDENTIFIER, "name"),
        ("full_name", pa.array(["Xyzzy Qwrty"]), IDENTIFIER, "name"),
        ("contato", pa.array(["ana@example.org", "josé@exemplo.com.br"]), IDENTIFIER, "email"),
        (
            "obs",
            pa.array(["ligar para ana@example.org hoje", *("nada a dizer" for _n in range(9))]),
            IDENTIFIER,
            "text",
        ),
        ("payload", pa.array([f'{{"cpf": "{cpf.format(each)}"}}' for each in CPFS]), IDENTIFIER, "text"),
        ("url", pa.array([f"https://example.org/?cpf={each}" for each in CPFS]), IDENTIFIER, "text"),
        ("RG", pa.array(["12.345.678-9", "MG-12.345.678"]), IDENTIFIER, "rg"),
        ("clienteId", pa.array([1, 2, 3]), IDENTIFIER, "person_id"),
        ("dt_nasc", pa.array([dt.date(1980, 1, 2)]), PersonalClass.QUASI, "birth_date"),
        ("dataDeNascimento", pa.array(["02/01/1980"]), PersonalClass.QUASI, "birth_date"),
        ("IDADE", pa.array([20, 30]), PersonalClass.QUASI, "age"),
        ("raça", pa.array(["1", "2"]), PersonalClass.SENSITIVE, "race"),
        ("cor", pa.array(["Branca", "Preta", "Parda"]), PersonalClass.SENSITIVE, "race"),
        ("renda_mensal", pa.array([Decimal("1.50")]), PersonalClass.FEATURE, "income"),
        ("impressao_digital", pa.array([b"\x00\x01"]), PersonalClass.SENSITIVE, "biometric"),
        ("endereco", pa.array([{"logradouro": "Rua A, 10", "cidade": "Natal"}]), IDENTIFIER, "address"),
        ('"; DROP TABLE x; --', pa.array(CPFS), IDENTIFIER, "cpf"),
        ("x" * 10_000, pa.array(CPFS), IDENTIFIER, "cpf"),
    ],
)
def test_what_is_personal_is_told_with_its_kind(name: str, values: pa.Array, of: PersonalClass, kind: str) -> None:
    assert kinds(name, values) == (of, kind)


def test_huge_cells_and_many_are_cut_before_they_are_looked_at() -> None:
    huge = pa.array([f"{'a' * 3_000_000} 529.982.247-25", "b " * 1_000_000])

    assert column("x", huge).of is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nu_cpf", "cpf"),
        ("cpfCliente", "cpf"),
        ("CPF/CNPJ", "cpf"),
        ("Data de Nascimento", "birth_date"),
        ("datanascimento", "birth_date"),
        ("nome", "name"),
        ("customerName", "name"),
        ("nome_produto", ""),
        ("file_name", ""),
        ("email_count", ""),
        ("store_city", ""),
        ("e-mail", "email"),
        ("estado_civil", "marital_status"),
        ("tipo_sanguineo", "health"),
        ("", ""),
        ("日本", ""),
        ("cpf_hash", ""),
    ],
)
def test_a_name_tells_a_kind_or_none(name: str, kind: str) -> None:
    assert kind_named(name) == kind


def test_what_nothing_is_found_in_depends_on_the_other_columns() -> None:
    scores, ceps = pa.array([0.5, 0.25]), pa.array([f"{n:05}-000" for n in range(1_000, 1_300)])

    alone = propose({"score": scores, "x": ceps})
    beside = propose({"cpf": pa.array(CPFS), "score": scores, "x": ceps, "sku": ceps})

    assert [each.of for each in alone] == [PersonalClass.NONE, PersonalClass.NONE]
    assert [(each.of, each.kind) for each in beside[1:]] == [
        (PersonalClass.FEATURE, ""),
        (PersonalClass.QUASI, "cep"),
        (PersonalClass.FEATURE, ""),
    ]


def test_what_a_person_said_stays_and_protected_values_are_not_judged() -> None:
    said = [
        Classified("a", PersonalClass.NONE, confirmed="ana"),
        Classified("b", PersonalClass.QUASI, "city", "seen"),
        Classified("c", PersonalClass.FEATURE),
    ]
    values = pa.array(CPFS)

    found = propose(dict.fromkeys("abc", values) | {"cpf": values}, stated=said, protected=["cpf"])

    assert [each.of for each in found] == [PersonalClass.NONE, IDENTIFIER, PersonalClass.FEATURE, IDENTIFIER]
    assert [each.because for each in found][::3] == [Because.STATED, Because.EMPTY]


VALUES = st.one_of(
    st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=30).map(lambda each: pa.array(each, pa.string())),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=30).map(
        lambda each: pa.array(each, pa.int64())
    ),
    st.lists(st.floats(), max_size=30).map(lambda each: pa.array(each, pa.float64())),
    st.lists(st.lists(st.text(max_size=9), max_size=3), max_size=9).map(
        lambda each: pa.array(each, pa.list_(pa.string()))
    ),
    st.lists(st.datetimes(), max_size=9).map(lambda each: pa.array(each, pa.timestamp("us"))),
    st.lists(st.decimals(-1000, 1000, places=2), max_size=9).map(lambda each: pa.array(each, pa.decimal128(18, 2))),
)
COLUMN_NAMES = st.one_of(st.text(max_size=20), st.sampled_from(["cpf", "nome", "idade", "phone", "chave_pix", "lat"]))


@settings(max_examples=150)
@given(COLUMN_NAMES, VALUES)
def test_any_column_gets_an_answer(name: str, values: pa.Array) -> None:
    found = column(name, values)

    assert found.matched <= max(found.distinct, 1)
    assert found.evidence
    assert (found.of in OF_PERSONS) <= bool(found.kind)


def test_no_value_is_in_what_is_told() -> None:
    planted = ["529.982.247-25", "Zacarias Quatrocchi", "zq@example.org", "+55 11 98765-4321"]

    for value in planted:
        for values in ([value], [value] * 5, [f"texto com {value} dentro"], [value, None, "outro"]):
            found = column("coluna", pa.array(values))
            told = f"{found!r} {found.evidence} {found.classified()!r}"

            assert not any(part in told for each in planted for part in each.split(" ") if len(part) > 4)

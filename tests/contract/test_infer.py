"""The first contract: what is guessed, what is not, and that it always reads."""

import gettext
from datetime import date

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.contract import infer, parse
from lastro.contract.infer import guesses
from lastro.model import text as texts
from lastro.model.errors import ContractError, NameRefused
from lastro.model.plan import OneOf, Within
from lastro.model.sample import Also, Sample
from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, StructOf

TODAY = date(2026, 11, 22)


def sample(name, kind=Primitive.STRING, **given_):
    values = {
        "rows": 1000,
        "nulls": 0,
        "distinct": 500,
        "unique": False,
        "minimum": None,
        "maximum": None,
        "length_max": None,
        "values": (),
        "format": None,
        "all_read": True,
    }
    return Sample(Field(name, kind), **(values | given_))


def listed(name, *values, **more):
    return sample(name, values=values, distinct=len(values), **more)


def made(*samples):
    text = infer("loans", samples, source="core.loan_application", today=TODAY)
    return text, parse(text, name="loans.odcs.yaml").plan()


def conditions(plan):
    return {rule.name: rule.condition for rule in plan.row_rules}


LENDER = (
    sample("loan_id", Primitive.LONG, unique=True, distinct=1000, minimum="1", maximum="1000"),
    sample("CPF", unique=True, distinct=1000, length_max=14),
    sample("Renda Mensal (R$)", Decimal(12, 2), nulls=31, minimum="0.00", maximum="98765.43"),
    listed("UF", "SP", "RJ", "MG"),
    sample("dt_solicitacao", Primitive.DATE, format="%d/%m/%Y", minimum="2024-01-02", maximum="2025-12-30"),
    sample("taxa_juros", Primitive.DOUBLE, minimum="0.011", maximum="0.094"),
    sample("aprovado", Primitive.BOOLEAN),
    sample("observacao", nulls=1000, distinct=0),
)


def test_the_lenders_table_becomes_a_contract_a_person_would_keep():
    text, plan = made(*LENDER)

    assert text == (
        "# Inferred on 2026-11-22 from 1000 rows. Lines marked `guessed` want a person's eye.\n"
        "version: 0.1.0\n"
        "apiVersion: v3.2.0\n"
        "kind: DataContract\n"
        "id: loans\n"
        "status: draft\n"
        "description:\n"
        "  purpose: Inferred from core.loan_application\n"
        "schema:\n"
        "  - name: loans\n"
        "    logicalType: object\n"
        "    properties:\n"
        "      - name: loan_id\n"
        "        logicalType: integer\n"
        "        primaryKey: true  # guessed: loan_id is unique and never missing\n"
        "        required: true\n"
        "      - name: CPF\n"
        "        logicalType: string\n"
        "        required: true\n"
        "        classification: restricted  # guessed: CPF looks personal, so its values stand in no statistics\n"
        "      - name: renda_mensal_r\n"
        '        physicalName: "Renda Mensal (R$)"\n'
        "        logicalType: number\n"
        "        physicalType: decimal(12,2)\n"
        "        logicalTypeOptions:\n"
        "          minimum: 0  # guessed: renda_mensal_r is never negative\n"
        "      - name: UF\n"
        "        logicalType: string\n"
        "        required: true\n"
        "        enum:  # guessed: UF has 3 values in 1000 rows\n"
        "          - value: MG\n"
        "          - value: RJ\n"
        "          - value: SP\n"
        "      - name: dt_solicitacao\n"
        "        logicalType: date\n"
        "        required: true\n"
        "        logicalTypeOptions:\n"
        "          format: dd/MM/yyyy  # guessed: dt_solicitacao is written so throughout\n"
        "      - name: taxa_juros\n"
        "        logicalType: number\n"
        "        required: true\n"
        "        logicalTypeOptions:\n"
        "          minimum: 0  # guessed: taxa_juros is named like what lies from 0 to 1, and does so throughout\n"
        "          maximum: 1  # guessed: taxa_juros is named like what lies from 0 to 1, and does so throughout\n"
        "      - name: aprovado\n"
        "        logicalType: boolean\n"
        "        required: true\n"
        "      - name: observacao\n"
        "        logicalType: string  # guessed: observacao has no value, so it may be anything\n"
    )
    assert sum("taxa_juros" in guess for guess in guesses(text)) == 1
    assert plan.primary_key == ("loan_id",)
    assert plan.columns[2].source == "Renda Mensal (R$)"
    assert plan.columns[4].format == "%d/%m/%Y"
    assert plan.withheld == {"CPF"}


KEYS = {
    "id": sample("id", Primitive.LONG, unique=True),
    "loanId": sample("loanId", unique=True),
    "codigo": sample("codigo", Decimal(10, 0), unique=True),
}
NO_KEYS = {
    "not unique": sample("id", Primitive.LONG),
    "missing": sample("id", Primitive.LONG, unique=True, nulls=1),
    "no such name": sample("amount", Primitive.LONG, unique=True),
    "name that only ends so": sample("paid", Primitive.LONG, unique=True),
    "no rows": sample("id", Primitive.LONG, unique=True, rows=0),
    "a double": sample("id", Primitive.DOUBLE, unique=True),
    "a list": sample("ids_key", ListOf(Primitive.LONG), unique=True),
}


@pytest.mark.parametrize("column", KEYS.values(), ids=KEYS)
def test_a_key_is_unique_always_there_and_named_like_one(column):
    assert made(column)[1].primary_key == (column.column.name,)


@pytest.mark.parametrize("column", NO_KEYS.values(), ids=NO_KEYS)
def test_what_may_be_no_key_is_none(column):
    text, plan = made(column)

    assert plan.primary_key == ()
    assert "# guessed: no primary key" in text


def test_a_key_that_almost_is_one_is_named_with_what_is_in_its_way():
    text, _ = made(sample("UF"), sample("Código", rows=200, nulls=2, distinct=197))

    assert (
        "# guessed: no primary key, since codigo is named like one, but missing in 2 and repeated in 1 of 200 rows"
        in text
    )


@pytest.mark.parametrize("name", ["valor", "Valor do Empréstimo # R$", 'a"b: c', " x", "a\nb", "\u202e"])
def test_a_decimal_comma_is_cleaned_by_the_contract(name):
    quoted = '"' + name.replace('"', '""') + '"'
    text, plan = made(sample(name, Decimal(18, 2), expression=f"replace({quoted}, ',', '.')", minimum="0.5"))

    assert plan.columns[0].expression == f"replace({quoted}, ',', '.')"
    assert "is written with a decimal comma" in text


@pytest.mark.parametrize("name", ["valor", "código", "Valor (R$) #", 'a"b', "a\nb"])
def test_numbers_that_may_have_signs_between_thousands_tell_both_readings(name):
    text, plan = made(
        sample(name, Decimal(18, 3), also=Also.POINTS), sample(f"{name} text", also=Also.COMMAS, distinct=900)
    )

    points, commas = (guess for guess in guesses(text) if "ambiguous" in guess)
    assert [column.source for column in plan.columns] == [name, f"{name} text"]
    assert points.startswith("guessed: ambiguous: ")
    assert ", '.', '')`" in points
    assert "`logicalType: integer`" in points
    assert commas.startswith("guessed: ambiguous: ")
    assert ", ',', '.')`" in commas
    assert commas.endswith(", ',', '')`")


def test_dates_that_may_be_two_name_the_format_that_was_chosen():
    text, plan = made(sample("dia", Primitive.DATE, format="%d/%m/%Y", also_format="%m/%d/%Y"))

    assert plan.columns[0].format == "%d/%m/%Y"
    assert guesses(text)[-1] == (
        "guessed: ambiguous: dia could be MM/dd/yyyy, too; dd/MM/yyyy was chosen, so change it if that is wrong"
    )


def test_guesses_are_told_in_the_readers_language(tmp_path, monkeypatch):
    catalog = Catalog(locale="pt_BR")
    catalog.add("guessed: {what}", "suposto: {what}")
    catalog.add("{column} is unique and never missing", "{column} nunca se repete nem falta")
    (tmp_path / "pt_BR" / "LC_MESSAGES").mkdir(parents=True)
    with (tmp_path / "pt_BR" / "LC_MESSAGES" / "lastro.mo").open("wb") as file:
        write_mo(file, catalog)
    monkeypatch.setattr(texts, "_translations", lambda name: gettext.translation("lastro", tmp_path, [name]))
    monkeypatch.setenv("LASTRO_LANG", "pt")

    text, plan = made(sample("id", Primitive.LONG, unique=True))

    assert plan.primary_key == ("id",)
    assert guesses(text) == ("suposto: id nunca se repete nem falta",)


def test_of_several_keys_the_leftmost_is_taken():
    text, plan = made(sample("row_id", unique=True), sample("id", unique=True))

    assert plan.primary_key == ("row_id",)
    assert text.count("primaryKey") == 1


NO_LISTS = {
    "one value": listed("kind", "a"),
    "too seldom": listed("kind", "a", "b", rows=9),
    "not all values known": sample("kind", values=("a", "b"), distinct=40),
    "numbers": listed("term", "12", "24"),
    "identifier": listed("customer_id", "a", "b"),
    "cpf": listed("cpf", "12345678909", "98765432100"),
    "e-mail by name": listed("email", "x", "y"),
    "e-mail by value": listed("contact", "ana@example.com", "bia@example.com"),
    "name by column": listed("nome_cliente", "Ana", "Bia"),
    "name by value": listed("owner", "Ana Souza", "João da Silva"),
    "phone by value": listed("reach", "11 98765-4321", "21 91234-5678"),
    "free text": listed("remark", "x" * 61, "y"),
}


@pytest.mark.parametrize("column", NO_LISTS.values(), ids=NO_LISTS)
def test_no_list_of_values_tells_of_people_or_promises_nothing(column):
    if column.column.name == "term":
        column = listed("term", "12", "24", rows=5)
    text, _plan = made(column)

    assert "enum" not in text
    assert not any(value in text for value in column.values if len(value) > 2)


def test_a_list_of_values_becomes_a_rule():
    _text, plan = made(listed("produto", "pessoal", "no", "12", "a: #b"))

    assert conditions(plan)["produto.enum"] == OneOf("produto", ("12", "a: #b", "no", "pessoal"))


BOUNDS = {
    "rate": (sample("rate", Primitive.DOUBLE, minimum="0.1", maximum="0.9"), Within("rate", "0.0", "1.0")),
    "percent": (sample("pct_paid", Primitive.DOUBLE, minimum="0", maximum="87"), Within("pct_paid", "0.0", "100.0")),
    "age": (sample("idade", Primitive.BYTE, minimum="18", maximum="71"), Within("idade", "0", "120")),
    "year": (sample("ano", Primitive.SHORT, minimum="1998", maximum="2025"), Within("ano", "1900", "2100")),
    "amount": (sample("amount", Decimal(9, 2), minimum="3.50", maximum="9.00"), Within("amount", "0", None)),
    "strange age": (sample("age", Primitive.LONG, minimum="3", maximum="999"), Within("age", "0", None)),
}


@pytest.mark.parametrize(("column", "condition"), BOUNDS.values(), ids=BOUNDS)
def test_bounds_are_those_everyone_knows(column, condition):
    _text, plan = made(column)

    assert conditions(plan)[f"{column.column.name}.range"] == condition


NO_BOUNDS = {
    "negative": sample("balance", Primitive.DOUBLE, minimum="-3", maximum="9"),
    "identifier": sample("customer_id", Primitive.LONG, minimum="1", maximum="9"),
    "date": sample("day", Primitive.DATE, minimum="2026-01-01", maximum="2026-02-01"),
    "text": sample("name", minimum="Ana", maximum="Zé"),
    "unknown": sample("amount", Primitive.DOUBLE),
    "not a number": sample("amount", Primitive.DOUBLE, minimum="nan", maximum="nan"),
}


@pytest.mark.parametrize("column", NO_BOUNDS.values(), ids=NO_BOUNDS)
def test_no_bound_comes_from_a_seen_value(column):
    text, _plan = made(column)

    assert "imum" not in text


def test_what_was_only_partly_read_says_so():
    text, _plan = made(sample("a", all_read=False), listed("b", "x", "y", all_read=False))

    assert "from 1000 rows (not all of it was read)" in text
    assert "required: true  # guessed: a is never missing, in the part that was read" in text
    assert "# guessed: b has 2 values in 1000 rows, in the part that was read" in text


def test_names_become_words_and_stay_distinct():
    names = ["ID", "id", "Id 2", "id_2", "", "Taxa (%)", "taxa", "código", "über-all", "日本 語", "a" * 300]
    _text, plan = made(*(sample(name) for name in names))

    columns = [column.name for column in plan.columns]
    assert [column.source for column in plan.columns] == names
    assert columns[:10] == [
        "ID",
        "id_3",
        "id_2_2",
        "id_2",
        "column_5",
        "taxa_2",
        "taxa",
        "codigo",
        "uber_all",
        "column_10",
    ]
    assert len({name.casefold() for name in columns}) == len(names)


def test_integers_become_long_whatever_the_sample_fits():
    _text, plan = made(sample("a", Primitive.BYTE), sample("b", Primitive.SHORT), sample("c", Primitive.INTEGER))

    assert {column.type for column in plan.columns} == {Primitive.LONG}


def test_a_source_without_columns_is_refused():
    with pytest.raises(ContractError, match="1 to 2000 columns"):
        infer("loans", [], source="x", today=TODAY)


def test_too_many_columns_are_refused():
    with pytest.raises(ContractError, match="has 2001"):
        infer("loans", [sample(f"c{n}") for n in range(2001)], source="x", today=TODAY)


def test_a_name_that_is_none_is_refused():
    with pytest.raises(NameRefused):
        infer("../x", LENDER, source="x", today=TODAY)


PRIMITIVES = st.sampled_from([*Primitive]) | st.builds(
    lambda precision, scale: Decimal(precision, min(precision, scale)), st.integers(1, 38), st.integers(0, 38)
)
MEMBER = st.sampled_from(["a", "b_c", "código"])
TYPES = st.recursive(
    PRIMITIVES,
    lambda inner: (
        st.builds(ListOf, inner)
        | st.builds(MapOf, PRIMITIVES, inner)
        | st.builds(
            lambda fields: StructOf(tuple(Field(name, kind) for name, kind in fields.items())),
            st.dictionaries(MEMBER, inner, min_size=1, max_size=3),
        )
    ),
    max_leaves=5,
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SAMPLES = st.builds(
    lambda name, kind, values, nulls, unique, form, low: sample(
        name,
        kind,
        values=tuple(values),
        distinct=len(values),
        nulls=nulls,
        unique=unique,
        format=form,
        minimum=low,
        maximum=low,
    ),
    TEXTS | st.sampled_from(["id", "Id", "rate", "name", "yes", "null", "- a", "#", "a: b"]),
    TYPES,
    st.lists(TEXTS, max_size=6, unique=True),
    st.sampled_from([0, 3, 1000]),
    st.booleans(),
    st.sampled_from([None, "%d/%m/%Y", "%d de %B de %Y", "%Y-%m-%d %H:%M:%S.%f"]),
    st.sampled_from([None, "0", "-1.5", "1e400", "x"]),
)


def stored(kind):
    """The type a guessed contract gives: whole numbers are long."""
    match kind:
        case Primitive.BYTE | Primitive.SHORT | Primitive.INTEGER:
            return Primitive.LONG
        case ListOf(item):
            return ListOf(stored(item))
        case MapOf(key, value):
            return MapOf(stored(key), stored(value))
        case StructOf(fields):
            return StructOf(tuple(Field(field.name, stored(field.type)) for field in fields))
        case _:
            return kind


@settings(max_examples=40, deadline=None)
@given(st.lists(SAMPLES, min_size=1, max_size=5), TEXTS)
def test_whatever_was_seen_gives_a_contract_that_reads_and_keeps_names_and_types(samples, source):
    text = infer("loans", samples, source=source, today=TODAY)
    plan = parse(text, name="loans.odcs.yaml").plan()

    assert [column.source for column in plan.columns] == [one.column.name for one in samples]
    assert [column.type for column in plan.columns] == [stored(one.column.type) for one in samples]

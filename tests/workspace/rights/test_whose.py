"""Whose a row is, is said once: who is found is erased, in whichever column, spelling, or further name."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import lastro
from lastro.governance.sought import Sought, about, naming, rows_of
from lastro.model.personal import Classified, Method, Personal, PersonalClass, Protection, Subject

CPF, PLAIN, RUI = "529.982.247-25", "52998224725", "11144477735"
BASIS = "LGPD art. 18, VI"
HEAD = "apiVersion: v3.2.0\nkind: DataContract\nid: {name}\nversion: 1.0.0\nstatus: active\nschema:\n  - name: {name}\n"


def column(name: str, kind: str = "", *, token: bool = False) -> str:
    said = f"{{class: identifier, kind: {kind}}}" if kind else "none"
    more = ", {property: protection, value: token, vendor: lastro}" if token else ""
    return (
        f"      - name: {name}\n        logicalType: string\n"
        f"        customProperties: [{{property: personal, value: {said}, vendor: lastro}}{more}]\n"
    )


def contract(name: str, subject: str, *columns: str) -> str:
    asked = f"    customProperties: [{{property: subject, value: {subject}, vendor: lastro}}]\n" if subject else ""
    return HEAD.format(name=name) + asked + "    properties:\n" + "".join(columns)


class Some:
    """A workspace with these contracts, each dataset with the rows of its file."""

    def __init__(self, folder: Path, contracts: dict[str, str], files: dict[str, str]) -> None:
        self.root = folder / "lake"
        lastro.init(self.root)
        text = "lastro: 1\ndatasets:\n"
        for name, said in contracts.items():
            (self.root / "contracts" / f"{name}.odcs.yaml").write_text(said)
            (folder / f"{name}.csv").write_text(files[name])
            text += f"  {name}: {{contract: contracts/{name}.odcs.yaml, mode: append, source: "
            text += f"{{kind: files, path: '{folder}/{name}.csv'}}}}\n"
        (self.root / "lastro.yaml").write_text(text)
        self.workspace = lastro.open(self.root)
        for name in contracts:
            self.workspace.dataset(name).ingest()

    def rows(self, name: str, selector: str = "latest") -> list[dict]:
        return self.workspace.version(f"{name}@{selector}").to_arrow().to_pylist()


@pytest.mark.parametrize("token", [False, True])
def test_further_names_that_are_theirs_alone_are_followed(tmp_path, token):
    made = Some(
        tmp_path,
        {
            "people": contract(
                "people", "cpf", column("cpf", "cpf", token=True), column("customer", "customer", token=True)
            ),
            "orders": contract("orders", "customer", column("customer", "customer", token=token), column("what")),
        },
        {
            "people": f"cpf,customer\n{CPF},K-7\n{RUI},K-8\n",
            "orders": "customer,what\nK-7,books\nK-8,bread\n",
        },
    )
    made.workspace.vault.tokens("customer", ["K-7", "K-8"], is_subject=True)
    found = made.workspace.subject_find(f"cpf={CPF}")
    assert {each.dataset: each.rows for each in found.stands} == {"people": 1, "orders": 1}

    made.workspace.erase(CPF, kind="cpf", basis=BASIS)

    assert [row["what"] for row in made.rows("orders")] == ["bread"]
    assert len(made.rows("people")) == 1
    assert made.workspace.vault.find("customer", "K-7") is None
    assert made.workspace.vault.find("customer", "K-8") is not None
    assert made.workspace.vault.blocked("customer", ["K-7", "K-8"]) == [True, False]


def test_a_derived_column_with_another_name_is_looked_at(tmp_path):
    made = Some(
        tmp_path,
        {"visits": contract("visits", "customer", column("customer", "customer"), column("day"))},
        {"visits": "customer,day\nK-7,mon\nK-8,tue\n"},
    )
    (made.root / "transforms").mkdir()
    (made.root / "transforms" / "days.sql").write_text("SELECT customer AS w, day FROM visits")
    made.workspace = lastro.open(made.root)
    made.workspace.build()
    assert {each.dataset for each in made.workspace.subject_find("customer=K-7").found} == {"visits", "days"}

    made.workspace.erase("K-7", basis=BASIS)

    assert [row["day"] for row in made.rows("days", "0")] == ["tue"]
    assert [row["day"] for row in made.rows("visits")] == ["tue"]


def test_a_row_that_only_names_somebody_is_anothers_but_goes(tmp_path):
    made = Some(
        tmp_path,
        {"loans": contract("loans", "cpf", column("cpf", "cpf"), column("guarantor", "cpf"), column("what"))},
        {"loans": f"cpf,guarantor,what\n{RUI},{CPF},rui\n{PLAIN},{RUI},ana\n{RUI},,alone\n"},
    )

    found = made.workspace.subject_find(f"cpf={CPF}")
    assert [(each.columns, each.rows) for each in found.stands] == [(("cpf",), 1)]
    made.workspace.erase(CPF, basis=BASIS)

    assert [row["what"] for row in made.rows("loans")] == ["alone"]


def test_rows_set_aside_go_in_any_spelling(tmp_path):
    rules = column("cpf", "cpf") + "        logicalTypeOptions: {maxLength: 18}\n"
    refused = "      - name: what\n        logicalType: string\n        logicalTypeOptions: {maxLength: 3}\n"
    made = Some(
        tmp_path,
        {"loans": contract("loans", "cpf", rules, refused)},
        {"loans": f"cpf,what\n529 982 247 25,too long\n{RUI},too long\n{CPF},ana\n"},
    )
    assert made.workspace.dataset("loans").quarantine().count() == 2

    made.workspace.erase(PLAIN, basis=BASIS)

    records = [row["record"] for row in _aside(made)]
    assert sum("529" in record for record in records) == 0
    assert sum(RUI in record for record in records) == 1


def _aside(made: Some) -> list[dict]:
    table = made.workspace.table("loans.quarantine")
    stream = made.workspace.engine().read(table.paths(table.head()), table.head().schema)
    return pa.table(stream).to_pylist()


def test_columns_are_known_in_any_capitals():
    sought = Sought("customer", {}, frozenset({"K-7"}))

    doomed = rows_of(sought, Personal(subject=Subject("who", "customer")), (), names=("Who", "day"))

    assert doomed is not None
    assert doomed.columns == ("Who",)
    assert doomed.gone(pa.record_batch({"Who": ["K-7", " K-7 ", "K-8", None]})).to_pylist() == [
        True,
        True,
        False,
        False,
    ]


def test_which_columns_tell():
    classes = (
        Classified("cpf", PersonalClass.IDENTIFIER, "cpf"),
        Classified("badge", PersonalClass.IDENTIFIER),
        Classified("born", PersonalClass.QUASI, "birth"),
    )
    free = Personal(classes=classes, protections=(Protection("mail", Method.TOKEN, "email"),))
    owned = Personal(classes=classes, protections=free.protections, subject=Subject("badge", "staff"))

    assert about(free) == {"cpf": "cpf", "badge": "badge", "mail": "email"}
    assert about(owned) == {"badge": "staff"}
    assert naming(free) == {**about(free), "born": "birth"}
    assert naming(owned) == {**naming(free), "badge": "staff"}


def test_bytes_and_lists_name_nobody():
    sought = Sought("customer", {}, frozenset({"K-7"}))
    doomed = rows_of(sought, Personal(subject=Subject("who", "customer")), ())
    assert doomed is not None

    for values in ([b"\xff\xfe", b"K-7"], [["K-7"], None]):
        assert doomed.gone(pa.record_batch({"who": values})).to_pylist() == [False, False]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["K-7", "tok_x", None], pa.string()),
        (["K-7", "tok_x", None], pa.large_string()),
        (["K-7", "tok_x", None], pa.string_view()),
        (["K-7", "tok_x", None], pa.dictionary(pa.int32(), pa.string())),
        (["tok_y", "tok_x", None], pa.string()),
    ],
)
def test_tokens_and_values_are_found_in_columns_of_text(values, kind):
    sought = Sought("customer", {"customer": frozenset({"tok_x"})}, frozenset({"K-7"}))
    doomed = rows_of(sought, Personal(subject=Subject("who", "customer")), ())
    assert doomed is not None

    found = doomed.gone(pa.record_batch({"who": pa.array(values, pa.string()).cast(kind)}))

    assert found.to_pylist() == [values[0] == "K-7", True, False]


@pytest.mark.parametrize("kind", [pa.int64(), pa.int32(), pa.float64(), pa.decimal128(12, 0)])
def test_identifiers_may_be_numbers(kind):
    sought = Sought("customer", {}, frozenset({"1234"}))
    doomed = rows_of(sought, Personal(subject=Subject("who", "customer")), ())
    assert doomed is not None

    assert doomed.gone(pa.record_batch({"who": pa.array([1234, 12345, None], kind)})).to_pylist() == [
        True,
        False,
        False,
    ]

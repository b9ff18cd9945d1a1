"""Classification as a person does it: proposed, written, confirmed, corrected – and no value told anywhere."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from stdnum.br import cpf
from tests.workspace.lake import Lake

from lastro.model.errors import UnknownName, UsageError
from lastro.model.personal import PersonalClass
from lastro.pipeline import classify as classifying
from lastro.privacy.detection.proposal import Because

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: loans
version: 1.0.0
status: active
schema:
  - name: loans
    properties:
      - name: cpf # as in the register
        logicalType: integer
      - name: nome
        logicalType: string
      - name: nasc
        logicalType: date
      - name: obs
        logicalType: string
      - name: score
        logicalType: number
      - name: empty
        logicalType: string
"""
IDENTIFIER = PersonalClass.IDENTIFIER
BODIES = [f"{12_345_678 + number * 17_919_001:09}" for number in range(1, 41)]
CPFS = [body + cpf._calc_check_digits(body) for body in BODIES]
PLANTED = (*CPFS, "Zilda Quatrocchi", "zilda.q@example.org", "98765-4321")


def rows() -> pa.Table:
    return pa.table(
        {
            "cpf": [int(each) for each in CPFS],
            "nome": ["Zilda Quatrocchi", "Ana Souza"] * 20,
            "nasc": pa.array([3_000 + number for number in range(40)], pa.int32()).cast(pa.date32()),
            "obs": ["escrever a zilda.q@example.org", "ligar (11) 98765-4321", "nada", "pago"] * 10,
            "score": [number / 40 for number in range(40)],
            "empty": pa.nulls(40, pa.string()),
        }
    )


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("LASTRO_ACTOR", "ana")
    lake = Lake(tmp_path)
    lake.configure(contract=CONTRACT)
    return lake


def test_before_anything_is_ingested_the_source_tells(lake: Lake) -> None:
    lines = [f"{row},Ana Souza,1990-01-01,escrever a a{place}@example.org,1" for place, row in enumerate(CPFS)]
    lake.csv.write_text("cpf,nome,nasc,obs,score,empty\n" + ",\n".join(lines) + ",\n")

    found = lake.loans.classify(confirm=["obs"])

    assert (found.reference, found.rows) == (None, len(CPFS))
    assert {each.column: (each.kind, each.because) for each in found.proposals}["obs"] == ("text", Because.INSIDE)
    assert "kind: text" in (lake.root / "contracts" / "loans.odcs.yaml").read_text()
    assert lake.loans.table.head() is None


def test_where_the_source_is_not_there_names_alone_tell(lake: Lake) -> None:
    found = lake.loans.classify()

    assert (found.reference, found.rows) == (None, 0)
    assert [(each.of, each.because) for each in found.proposals][:2] == [(IDENTIFIER, Because.EMPTY)] * 2
    assert found.proposals[3].of is None


def test_proposals_are_written_confirmed_and_corrected(lake: Lake) -> None:
    lake.loans.ingest(data=rows())
    before = (lake.root / "contracts" / "loans.odcs.yaml").read_text()

    proposed = lake.loans.classify()
    unchanged = (lake.root / "contracts" / "loans.odcs.yaml").read_text()
    written = lake.loans.classify(write=True)
    again = lake.loans.classify(write=True)
    confirmed = lake.loans.classify(confirm=["cpf"], said={"obs": "feature:note", "empty": "none"})
    everything = lake.loans.classify(confirm=True)

    assert [(each.column, each.of, each.kind) for each in proposed.proposals] == [
        ("cpf", IDENTIFIER, "cpf"),
        ("nome", IDENTIFIER, "name"),
        ("nasc", PersonalClass.QUASI, "birth_date"),
        ("obs", IDENTIFIER, "text"),
        ("score", PersonalClass.FEATURE, ""),
        ("empty", None, ""),
    ]
    assert unchanged == before
    assert written.changed == ("cpf", "nome", "nasc", "obs", "score")
    assert written.confirmed == ()
    assert again.changed == () and again.written is None
    assert confirmed.changed == ("cpf", "obs", "empty")
    assert confirmed.confirmed == ("cpf", "obs", "empty")
    assert everything.changed == ("nome", "nasc", "score")
    assert {each.confirmed for each in everything.classes} == {"ana"}
    text = (lake.root / "contracts" / "loans.odcs.yaml").read_text()
    assert "# as in the register" in text
    assert text.count("classification: restricted") == 4  # obs, too: it was proposed as an identifier


def test_statistics_open_only_when_a_person_confirms(lake: Lake) -> None:
    lake.loans.ingest(data=rows())
    assert lake.loans.contract().plan().withheld == set()

    lake.loans.classify(write=True)
    proposed = lake.loans.contract().plan().withheld
    lake.loans.classify(confirm=True)

    assert proposed == {"cpf", "nome", "nasc", "obs", "score", "empty"}
    assert lake.loans.contract().plan().withheld == {"cpf", "nome", "nasc", "obs", "empty"}


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"confirm": ["gone"]}, UnknownName),
        ({"confirm": ["empty"]}, UsageError),
        ({"said": {"cpf": "secret"}}, UsageError),
        ({"said": {"gone": "none"}}, UnknownName),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is(lake: Lake, asked: dict, error: type[Exception]) -> None:
    lake.loans.ingest(data=rows())

    with pytest.raises(error):
        lake.loans.classify(write=True, **asked)

    assert (lake.root / "contracts" / "loans.odcs.yaml").read_text() == CONTRACT


def test_few_rows_are_drawn_from_many_files(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.configure(contract=CONTRACT, mode="append")
    for _time in range(5):
        lake.loans.ingest(data=rows())
    monkeypatch.setattr(classifying, "FILES_MAX", 3)
    monkeypatch.setattr(classifying, "ROWS_MAX", 30)
    monkeypatch.setattr(classifying, "DEEP", 25)

    found = lake.loans.classify()

    assert found.rows == 30
    assert found.proposals[0].kind == "cpf"


def test_no_value_is_written_or_told(lake: Lake) -> None:
    lake.loans.ingest(data=rows())

    found = lake.loans.classify(write=True)
    mapped = lake.workspace.data_map()

    told = f"{found!r}{found.to_dict()}{mapped!r}{mapped.to_dict()}"
    told += (lake.root / "contracts" / "loans.odcs.yaml").read_text()
    assert [each for each in PLANTED if each in told] == []


def test_the_map_tells_class_use_and_origin(lake: Lake) -> None:
    lake.loans.ingest(data=rows())
    lake.loans.classify(confirm=["cpf", "nome"])
    lake.workspace.version("loans").to_arrow("nome", "score")

    found = lake.workspace.data_map()

    by_name = {each.column: each for each in found.columns}
    assert (len(found.columns), found.classified, found.settled) == (6, 2, 2)
    assert (by_name["nome"].reads, by_name["cpf"].reads) == (1, 0)
    assert [each.column for each in found.unused] == ["cpf"]
    assert by_name["cpf"].sources == ("data",)
    assert by_name["score"].is_restricted


def test_a_broken_contract_hides_no_other_dataset(lake: Lake) -> None:
    (lake.root / "contracts" / "loans.odcs.yaml").write_text("schema: [")

    found = lake.workspace.data_map()

    assert found.columns == ()
    assert [name for name, _what in found.problems] == ["loans"]

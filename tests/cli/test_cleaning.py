"""What cleaning did, as `lastro ingest` and `lastro log` tell it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Lastro

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: loans
version: 1.0.0
status: active
schema:
  - name: loans
    properties:
      - {name: id, logicalType: integer}
      - name: uf
        logicalType: string
        transformLogic: nullif(upper(trim(uf)), 'N/A')
      - name: name
        logicalType: string
        classification: restricted
        transformLogic: trim(name)
      - name: rate
        logicalType: number
        transformLogic: replace(rate, ',', '.')
        customProperties: [{property: policy, value: quarantine, vendor: lastro}]
    customProperties:
      - {property: quarantinedMax, value: 80 percent, vendor: lastro}
"""
SETTINGS = """\
lastro: 1
datasets:
  loans:
    contract: loans.odcs.yaml
    mode: append
    source: {kind: files, path: loans.csv}
"""
ROWS = 'id,uf,name,rate\n1,sp,Ana,"1,5"\n2,n/a,Bia,2\n3,RJ,Caio,much\n4,,Davi,\n'


def test_what_cleaning_did_stands_side_by_side(tmp_path: Path, lastro: Lastro) -> None:
    for name, text in (("lastro.yaml", SETTINGS), ("loans.odcs.yaml", CONTRACT), ("loans.csv", ROWS)):
        (tmp_path / name).write_text(text, encoding="utf-8")

    ended = lastro("ingest", "loans")
    (version,) = lastro("log", "loans", "--json").json["versions"]

    lines = [line.split() for line in ended.out.splitlines()]
    at = lines.index(["cleaned", "missing", "before", "after", "changed"])
    assert lines[at + 1 : at + 3] == [["uf", "1", "2", "2"], ["rate", "1", "1", "1"]]
    assert not any("name" in line for line in lines)
    assert version["cleaning"] == {
        "uf": {"rows": 4, "missing_before": 1, "missing_after": 2, "changed": 2, "unreadable": 0},
        "name": {"rows": 4, "missing_before": 0, "missing_after": 0, "changed": 0, "unreadable": 0},
        "rate": {"rows": 4, "missing_before": 1, "missing_after": 1, "changed": 1, "unreadable": 1},
    }


def test_json_has_every_column_that_is_cleaned(tmp_path: Path, lastro: Lastro) -> None:
    for name, text in (("lastro.yaml", SETTINGS), ("loans.odcs.yaml", CONTRACT), ("loans.csv", ROWS)):
        (tmp_path / name).write_text(text, encoding="utf-8")

    (told,) = lastro("ingest", "loans", "--json").json["results"]

    assert [each["column"] for each in told["cleaning"]] == ["uf", "name", "rate"]
    assert told["cleaning"][2] == {
        "column": "rate",
        "rows": 4,
        "missing_before": 1,
        "missing_after": 1,
        "changed": 1,
        "unreadable": 1,
    }
    assert lastro("ingest", "loans", "--json").json["results"][0]["cleaning"] == []

"""Croissant: what is described is what was committed, and another library reads the same rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import lastro
from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, Schema, StructOf
from lastro.model.version import FileEntry, Mode, Origin, VersionInfo
from lastro.report.croissant import Described, croissant

RECORDS = [
    {"id": 1, "name": "Ana", "amount": 1.5, "tags": ["a", "b"], "address": {"uf": "SP"}, "born": "1990-01-31"},
    {"id": 2, "name": None, "amount": 20.25, "tags": [], "address": {"uf": "RJ"}, "born": "1991-02-28"},
]


def info(*fields: Field) -> VersionInfo:
    return VersionInfo(
        "people",
        3,
        "sha256:" + "a" * 64,
        None,
        datetime(2026, 11, 26, tzinfo=UTC),
        Schema(fields),
        2,
        9,
        (FileEntry("part-0.parquet", 9, "sha256:" + "b" * 64, 2),),
        Origin(Mode.APPEND, "key"),
    )


def test_every_column_that_has_a_form_is_a_field() -> None:
    text = Primitive.STRING
    version = info(
        Field("id", Primitive.LONG),
        Field("amount", Decimal(10, 2)),
        Field("grid", ListOf(ListOf(Primitive.DOUBLE))),
        Field("address", StructOf((Field("uf", text), Field("lines", ListOf(text))))),
        Field("more", MapOf(text, text)),
        Field("items", ListOf(StructOf((Field("x", text),)))),
    )

    found = croissant(version, ["tables/people/part-0.parquet"], Described(columns={"id": "who"}, key=("id",)))

    (rows,) = found["recordSet"]
    assert [(each["@id"], each["dataType"], each.get("arrayShape")) for each in rows["field"]] == [
        ("rows/id", "cr:Int64", None),
        ("rows/amount", "sc:Float", None),
        ("rows/grid", "cr:Float64", "-1,-1"),
        ("rows/address/uf", "sc:Text", None),
        ("rows/address/lines", "sc:Text", "-1"),
    ]
    assert rows["field"][0]["description"] == "who"
    assert rows["key"] == [{"@id": "rows/id"}]
    assert found["distribution"][0]["sha256"] == "b" * 64
    assert found["identifier"] == "people@sha256:" + "a" * 64


@pytest.mark.parametrize("name", ['a"b', "a/b", "a b", "ação", "<x>", "a.b", "$.x", "' OR 1"])
def test_a_columns_name_makes_no_path(name: str) -> None:
    found = croissant(info(Field(name, Primitive.LONG)), ["p"], Described())

    (field,) = found["recordSet"][0]["field"]
    assert field["name"] == name
    assert field["source"]["extract"]["column"] == name
    assert field["@id"].count("/") == 1
    assert '"' not in field["@id"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own
def test_another_library_reads_the_same_rows(tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    source = tmp_path / "people.jsonl"
    source.write_text("\n".join(json.dumps(record) for record in RECORDS), encoding="utf-8")
    workspace = lastro.init(tmp_path / "lake")
    workspace.add(str(source), name="people")
    workspace.dataset("people").ingest()
    version = workspace.dataset("people").version()
    paths = [f"tables/people/{entry.path}" for entry in version.info.files]
    page = tmp_path / "lake" / "people.croissant.json"
    page.write_text(json.dumps(croissant(version.info, paths, Described("people we know"))), encoding="utf-8")

    rows = list(mlcroissant.Dataset(jsonld=str(page)).records("rows"))

    assert [row["rows/id"] for row in rows] == [1, 2]
    assert [row["rows/name"] for row in rows] == [b"Ana", None]
    assert [row["rows/amount"] for row in rows] == [1.5, 20.25]
    assert [row["rows/tags"] for row in rows] == [[b"a", b"b"], []]
    assert [row["rows/address/uf"] for row in rows] == [b"SP", b"RJ"]
    assert [row["rows/born"].isoformat()[:10] for row in rows] == ["1990-01-31", "1991-02-28"]

"""What every engine must do with what is protected; used as `tests.engine.conformance` is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from tests.engine.conformance import ASIDE, casts_hold, simple, staged

from lastro.engine.protocol import Engine
from lastro.engine.scan import Csv, FileScan
from lastro.model.schema import Primitive

P = Primitive


@dataclass(frozen=True)
class Hiding:
    """Puts a word in the place of one CPF, and lets nobody in who is called `gone`."""

    sealing: None = None

    def erased(self, batch: Any) -> Any:
        found = pc.equal(batch.column("name"), "gone") if "name" in batch.schema.names else None
        return None if found is None else found.fill_null(False)

    def kept(self, batch: Any) -> Any:
        return self._hidden(batch, "cpf")

    def refused(self, batch: Any) -> Any:
        return self._hidden(batch, "record")

    def _hidden(self, batch: Any, name: str) -> Any:
        index = batch.schema.get_field_index(name)
        hidden = pc.replace_substring(batch.column(name), pattern="123.456.789-09", replacement="token")
        return batch.set_column(index, batch.schema.field(name), hidden)


def test_rows_are_protected_before_they_are_written(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("cpf,n\n123.456.789-09,1\n123.456.789-09,x\n123.456.789-09\n")
    plan = simple({"cpf": P.STRING, "n": P.LONG}, *casts_hold("n", policy=ASIDE))
    result = staged(engine, plan, FileScan((path,), Csv()), tmp_path / "stage", protect=Hiding())

    assert result.kept == [{"cpf": "token", "n": 1}]
    assert sorted(row["record"] for row in result.aside) == ["token", '{"cpf":"token","n":"x"}']
    for file in (tmp_path / "stage").rglob("*"):
        assert b"123.456" not in file.read_bytes()


def test_rows_of_the_erased_are_set_aside_without_a_value(engine: Engine, tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("cpf,name,n\n1,ana,1\n2,gone,2\n3,rui,x\n4,gone,4\n")
    second.write_text("cpf,name,n\n5,gone,5\n6,eva,6\n6,eva,7\n7,,8\n")
    plan = simple({"cpf": P.STRING, "name": P.STRING, "n": P.LONG}, *casts_hold("n", policy=ASIDE), key=("cpf",))
    result = staged(engine, plan, FileScan((first, second), Csv()), tmp_path / "stage", protect=Hiding())
    aside = sorted((row["source"], row["position"], *row["rules"]) for row in result.aside)

    assert [row["cpf"] for row in result.kept] == ["1", "6", "7"]
    assert aside == [
        ("a.csv", 2, "erased"),
        ("a.csv", 3, "n.type"),
        ("a.csv", 4, "erased"),
        ("b.csv", 1, "erased"),
        ("b.csv", 3, "primary_key"),
    ]
    assert {row["record"] for row in result.aside if "erased" in row["rules"]} == {"{}"}
    assert (result.read, result.refused["erased"]) == (8, 3)

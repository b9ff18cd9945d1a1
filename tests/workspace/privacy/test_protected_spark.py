"""Spark's workers protect rows as the embedded engine does, and find the same tokens."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pyarrow.parquet as pq
import pytest
from tests.workspace.people import ANA, BAD, BROKEN, CONTRACT, RUI, VALUES, People

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="Spark needs pyspark"),
    pytest.mark.skipif(shutil.which("java") is None and "JAVA_HOME" not in os.environ, reason="Spark needs Java"),
    pytest.mark.xdist_group("spark"),
]


def test_spark_protects_as_the_embedded_engine_does(tmp_path):
    made = People(tmp_path)
    made.deliver(ANA)
    [before] = made.rows()
    text = (made.root / "lastro.yaml").read_text()
    (made.root / "lastro.yaml").write_text(text.replace("lastro: 1\n", "lastro: 1\nengine: spark\n"))
    import lastro

    made.workspace = lastro.open(made.root)
    result = made.deliver(ANA, RUI, BAD, BROKEN, name="b.csv")
    rows = {row["uf"]: row for row in made.rows()}

    assert (result.counts.kept, result.counts.quarantined) == (2, 2)
    assert rows["SP"] == before
    assert made.found(*VALUES) == []
    for file in made.people.table.paths(made.people.find("latest")):
        group = pq.read_metadata(file).row_group(0)
        chunks = [group.column(index) for index in range(group.num_columns)]
        assert {chunk.path_in_schema for chunk in chunks if chunk.is_stats_set} == {"uf"}
    made.workspace.vault.forget(rows["RJ"]["cpf"])
    again = made.deliver(ANA, RUI.replace("43210987", "99990001"), name="c.csv")

    assert (again.counts.kept, again.refused["erased"]) == (1, 1)
    assert made.people.quarantine().rows()[-1]["record"] == "{}"


def test_where_columns_are_encrypted_the_embedded_engine_computes_in_spark_s_place(tmp_path):
    import lastro

    made = People(tmp_path, contract=CONTRACT.replace("value: redact, vendor", "value: encrypt, vendor"))
    made.deliver(ANA)
    text = (made.root / "lastro.yaml").read_text()
    (made.root / "lastro.yaml").write_text(text.replace("lastro: 1\n", "lastro: 1\nengine: spark\n"))
    made.workspace = lastro.open(made.root)
    made.deliver(ANA, RUI, BAD, name="b.csv")

    assert {row["note"] for row in made.rows()} == {"fala de 111.444.777-35", "nada"}
    assert made.people.check().passed
    assert made.people.profile().counts.columns["note"].withheld
    assert made.found("fala de", *VALUES) == []

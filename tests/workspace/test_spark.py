"""A workspace whose engine is Spark: versions committed from the files that Spark wrote, read by whoever likes."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest
from tests.workspace.lake import BAD
from tests.workspace.predictions import CLASSES, Predictions, judged

import lastro

MISSING = [
    reason
    for absent, reason in (
        (importlib.util.find_spec("pyspark") is None, "pyspark: pip install -r requirements/spark.lock"),
        (shutil.which("java") is None and "JAVA_HOME" not in os.environ, "Java: apt install openjdk-17-jre-headless"),
    )
    if absent
]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"Spark needs {'; '.join(MISSING)}"),
    pytest.mark.xdist_group("spark"),
]


def test_both_engines_make_the_same_version_of_the_same_file(lake):
    import deltalake

    lake.csv.write_text(BAD)
    with_duckdb = lake.loans.ingest()
    rows = lake.rows()
    aside = lake.loans.quarantine().rows()
    lake.configure(mode="overwrite", extra="engine: spark\n")
    shutil.rmtree(lake.root / "tables")

    with_spark = lake.loans.ingest()
    table = lake.loans.table
    lake.configure(mode="overwrite")

    assert (with_spark.version, with_spark.counts, with_spark.refused) == (
        0,
        with_duckdb.counts,
        with_duckdb.refused,
    )
    assert lake.loans.log()[0].origin.engine == "spark"
    assert lake.rows() == rows
    assert sorted(deltalake.DeltaTable(table.path).to_pyarrow_table()["id"].to_pylist()) == [1, 2, 3]
    places = [(row["source"], row["position"], row["rules"], row["form"]) for row in lake.loans.quarantine().rows()]
    assert sorted(places) == sorted((row["source"], row["position"], row["rules"], row["form"]) for row in aside)
    assert lastro.open(lake.root).verify(read_data=True).passed


def test_both_engines_tell_the_same_of_predictions(tmp_path):
    made = Predictions(tmp_path, CLASSES)
    made.add(judged(1, 500))
    made.add(judged(2, 500, labelled=0.4))
    columns = {"prediction": "predicted", "label": "actual", "score": "score"}
    with_duckdb = made.dataset.performance("0", **columns).found
    settings = tmp_path / "lastro.yaml"
    settings.write_text(settings.read_text() + "engine: spark\n")

    with_spark = lastro.open(tmp_path).dataset("scored").performance("0", **columns).found

    assert with_spark.expected == with_duckdb.expected
    assert with_spark.realised == with_duckdb.realised
    assert with_spark.current == with_duckdb.current

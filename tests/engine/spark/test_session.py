"""What Spark needs of the machine, and what is said where that is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lastro.engine.spark import records

START = """
import json, sys
{before}
from lastro.engine.spark.session import start
from lastro.model.errors import LastroError
try:
    start()
except LastroError as error:
    print(json.dumps(error.to_dict()))
"""


def started(before: str, path: str) -> dict[str, str]:
    environment = {"PATH": path, "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        [sys.executable, "-c", START.format(before=before)], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_without_pyspark_the_extra_is_named() -> None:
    error = started("sys.modules['pyspark.sql'] = None", os.environ["PATH"])

    assert error["code"] == "LST-0206"
    assert "lastro[spark]" in error["do"]


def test_without_java_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="pyspark is missing: pip install -r requirements/spark.lock")
    error = started("", str(tmp_path))

    assert error["code"] == "LST-0501"
    assert "JAVA_HOME" in error["do"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1.10", "1.1"),
        ("1e3", "1000.0"),
        ("1e16", "10000000000000000.0"),
        ("1e21", "1e21"),
        ("1.5e-7", "1.5e-7"),
        ("1e-5", "0.00001"),
        ("-0.0", "-0.0"),
        ("1E400", "1E400"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('[1.50, {"b": 1e2}]', '[1.5,{"b":100.0}]'),
        ("true", "true"),
        ("null", None),
        ('"1.10"', "1.10"),
    ],
)
def test_json_numbers_are_written_as_duckdb_writes_them(written: str, read: str | None) -> None:
    import duckdb

    line = f'{{"a": {written}}}'
    values, malformed = records.take_object(line, ["a"])
    found = duckdb.connect().execute("SELECT json_extract_string($1, ['/a'])", [line]).fetchone()

    assert (values, malformed) == ([read], None)
    assert found == ([read],)

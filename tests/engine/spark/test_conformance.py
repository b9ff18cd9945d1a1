"""Spark keeps the engine protocol: the same rows, the same quarantine, the same counts as DuckDB."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import Any

import pytest

pytest.register_assert_rewrite(
    "tests.engine.conformance",
    "tests.engine.conformance_changes",
    "tests.engine.conformance_checks",
    "tests.engine.conformance_cleaning",
    "tests.engine.conformance_lines",
    "tests.engine.conformance_profiles",
    "tests.engine.conformance_protection",
    "tests.engine.conformance_rules",
)
from tests.engine.conformance import *  # noqa: E402, F403
from tests.engine.conformance_changes import *  # noqa: E402, F403
from tests.engine.conformance_checks import *  # noqa: E402, F403
from tests.engine.conformance_cleaning import *  # noqa: E402, F403
from tests.engine.conformance_lines import *  # noqa: E402, F403
from tests.engine.conformance_profiles import *  # noqa: E402, F403
from tests.engine.conformance_protection import *  # noqa: E402, F403
from tests.engine.conformance_rules import *  # noqa: E402, F403

from lastro.engine import create  # noqa: E402

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


@pytest.fixture(scope="module")
def engine() -> Any:
    spark = create("spark", threads=2)
    # Compiling to Java bytecode pays from a million rows on; these tests have dozens.
    for setting, value in (("spark.sql.codegen.wholeStage", "false"), ("spark.sql.codegen.factoryMode", "NO_CODEGEN")):
        spark._session.conf.set(setting, value)
    return spark

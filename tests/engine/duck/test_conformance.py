"""DuckDB keeps the engine protocol."""

from __future__ import annotations

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
from lastro.engine.protocol import Engine  # noqa: E402


@pytest.fixture(scope="module")
def engine() -> Engine:
    return create("duckdb", threads=2)

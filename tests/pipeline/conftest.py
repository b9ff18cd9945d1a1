"""A workspace for tests of the pipeline."""

from __future__ import annotations

import pytest
from tests.workspace.lake import Lake


@pytest.fixture
def lake(tmp_path):
    made = Lake(tmp_path / "lake")
    made.configure()
    return made

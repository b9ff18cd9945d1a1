"""Exactly once, for logs: whoever ingests them while they are rotated is killed at random moments."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pipeline.killed import killed

CLEAN = {"lost": 0, "doubled": 0, "died": 0, "notes": [], "damage": []}


def test_kills_while_logs_are_rotated_lose_and_double_no_line(tmp_path: Path) -> None:
    found = killed("killing_logs", tmp_path, 8, seed=1)

    assert {name: {key: each[key] for key in CLEAN} for name, each in found.items()} == dict.fromkeys(found, CLEAN)
    for each in found.values():
        assert each["versions"] > 1
        assert each["rotated"] > 3
        assert each["aside"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 210))
def test_many_kills_while_logs_are_rotated(tmp_path: Path, seed: int) -> None:
    found = killed("killing_logs", tmp_path, 60, seed=seed)

    assert {name: {key: each[key] for key in CLEAN} for name, each in found.items()} == dict.fromkeys(found, CLEAN)

"""Exactly once: whoever ingests is killed at random moments, and no row is lost and none doubled."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pipeline.killed import killed

CLEAN = {"lost": 0, "doubled": 0, "aside_lost": 0, "aside_doubled": 0, "died": 0, "damage": []}


def test_sixty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    found = killed("killing", tmp_path, 7, seed=1)

    assert sum(each["kills"] for each in found.values()) >= 60
    assert {name: {key: each[key] for key in CLEAN} for name, each in found.items()} == dict.fromkeys(found, CLEAN)
    assert sum(each["versions"] for each in found.values()) > len(found)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 105))
def test_three_hundred_kills(tmp_path: Path, seed: int) -> None:
    found = killed("killing", tmp_path, 7, seed=seed)

    assert {name: {key: each[key] for key in CLEAN} for name, each in found.items()} == dict.fromkeys(found, CLEAN)

"""Exactly once: whoever ingests is killed at random moments, and no row is lost and none doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {"lost": 0, "doubled": 0, "aside_lost": 0, "aside_doubled": 0, "died": 0, "damage": []}


def killed(folder: Path, kills: int, seed: int) -> dict[str, dict[str, Any]]:
    """The judgement of every mode with 1, 2 and 4 writers, each killed so many times."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.killing", str(folder), str(kills), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_sixty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    found = killed(tmp_path, 7, seed=1)

    assert sum(each["kills"] for each in found.values()) >= 60
    assert {name: {key: each[key] for key in CLEAN} for name, each in found.items()} == dict.fromkeys(found, CLEAN)
    assert sum(each["versions"] for each in found.values()) > len(found)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 105))
def test_three_hundred_kills(tmp_path: Path, seed: int) -> None:
    found = killed(tmp_path, 7, seed=seed)

    assert {name: {key: each[key] for key in CLEAN} for name, each in found.items()} == dict.fromkeys(found, CLEAN)

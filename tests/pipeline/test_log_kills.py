"""Exactly once, for logs: whoever ingests them while they are rotated is killed at random moments."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {"lost": 0, "doubled": 0, "died": 0, "notes": [], "damage": []}


def killed(folder: Path, kills: int, seed: int) -> dict[str, dict[str, Any]]:
    """The judgement with one and with two processes that ingest, killed so many times."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.killing_logs", str(folder), str(kills), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_kills_while_logs_are_rotated_lose_and_double_no_line(tmp_path: Path) -> None:
    found = killed(tmp_path, 8, seed=1)

    assert {name: {key: each[key] for key in CLEAN} for name, each in found.items()} == dict.fromkeys(found, CLEAN)
    for each in found.values():
        assert each["versions"] > 1
        assert each["rotated"] > 3
        assert each["aside"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 210))
def test_many_kills_while_logs_are_rotated(tmp_path: Path, seed: int) -> None:
    found = killed(tmp_path, 60, seed=seed)

    assert {name: {key: each[key] for key in CLEAN} for name, each in found.items()} == dict.fromkeys(found, CLEAN)

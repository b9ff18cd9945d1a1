"""kill -9 at random moments: what was acknowledged stays, nothing is doubled, nothing is torn."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def killed(folder: Path, kills: int, writers: int, seed: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.killing", str(folder), str(kills), str(writers), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    return json.loads(done.stdout)


def judge(found: dict[str, Any]) -> None:
    assert found["acknowledged"] > 0
    assert {name: found[name] for name in ("lost", "doubled", "strange", "died", "seen")} == {
        "lost": 0,
        "doubled": 0,
        "strange": 0,
        "died": 0,
        "seen": False,
    }
    assert found["torn"] == []
    assert found["damage"] == []


@pytest.mark.parametrize(("writers", "kills"), [(1, 34), (2, 34), (4, 34)])
def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(quick_folder: Path, writers: int, kills: int) -> None:
    found = killed(quick_folder, kills, writers, seed=writers)

    judge(found)
    assert found["kills"] == kills


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(50))
def test_fifty_thousand_kills(quick_folder: Path, seed: int) -> None:
    judge(killed(quick_folder, 1000, 4, seed=100 + seed))

"""What a program says that kills whoever ingests, and judges what is left."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def killed(program: str, folder: Path, kills: int, seed: int) -> dict[str, dict[str, Any]]:
    """The program's judgement of each of its cases, after so many kills in each."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.pipeline.{program}", str(folder), str(kills), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    return json.loads(done.stdout)

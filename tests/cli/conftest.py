"""The command line: in this process for speed, in a process of its own where that is the point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lastro.cli.main import run

PROGRAM = [sys.executable, "-c", "from lastro.cli.main import main; main()"]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def last(self) -> str:
        """The last line of standard output."""
        return self.out.rstrip("\n").rpartition("\n")[2]


Lastro = Callable[..., Ended]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """English, pages of 80 columns, and a folder of its own."""
    monkeypatch.setenv("LASTRO_LANG", "en")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lastro(capfd: pytest.CaptureFixture[str]) -> Lastro:
    """Runs a command line in this process."""

    def call(*arguments: str) -> Ended:
        capfd.readouterr()
        code = run(arguments)
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return call


@pytest.fixture
def process() -> Lastro:
    """Runs a command line in a process of its own; keywords are further variables of the environment."""

    def call(*arguments: str, **variables: str) -> Ended:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            encoding="utf-8",
            env={**os.environ, **variables},
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return call

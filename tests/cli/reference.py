"""The reference of the command line shows each command's help exactly as it is printed.

`python -m tests.cli.reference` brings the help blocks of `docs/reference/cli.md` up to date; a test compares them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.tidy.tree import ROOT

PAGE = ROOT / "docs" / "reference" / "cli.md"
PROGRAM = [sys.executable, "-c", "from lastro.cli.main import main; main()"]
BLOCK = re.compile(r"(<!-- help:(?P<words>[a-z -]*) -->\n```text\n)(?P<shown>.*?)(```\n)", re.DOTALL)


def help_of(words: str) -> str:
    """What `lastro WORDS --help` prints on a page of 80 columns, in English."""
    environment = {**os.environ, "LASTRO_LANG": "en", "COLUMNS": "80"}
    done = subprocess.run(
        [*PROGRAM, *words.split(), "--help"], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    return done.stdout


def shown(page: str) -> dict[str, str]:
    """The help blocks of the page by the command they belong to."""
    return {found["words"].strip(): found["shown"] for found in BLOCK.finditer(page)}


def refreshed(page: str) -> str:
    """The page with every help block as it is printed now."""
    return BLOCK.sub(lambda found: found[1] + help_of(found["words"]) + found[4], page)


if __name__ == "__main__":
    PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

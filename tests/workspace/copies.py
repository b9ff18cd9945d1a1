"""Copies of a lake that was filled once: ingesting takes longer than copying."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.workspace.lake import GOOD, HEADER, Lake

import lastro

OTHER = HEADER + "9,SP,1,2026-01-09\n"


class Copy(Lake):
    """A lake of its own, equal to another."""

    def __init__(self, original: Lake, root: Path) -> None:
        shutil.copytree(original.root, root)
        self.root = root
        self.csv = root / "loans.csv"
        self.workspace = lastro.open(root)


def approved(root: Path) -> Lake:
    """Version 0, with three rows, is tagged `approved`; version 1, with one, is the newest."""
    made = Lake(root)
    made.configure()
    made.csv.write_text(GOOD)
    made.loans.ingest()
    made.loans.tag("approved")
    made.csv.write_text(OTHER)
    made.loans.ingest()
    return made

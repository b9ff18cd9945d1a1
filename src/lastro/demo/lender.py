"""The lender's world in a folder: its database, its API's customers, its logs, and the workspace that reads them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import lastro
from lastro.demo import access, database
from lastro.demo.applications import MONTHS, Month, first_month, second_month
from lastro.demo.customers import Customers, customers
from lastro.demo.people import people
from lastro.workspace.workspace import Workspace

SEED = 20260901
FILES = Path(__file__).resolve().parent / "files"
DATABASE = Path("sources", "core.db")
LOGS = Path("sources", "logs")


@dataclass(frozen=True, slots=True)
class Lender:
    """A folder with the lender's sources, and what was planted in them. `broken` counts broken log lines by month."""

    folder: Path
    first: Month
    second: Month
    customers: Customers
    broken: tuple[int, int]
    requests: int

    def open(self, address: str) -> Workspace:
        """Writes the workspace's files, with the API at this address, and opens it."""
        lastro.init(self.folder)
        shutil.copytree(FILES, self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        settings = self.folder / "lastro.yaml"
        settings.write_text(settings.read_text(encoding="utf-8").replace("@ADDRESS@", address), encoding="utf-8")
        return lastro.open(self.folder)

    def next_month(self) -> None:
        """Lets the second month arrive in the database and in the logs."""
        database.arrive(self.folder / DATABASE, self.second.rows)
        (self.folder / "sources" / "later" / "access-2026-10.log").rename(self.folder / LOGS / "access-2026-10.log")


def build(folder: Path, applications: int) -> Lender:
    """Invents everything and writes the sources into the folder. The same size gives the same bytes."""
    random = Random(SEED)
    crowd = people(random, applications * 3 // 10, today=MONTHS[0].date())
    first = first_month(random, crowd, applications)
    second = second_month(random, crowd, first, applications * 3 // 10)
    for name in (LOGS, Path("sources", "later")):
        (folder / name).mkdir(parents=True)
    database.create(folder / DATABASE, first.rows)
    requests = applications // 2
    broken = (
        access.write(folder / LOGS / "access-2026-09.log.gz", random, month=MONTHS[0], requests=requests),
        access.write(folder / "sources" / "later" / "access-2026-10.log", random, month=MONTHS[1], requests=requests),
    )
    return Lender(
        folder, first, second, customers(random, crowd, today=date(2026, 9, 30)), broken=broken, requests=requests
    )

"""A contract's file, and reports of its checks at servers, for tests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import lastro

HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: 5b0c1c1e-loans
version: 1.0.0
status: active
"""
LOANS = """\
  - name: loans
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - name: uf
        logicalType: string
        enum: [{value: SP}, {value: RJ}, {value: MG}]
      - name: income
        logicalType: number
        logicalTypeOptions: {minimum: 0}
      - {name: applied_at, logicalType: date}
"""
LOCAL = "{server: here, type: local, path: 'loans*.csv', format: csv}"
TABLE = (
    "{server: here, type: custom, "
    "customProperties: [{property: source, vendor: lastro, value: {kind: sqlite, path: core.db}}]}"
)


class Served:
    """A folder with a contract's file, in which a test stands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contract = folder / "loans.odcs.yaml"

    def write(self, *servers: str, schema: str = LOANS, more: str = "") -> None:
        """The contract with these servers."""
        listed = "".join(f"  - {each}\n" for each in servers)
        self.contract.write_text(f"{HEAD}servers:\n{listed}{more}schema:\n{schema}")

    def rows(self, *lines: str, name: str = "loans.csv", header: str = "id,uf,income,applied_at") -> None:
        """A delimited file."""
        (self.folder / name).write_text("\n".join([header, *lines]) + "\n")

    def table(self, *lines: str, name: str = "loans", header: str = "id,uf,income,applied_at") -> None:
        """A table of texts, in a database that needs no process of its own to be read."""
        with closing(sqlite3.connect(self.folder / "core.db")) as base, base:
            base.execute(f"CREATE TABLE {name} ({header})")
            for line in lines:
                values = [value or None for value in line.split(",")]
                base.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(values))})", values)

    def check(self, server: str = "here", **asked):
        """The report of a contract with one schema object."""
        (report,) = self.every(server, **asked)
        return report

    def every(self, server: str = "here", **asked):
        """The reports of all schema objects."""
        return lastro.check(self.contract, server=server, **asked)


def verdicts(report) -> dict[str, str]:
    """Each rule's verdict."""
    return {each.finding.rule: each.finding.verdict.value for each in report.rules}


def broken(report) -> dict[str, float | None]:
    """The rules that did not pass, with what was measured."""
    return {each.finding.rule: each.finding.measured for each in report.rules if each.finding.verdict.value != "passed"}


def reason(report, name: str) -> str:
    """Why a rule could not be judged as it stands."""
    (found,) = [each for each in report.rules if each.finding.rule == name]
    return found.reason

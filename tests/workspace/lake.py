"""A small workspace with one dataset, made the way a person makes one."""

from __future__ import annotations

from pathlib import Path

import lastro
from lastro.model.lineage import Lineage

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: 5b0c1c1e-loans
version: 1.0.0
status: active
schema:
  - name: loans
    properties:
      - name: id
        logicalType: integer
        primaryKey: true
        required: true
      - name: uf
        logicalType: string
        transformLogic: upper(trim(uf))
        logicalTypeOptions: {maxLength: 2}
        enum: [{value: SP}, {value: RJ}, {value: MG}]
      - name: income
        logicalType: number
        logicalTypeOptions: {minimum: 0}
      - name: applied_at
        logicalType: date
"""

HEADER = "id,uf,income,applied_at\n"
GOOD = HEADER + "1, sp,1000.5,2026-01-01\n2,RJ,,2026-01-02\n3,mg ,300,2026-01-03\n"
BAD = GOOD + "4,XX,10,2026-01-04\nfive,SP,10,2026-01-05\n6,SP,-1,2026-02-30\n3,MG,301,2026-01-06\n7,SP\n"


class Lake:
    """A workspace in a temporary folder whose dataset `loans` reads `loans.csv`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.csv = root / "loans.csv"
        self.workspace = lastro.init(root)

    def configure(self, *, mode: str = "overwrite", contract: str = CONTRACT, extra: str = "") -> None:
        (self.root / "contracts" / "loans.odcs.yaml").write_text(contract)
        (self.root / "lastro.yaml").write_text(
            f"lastro: 1\ndatasets:\n  loans:\n    contract: contracts/loans.odcs.yaml\n    mode: {mode}\n"
            f"    source: {{kind: files, path: 'loans*.csv'}}\n{extra}"
        )
        self.workspace = lastro.open(self.root)

    @property
    def loans(self):
        return self.workspace.dataset("loans")

    def rows(self, selector: str = "latest") -> list[dict]:
        return sorted(self.loans.version(selector).to_arrow().to_pylist(), key=lambda row: row["id"])

    def ids(self, selector: str = "latest") -> list[int]:
        return [row["id"] for row in self.rows(selector)]


def write(lake: Lake, **texts: str) -> None:
    """Writes steps, `by_state__sql` into `transforms/by_state.sql`, and opens the workspace with them."""
    folder = lake.root / "transforms"
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text)
    lake.workspace = lastro.open(lake.root)


def told(found: Lineage, *, downstream: bool = False) -> list[tuple[int, str]]:
    """A lineage as it is told: how far each node is, and which it is."""
    return [(place.depth, place.node.id) for place in found.tree(downstream=downstream)]

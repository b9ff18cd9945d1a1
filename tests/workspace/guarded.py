"""A workspace with people in it, in which ana is an analyst."""

from __future__ import annotations

import shutil
from copy import copy
from pathlib import Path
from typing import Any

from tests.workspace.lake import Lake

import lastro

CPFS = ["11144477735", "52998224725", "12345678909"]
INCOMES = [700_119_283_001, 700_119_283_002, 700_119_283_003]
"""Too long to stand in a digest or an identifier by chance."""
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: loans
version: 1.0.0
status: active
roles:
  - {role: analyst, access: read}
  - {role: robot, access: write}
schema:
  - name: loans
    customProperties:
      - {property: subject, value: cpf, vendor: lastro}
      - property: purposes
        vendor: lastro
        value: PURPOSES
    properties:
      - name: id
        logicalType: integer
        primaryKey: true
        required: true
        customProperties: [{property: personal, value: none, vendor: lastro}]
      - name: cpf
        logicalType: string
        customProperties: [{property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}]
      - name: income
        logicalType: integer
        logicalTypeOptions: {minimum: 10}
        customProperties: [{property: personal, value: feature, vendor: lastro}]
      - name: uf
        logicalType: string
        customProperties: [{property: personal, value: quasi-identifier, vendor: lastro}]
      - {name: note, logicalType: string}
"""
HEADER = "id,cpf,income,uf,note\n"


class Guarded(Lake):
    """`loans` has three rows and one that was set aside; nothing says who may read them yet."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.purposes = "[]"
        self.roles = "ana: [analyst]"
        self.more = ""
        self.contract = CONTRACT
        self.begin()
        self.count = 0
        self.grow()

    def copied(self, root: Path) -> Guarded:
        """The same in another folder."""
        shutil.copytree(self.root, root)
        made = copy(self)
        made.root, made.csv = root, root / "loans.csv"
        made.workspace = lastro.open(root)
        return made

    def begin(self) -> None:
        """Opens the workspace as it is described now."""
        contract = self.contract.replace("PURPOSES", self.purposes)
        if self.purposes == "[]":
            contract = contract.replace("      - property: purposes\n        vendor: lastro\n        value: []\n", "")
        self.configure(mode="append", contract=contract, extra=self.more)

    def grow(self) -> None:
        """Ingests three rows, and one that is refused; later on, one row each time."""
        ufs = ("SP", "RJ", "SP")
        rows = [f"{n + 1},{CPFS[n]},{INCOMES[n]},{ufs[n]},n{n}" for n in range(3)] + [f"9,{CPFS[0]},-1,SP,refused"]
        rows = rows if not self.count else [f"{10 + self.count},{CPFS[1]},{INCOMES[1]},MG,more"]
        (self.root / f"loans-{self.count}.csv").write_text(HEADER + "\n".join(rows) + "\n")
        self.count += 1
        self.loans.ingest()

    def access(self, text: str) -> None:
        """Adds to `lastro.yaml`."""
        self.more += text + "\n"
        self.begin()

    def policy(self, text: str) -> None:
        """Writes the only file of policies; ana is an analyst."""
        folder = self.root / "policies"
        folder.mkdir(exist_ok=True)
        (folder / "people.cedar").write_text(text)
        if "access:" not in self.more:
            self.access("access: {people: {" + self.roles + "}}")
        self.begin()

    def rename(self, old: str, new: str) -> None:
        """Another name in the contract; the stored versions stay."""
        self.contract = self.contract.replace(f"name: {old}\n", f"name: {new}\n")
        self.contract = self.contract.replace(f"value: {old},", f"value: {new},")
        self.begin()

    def version(self, selector: str = "0", **asked: Any) -> Any:
        """One version, as it is opened now."""
        return self.loans.version(selector, **asked)

    def read(self, *columns: str, **asked: Any) -> Any:
        """The rows of the first version."""
        return self.version(**asked).to_arrow(*columns)

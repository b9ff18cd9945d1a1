"""A workspace whose dataset holds people, protected by every method, made the way a person makes one."""

from __future__ import annotations

from pathlib import Path

import lastro
from lastro.workspace.workspace import Workspace

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: 5b0c1c1e-people
version: 1.0.0
status: active
schema:
  - name: people
    customProperties:
      - {property: subject, value: cpf, vendor: lastro}
    properties:
      - name: cpf
        logicalType: string
        primaryKey: true
        required: true
        transformLogic: regexp_replace(cpf, '[^0-9]', '', 'g')
        logicalTypeOptions: {pattern: '^[0-9]{11}$'}
        customProperties:
          - {property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}
          - {property: protection, value: token, vendor: lastro}
      - name: email
        logicalType: string
        customProperties: [{property: protection, value: token, vendor: lastro}]
      - name: card
        logicalType: string
        customProperties: [{property: protection, value: hash, vendor: lastro}]
      - name: phone
        logicalType: string
        customProperties: [{property: protection, value: {method: mask, keep: 2}, vendor: lastro}]
      - name: note
        logicalType: string
        customProperties: [{property: protection, value: redact, vendor: lastro}]
      - name: born
        logicalType: date
        customProperties: [{property: protection, value: {method: generalise, to: year}, vendor: lastro}]
      - name: income
        logicalType: integer
        logicalTypeOptions: {minimum: 0}
        customProperties: [{property: protection, value: {method: generalise, bins: 1000}, vendor: lastro}]
      - name: mother
        logicalType: string
        required: true
        customProperties: [{property: protection, value: drop, vendor: lastro}]
      - name: score
        logicalType: integer
        classification: confidential
      - name: uf
        logicalType: string
        classification: public
        enum: [{value: SP}, {value: RJ}]
        customProperties: [{property: personal, value: feature, vendor: lastro}]
"""
HEADER = "cpf,email,card,phone,note,born,income,mother,score,uf,extra\n"
ANA = (
    "529.982.247-25,ana@private.org,4111111111111111,11988887777,fala de 111.444.777-35,1987-05-06,"
    "54321098,Rosamunda,77123,SP,\n"
)
RUI = "111.444.777-35,rui@private.org,5500005555555559,11977776666,nada,1990-01-02,43210987,Dalva,66123,RJ,\n"
BAD = (
    "390.533.447-05,eva@private.org,340000000000009,11966665555,ruim,1991-02-03,"
    "-19990001,Ivone,551230987,MG,surplus-one\n"
)
BROKEN = "168.995.350-09,torn line\n"
VALUES = (
    *("529.982.247-25", "52998224725", "11144477735", "111.444.777-35", "390.533.447-05", "39053344705"),
    *("168.995.350-09", "private.org", "4111111111111111", "5500005555555559", "340000000000009"),
    *(
        "11988887777",
        "11966665555",
        "1987-05-06",
        "54321098",
        "-19990001",
        "Rosamunda",
        "Ivone",
        "surplus-one",
        "551230987",
        "torn line",
    ),
)
"""What must stand nowhere, neither of kept rows nor of refused ones."""


class People:
    """A workspace in a temporary folder whose dataset `people` reads files in a folder beside it."""

    def __init__(self, folder: Path, *, mode: str = "upsert", contract: str = CONTRACT, extra: str = "") -> None:
        self.inbox, self.root = folder / "inbox", folder / "lake"
        self.inbox.mkdir()
        lastro.init(self.root)
        self.configure(mode=mode, contract=contract, extra=extra)

    def configure(self, *, mode: str = "upsert", contract: str = CONTRACT, extra: str = "") -> None:
        (self.root / "contracts" / "people.odcs.yaml").write_text(contract)
        (self.root / "lastro.yaml").write_text(
            f"lastro: 1\ndatasets:\n  people:\n    contract: contracts/people.odcs.yaml\n    mode: {mode}\n"
            f"    source: {{kind: files, path: '{self.inbox}/*.csv'}}\n{extra}"
        )
        self.workspace: Workspace = lastro.open(self.root)

    @property
    def people(self):
        return self.workspace.dataset("people")

    def deliver(self, *lines: str, name: str = "a.csv", header: str = HEADER):
        """Puts a file into the inbox, in the place of what is there, and takes it in."""
        for path in self.inbox.iterdir():
            path.unlink()
        (self.inbox / name).write_text(header + "".join(lines))
        return self.people.ingest()

    def rows(self, selector: str = "latest") -> list[dict]:
        return self.people.version(selector).to_arrow().to_pylist()

    def found(self, *values: str) -> list[tuple[str, str]]:
        """Where in the workspace the bytes of these values stand."""
        files = [path for path in self.root.rglob("*") if path.is_file()]
        return [
            (value, str(path.relative_to(self.root)))
            for path in files
            for value in values
            if value.encode() in path.read_bytes()
        ]

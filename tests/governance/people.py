"""A workspace with persons in it: protected and not, derived, set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lastro
from lastro.workspace.workspace import Workspace

ANA, BEA, CAIO = "529.982.247-25", "111.444.777-35", "123.456.789-09"
CONTRACT = """version: 1.0.0
apiVersion: v3.2.0
kind: DataContract
id: {name}
status: active
slaProperties: [{retention}]
schema:
  - name: {name}
    customProperties:
      - {{property: subject, vendor: lastro, value: {subject}}}
      - {{property: purposes, vendor: lastro, value: [{{purpose: scoring, basis: "LGPD art. 7, X"}}]}}
{more}    properties:
{columns}
"""
LOANS = """      - {name: id, logicalType: integer, primaryKey: true}
      - name: cpf
        logicalType: string
        customProperties:
          - {property: personal, vendor: lastro, value: {class: identifier, kind: cpf, confirmed: ana}}
      - {name: note, logicalType: string}
      - {name: asked, logicalType: date}
      - {name: amount, logicalType: number, logicalTypeOptions: {minimum: 0}}
      - {name: tags, logicalType: array, items: {logicalType: string}}
"""
RETENTION = "{property: retention, value: 5, unit: y, element: asked}"
ABOUT = """
organisation:
  name: Banco Exemplo
  contact: privacidade@exemplo.com.br
  country: BR
  officer: {name: Ana Lima, contact: dpo@exemplo.com.br}
  parties:
    - {name: Bureau SA, role: recipient, country: BR}
"""


def row(number: int, cpf: str, **changed: Any) -> dict[str, Any]:
    """A row of `loans`."""
    base = {"id": number, "cpf": cpf, "note": "a loan", "asked": f"2026-01-{number:02}", "amount": 10.5, "tags": ["a"]}
    return {**base, **changed}


def contract(root: Path, name: str, columns: str, *, subject: str = "cpf", more: str = "", **said: str) -> None:
    """Writes a contract."""
    retention = said.get("retention", RETENTION)
    text = CONTRACT.format(name=name, subject=subject, columns=columns, more=more, retention=retention)
    (root / "contracts" / f"{name}.odcs.yaml").write_text(text, encoding="utf-8")


def made(
    root: Path, rows: list[dict[str, Any]], *, mode: str = "append", primary: bool = True, **said: str
) -> Workspace:
    """A workspace whose dataset `loans` has these rows."""
    lastro.init(root)
    (root / "lastro.yaml").write_text(f"lastro: 1{ABOUT}datasets:\n", encoding="utf-8")
    columns = LOANS if primary else LOANS.replace(", primaryKey: true", "")
    return add(root, "loans", columns, rows, mode=mode, **said)


def add(root: Path, name: str, columns: str, rows: list[dict[str, Any]], **said: Any) -> Workspace:
    """The workspace with one more dataset of these rows, whose contract has these columns."""
    mode = said.pop("mode", "append")
    with (root / "lastro.yaml").open("a", encoding="utf-8") as stream:
        stream.write(f"  {name}: {{contract: contracts/{name}.odcs.yaml, mode: {mode}}}\n")
    contract(root, name, columns, **said)
    workspace = lastro.open(root)
    if rows:
        workspace.dataset(name).ingest(data=rows)
    return workspace


def token(workspace: Workspace, kind: str, value: str, *, subjects_: tuple[str, ...] = ()) -> str:
    """The token of somebody, or of a value in the rows of somebody."""
    vault = workspace.vault
    (made,) = vault.tokens(kind, [value], is_subject=not subjects_, subjects=None)
    for each in subjects_:
        vault.tokens(kind, [value], subjects=[each])
    vault.close()
    return made


def every_byte(folder: Path) -> bytes:
    """All that files of a folder hold."""
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())

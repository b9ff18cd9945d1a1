"""The certificate of an erasure: what was erased, from which versions, and the proof, for the person and an auditor.

Rules:

1. It holds no personal value and no token: only names, numbers and digests of the workspace.
2. Its signature is Ed25519 over the canonical JSON of `certificate`, by the ledger's key: whoever has the public key
   checks it without the workspace. Inside the workspace the generations it names are looked up, too.
3. What is not known is said, not left out.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastro.model import digest
from lastro.model.errors import Corrupted
from lastro.model.text import _
from lastro.privacy.signing import is_signed
from lastro.store.erasure.generations import Generation
from lastro.store.table import Table

FORMAT = 1
Record = Mapping[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is certified, the public key, and the signature."""

    record: Record
    key: str
    signature: bytes

    @property
    def id(self) -> str:
        """The request's id."""
        return str(self.record["request"])

    def encode(self) -> bytes:
        """The certificate as it stands in its file."""
        outer = {
            "certificate": self.record,
            "key": self.key,
            "signature": base64.b64encode(self.signature).decode(),
        }
        return json.dumps(outer, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def signed_bytes(record: Record) -> bytes:
    """What is signed."""
    return b"lastro erasure certificate\n" + digest.canonical(record)


def read(path: Path) -> Certificate:
    """The certificate in a file; its signature is not checked yet. Raises `Corrupted`."""
    try:
        outer = json.loads(path.read_bytes(), object_pairs_hook=_once)
        signature = base64.b64decode(outer["signature"], validate=True)
        certificate = Certificate(outer["certificate"], str(outer["key"]), signature)
        known = certificate.record["lastro_erasure"] == FORMAT
    except (OSError, ValueError, LookupError, TypeError):
        known = False
    if not known:
        raise Corrupted(
            _("this is no certificate of an erasure"), where=str(path), do=_("name the file that lastro erase wrote")
        )
    return certificate


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: JSON values
    """An object whose members have different names: of two of one name, a reader sees one and a program the other."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a name stands twice")
    return found


def is_genuine(certificate: Certificate, public: bytes) -> bool:
    """True if the holder of this key signed it, and nothing in it was changed since."""
    return is_signed(public, certificate.signature, signed_bytes(certificate.record))


def of_table(dataset: str, table: Table, generations: Sequence[Generation]) -> Record:
    """What one table lost to a request, over its generations: versions, rows, files, digests before and after."""
    files: dict[str, dict[str, Any]] = {}  # Any: JSON values
    for each in (file for generation in generations for file in generation.files):
        was = files.get(each.path)
        files[each.path] = {
            "path": each.path,
            "before": was["before"] if was else each.before,
            "after": each.after,
            "rows": (was["rows"] if was else 0) + each.rows,
        }
    lost = lost_rows(table, generations)
    return {
        "dataset": dataset,
        "versions": [
            {"number": number, "digest": table.log.manifest(number).digest, "rows": rows}
            for number, rows in sorted(lost.items())
        ],
        "rewritten": sorted({number for each in generations for number in each.versions}),
        "rows": sum(file["rows"] for file in files.values()),
        "files": [files[path] for path in sorted(files)],
        "generations": [{"number": each.number, "digest": each.digest} for each in generations],
    }


def lost_rows(table: Table, generations: Sequence[Generation]) -> dict[int, int]:
    """How many rows each version lost to these generations."""
    lost: dict[str, int] = {}
    for each in (file for generation in generations for file in generation.files):
        lost[each.path] = lost.get(each.path, 0) + each.rows
    head = table.log.head()
    touched = {number for each in generations for number in each.versions}
    counted = {
        state.manifest.number: sum(lost.get(path, 0) for path in state.files)
        for state in (table.log.states(head) if head is not None else ())
        if state.manifest.number in touched
    }
    return {number: rows for number, rows in counted.items() if rows}


def of_request(table: Table, request: str) -> tuple[Generation, ...]:
    """The generations of a table that a request made."""
    return tuple(each for each in table.log.generations.known().generations if each.request == request)


def readable(certificate: Certificate) -> str:
    """The certificate as Markdown, in the reader's language."""
    found = certificate.record
    tables = [
        f"| {each['dataset']} | {', '.join(str(one['number']) for one in each['versions'])} | {each['rows']} "
        f"| {len(each['files'])} |"
        for each in found["tables"]
    ]
    kept = [_("{dataset}: {basis}, until {until}").format(**each) for each in found["kept"]]
    models = [f"{each['run']} ({each['name']}): {', '.join(each['inputs'])}" for each in found["models"]]
    proofs = [
        _("{dataset}, erasure {number}: {digest}").format(dataset=each["dataset"], **one)
        for each in found["tables"]
        for one in each["generations"]
    ]
    parts = [
        (_("Certificate of erasure"), [f"- {name}: {value}" for name, value in _facts(found)]),
        (
            _("What was erased"),
            [f"| {_('dataset')} | {_('versions')} | {_('rows')} | {_('files')} |", "|---|---|--:|--:|", *tables],
        ),
        (_("What a legal duty keeps"), [f"- {each}" for each in kept] or [_("nothing")]),
        (_("Models trained on versions that held the rows"), [f"- {each}" for each in models] or [_("none")]),
        (_("Proof"), [f"- {each}" for each in proofs]),
        (_("Signature"), [f"`{certificate.key}`", "", f"`{base64.b64encode(certificate.signature).decode()}`"]),
    ]
    marks = ["#", *["##"] * (len(parts) - 1)]
    return "\n".join(
        line for mark, (title, lines) in zip(marks, parts, strict=True) for line in (f"{mark} {title}", "", *lines, "")
    )


def _facts(found: Record) -> list[tuple[str, str]]:
    search = found["search"]
    by = _("by identifier and token") if search["identifiers"] else _("by token")
    return [
        (_("request"), f"`{found['request']}`"),
        (_("legal basis"), found["basis"]),
        (_("asked for"), found["asked"]),
        (_("done"), found["done"]),
        (_("people"), str(found["people"])),
        (_("found in the bytes of all files of the workspace"), f"{search['hits']} ({by})"),
        (_("rows of them left in any version"), str(search["rows"])),
        (
            _("vault"),
            _("what names them was removed; they are blocked") if found["forgotten"] else _("kept for the duty"),
        ),
        (_("exports on record"), str(found["exports"])),
        (_("backups of the vault"), _backups(found["backups_until"])),
    ]


def _backups(until: str | None) -> str:
    if until is None:
        return _("there is none whose key is here")
    return _("those made before hold the entries until {day} at the latest").format(day=until)

"""The ledger as files that anybody can check: events, checkpoints, and the program that checks them.

Rules:

1. A folder holds `events.jsonl` (one event a line, its bytes as they were hashed), `checkpoints.txt` (the signed notes,
   one after another), `key.txt` (the first public key) and `verify.py`, which needs Python and `cryptography`.
2. The folder is made under another name and moved to its place whole; one that is there is never written into.
3. A proof is a JSON object: the event's `number` and `content`, the `note` of a checkpoint that covers it, and the
   `path` of hashes in base64; where keys were replaced, `keys` are proofs of the events that announced them.
"""

from __future__ import annotations

import base64
import json
import shutil
import uuid
from importlib import resources
from pathlib import Path

from lastro.ledger.book import Ledger, Proof
from lastro.ledger.note import PublicKey
from lastro.model.errors import UsageError, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _

EVENTS, CHECKPOINTS, KEY, VERIFIER = "events.jsonl", "checkpoints.txt", "key.txt", "verify.py"


def export(ledger: Ledger, key: PublicKey, folder: Path) -> int:
    """Writes the ledger into a new folder; gives how many events. Raises `UsageError`, `WriteFailed`."""
    if folder.exists() or folder.is_symlink():
        raise UsageError(_("the folder is there already"), where=str(folder), do=_("name a new one"))
    making = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        making.mkdir(parents=True)
        count = _write(ledger, key, making)
        making.rename(folder)
    except OSError as error:
        raise WriteFailed(
            _("the ledger cannot be written there: {reason}").format(reason=reason_of(error)),
            where=str(folder),
            do=_("name a folder that can be written"),
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return count


def _write(ledger: Ledger, key: PublicKey, folder: Path) -> int:
    count = 0
    with ledger.view() as view:
        with (folder / EVENTS).open("w", encoding="utf-8", newline="\n") as stream:
            for content in view.contents():
                stream.write(f"{content}\n")
                count += 1
        with (folder / CHECKPOINTS).open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(view.notes())
    (folder / KEY).write_text(f"{key}\n", encoding="utf-8")
    verifier = resources.files("lastro.ledger").joinpath("standalone.py").read_text(encoding="utf-8")
    (folder / VERIFIER).write_text(verifier, encoding="utf-8")
    return count


def proof_values(proof: Proof) -> dict[str, object]:
    """The proof as plain values (rule 3)."""
    path = [base64.b64encode(each).decode() for each in proof.path]
    values: dict[str, object] = {"number": proof.number, "content": proof.content, "note": proof.note, "path": path}
    return {**values, "keys": [proof_values(each) for each in proof.keys]} if proof.keys else values


def proof_text(proof: Proof) -> str:
    """The proof as a JSON object (rule 3)."""
    return json.dumps(proof_values(proof), ensure_ascii=False, indent=1) + "\n"

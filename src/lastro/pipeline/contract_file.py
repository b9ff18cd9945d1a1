"""The file of a target's contract: read as it stands now, and replaced as a whole."""

from __future__ import annotations

from pathlib import Path

from lastro.contract import Contract
from lastro.model.durable import write_durably
from lastro.model.errors import WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _


def read(known: Contract, file: Path) -> Contract:
    """The contract as its file says now: the known one, unless the text is another. Raises `ContractError`."""
    from lastro.contract import load

    found = load(file) if _text(file) != known.text.encode() else known
    return known if found.digest == known.digest and found.text == known.text else found


def write(file: Path, contract: Contract) -> None:
    """Replaces the file by the contract's text. Raises `WriteFailed`."""
    try:
        write_durably(file, contract.text.encode())
    except OSError as error:
        raise WriteFailed(
            _("the contract cannot be written: {reason}").format(reason=reason_of(error)),
            where=str(file),
            do=_("give the right to write to it and its folder, then try again"),
        ) from error


def _text(file: Path) -> bytes:
    """What the file holds; nothing if it cannot be read, of which `load` says more."""
    try:
        return file.read_bytes()
    except OSError:
        return b""

#!/usr/bin/env python3
"""Checks an exported ledger of Lastro without Lastro: the standard library and `cryptography` are enough.

    python verify.py FOLDER --key KEY [--anchor FILE ...]
    python verify.py --proof FILE --key KEY

FOLDER holds events.jsonl (one event a line) and checkpoints.txt (the signed notes, one after another), as
`lastro ledger export` writes them. KEY is the ledger's public key, `NAME+ID+BASE64`; take it from somebody whom you
believe, not from the folder. An anchor is a file of one or more notes that was kept elsewhere. A proof is what
`lastro ledger prove` writes.

Exit code 0: everything is as it was signed. 1: it is not; what is wrong is printed. 2: this could not be judged.

The rules are those of RFC 9162 (Merkle tree, section 2.1) and of the C2SP specifications signed-note and
tlog-checkpoint. This file shares no code with Lastro, on purpose: it is a second opinion.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOTE_LINES = 6
NUMBER = re.compile("0|[1-9][0-9]*", re.ASCII)


class Wrong(Exception):
    """Something is not as it was signed."""


def sha256(content: bytes) -> bytes:
    """The hash that everything is made of."""
    return hashlib.sha256(content).digest()


class Tree:
    """The root over leaves that come one after another."""

    def __init__(self) -> None:
        self.size = 0
        self.parts: list[tuple[int, bytes]] = []  # complete subtrees with how many leaves each has, the largest first

    def add(self, leaf: bytes) -> None:
        """One more leaf."""
        part = (1, sha256(b"\0" + leaf))
        while self.parts and self.parts[-1][0] == part[0]:
            count, left = self.parts.pop()
            part = (count * 2, sha256(b"\1" + left + part[1]))
        self.parts.append(part)
        self.size += 1

    def root(self) -> bytes:
        """The root over what was added."""
        if not self.parts:
            return sha256(b"")
        root = self.parts[-1][1]
        for _count, left in self.parts[-2::-1]:
            root = sha256(b"\1" + left + root)
        return root


def read_key(text: str) -> tuple[str, bytes, bytes]:
    """Name, id and public key of `NAME+ID+BASE64`. Raises `ValueError`."""
    name, key_id, encoded = text.strip().split("+", 2)
    content = base64.b64decode(encoded, validate=True)
    expected = sha256(name.encode() + b"\n" + content)[:4]
    if len(content) != 33 or content[0] != 1 or expected.hex() != key_id:
        raise ValueError("this is no public key of a ledger")
    return name, expected, content[1:]


def read_note(note: str, key: tuple[str, bytes, bytes]) -> tuple[int, bytes, int]:
    """Size, root and number of a signed note. Raises `Wrong`."""
    name, key_id, public = key
    lines = note.split("\n")
    if len(lines) != NOTE_LINES + 1 or lines[4] or lines[6] or lines[0] != name:
        raise Wrong("a checkpoint is not in the form, or of another ledger")
    own, mark = lines[3].split(" "), f"— {name} "
    if (
        not lines[5].startswith(mark)
        or not NUMBER.fullmatch(lines[1])
        or len(own) != 3
        or own[0] != "lastro"
        or not NUMBER.fullmatch(own[1])
    ):
        raise Wrong("a checkpoint is not in the form")
    try:
        signature = base64.b64decode(lines[5].removeprefix(mark), validate=True)
        root = base64.b64decode(lines[2], validate=True)
        if signature[:4] != key_id:
            raise Wrong("a checkpoint is signed with another key")
        Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], "\n".join([*lines[:4], ""]).encode())
    except (ValueError, InvalidSignature):
        raise Wrong("a checkpoint's signature is not right") from None
    return int(lines[1]), root, int(own[1])


def read_text(path: Path) -> str:
    """A file's text, with its line endings as they are."""
    return path.read_bytes().decode()


def read_notes(text: str) -> list[str]:
    """The notes of a file, one after another."""
    *lines, rest = text.split("\n")
    if rest or len(lines) % NOTE_LINES:
        raise Wrong("a file of checkpoints ends in the middle of one")
    if not lines:
        raise Wrong("there is no checkpoint: nothing is signed")
    return ["\n".join([*lines[at : at + NOTE_LINES], ""]) for at in range(0, len(lines), NOTE_LINES)]


def check_folder(folder: Path, key: tuple[str, bytes, bytes], anchors: list[str]) -> str:
    """What was checked. Raises `Wrong` with the first that is not right."""
    notes = read_notes(read_text(folder / "checkpoints.txt"))
    sizes = {[*note.split("\n"), ""][1] for note in anchors}
    tree, roots, number, keys = Tree(), {0: sha256(b"")}, 0, [key]
    with (folder / "events.jsonl").open("rb") as stream:
        for note in notes:
            signed_with = keys[-1]
            size, root, told = read_note(note, signed_with)
            if told != number or size <= tree.size:
                raise Wrong(f"checkpoint {told} is not where it belongs")
            while tree.size < size:
                line = stream.readline()
                if not line.endswith(b"\n"):
                    raise Wrong(f"events are gone from number {tree.size} on")
                keys += announced(line)
                tree.add(line[:-1])
                if str(tree.size) in sizes:
                    roots[tree.size] = tree.root()
            if tree.root() != root:
                raise Wrong(f"the events before number {size} are not those of checkpoint {number}")
            number += 1
        if stream.read(1):
            raise Wrong(f"events from number {tree.size} on are covered by no checkpoint")
    if any(each[0] != key[0] for each in keys):
        raise Wrong("a key of another ledger was announced")
    for anchor in anchors:
        check_anchor(anchor, keys, roots)
    return f"{tree.size} events under {number} checkpoints, {len(anchors)} anchors, root {tree.root().hex()}"


def announced(line: bytes) -> list[tuple[str, bytes, bytes]]:
    """The key that an event announces; what is no event is found by its hash."""
    try:
        event = json.loads(line)
        return [read_key(str(event["about"]["public"]))] if event["action"] == "key" else []
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def check_anchor(anchor: str, keys: list[tuple[str, bytes, bytes]], roots: dict[int, bytes]) -> None:
    """Raises `Wrong` if a note that was kept elsewhere is not of the beginning of these events."""
    for key in keys:
        try:
            size, root, _number = read_note(anchor, key)
        except Wrong:
            continue
        if roots.get(size) != root:
            raise Wrong(f"an anchor of {size} events is not of these events")
        return
    raise Wrong("an anchor is not signed with a key of this ledger")


def check_proof(proof: dict[str, object], key: tuple[str, bytes, bytes]) -> str:
    """What was proven, after the keys that led to the one that signed. Raises `Wrong`."""
    before = proof["keys"] if "keys" in proof else []  # noqa: SIM401 – whatever has no keys is no proof
    for each in list(before):  # type: ignore[call-overload]
        _check_inclusion(each, key)
        following = announced(str(each["content"]).encode())
        if not following or following[0][0] != key[0]:
            raise Wrong("an event announces no key of this ledger")
        key = following[0]
    return _check_inclusion(proof, key)


def _check_inclusion(proof: dict[str, object], key: tuple[str, bytes, bytes]) -> str:
    """What was proven under one key. Raises `Wrong`."""
    size, root, _number = read_note(str(proof["note"]), key)
    place = proof["number"]
    if type(place) is not int:
        raise TypeError("the proof's number is none")
    path = [base64.b64decode(each, validate=True) for each in list(proof["path"])]  # type: ignore[call-overload]
    first, last, found = place, size - 1, sha256(b"\0" + str(proof["content"]).encode())
    if not 0 <= place < size:
        raise Wrong("the checkpoint does not cover the event")
    for each in path:
        if last == 0:
            raise Wrong("the proof is too long")
        if first % 2 or first == last:
            found = sha256(b"\1" + each + found)
            while first % 2 == 0 and first:
                first, last = first // 2, last // 2
        else:
            found = sha256(b"\1" + found + each)
        first, last = first // 2, last // 2
    if last or found != root:
        raise Wrong("the event is not in the ledger that was signed")
    return f"event {place} is in the ledger of {size} events: {proof['content']}"


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description="Checks an exported ledger of Lastro.")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--key", required=True)
    parser.add_argument("--anchor", action="append", default=[], type=Path)
    parser.add_argument("--proof", type=Path)
    asked = parser.parse_args()
    if (asked.folder is None) is (asked.proof is None) or (asked.anchor and asked.proof is not None):
        parser.error("name a folder, with its anchors, or a proof alone")
    try:
        key = read_key(asked.key)
        if asked.proof is not None:
            said = check_proof(json.loads(read_text(asked.proof)), key)
        else:
            anchors = [note for each in asked.anchor for note in read_notes(read_text(each))]
            said = check_folder(asked.folder, key, anchors)
    except Wrong as wrong:
        print(f"NOT as it was signed: {wrong}")
        return 1
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        print(f"cannot be judged: {error}", file=sys.stderr)
        return 2
    print(f"as it was signed: {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""An exported ledger, and a proof, are checked by a program that knows nothing of Lastro."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.ledger.test_ledger import KEY, ORIGIN, PUBLIC, made, read_by

from lastro.ledger import note
from lastro.ledger.book import Ledger
from lastro.ledger.event import Event, to_text
from lastro.ledger.export import export, proof_text
from lastro.ledger.note import Checkpoint, PublicKey
from lastro.ledger.tree import Frontier, leaf_hash
from lastro.model.errors import Conflict, UsageError
from lastro.privacy.signing import SigningKey, key_of


def verify(program: Path, *arguments: object, key: PublicKey = PUBLIC) -> tuple[int, str]:
    """Runs the verifier without this project on its path."""
    done = subprocess.run(
        [sys.executable, "-I", str(program), *map(str, arguments), "--key", str(key)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    export(made(tmp_path / "ledger.sqlite", [1, 300, 20]), PUBLIC, tmp_path / "out")
    return tmp_path / "out"


def test_the_verifier_does_not_import_lastro(exported: Path) -> None:
    text = (exported / "verify.py").read_text()

    assert "import lastro" not in text and "from lastro" not in text


def test_a_whole_ledger_is_as_it_was_signed(exported: Path) -> None:
    code, said = verify(exported / "verify.py", exported)

    assert (code, said.split(",")[0]) == (0, "as it was signed: 321 events under 3 checkpoints")


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return change


def add(name: str, more: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_text((folder / name).read_text() + more)

    return change


def cut_events(folder: Path) -> None:
    lines = (folder / "events.jsonl").read_text().splitlines(keepends=True)
    (folder / "events.jsonl").write_text("".join(lines[:-1]))


def swap_events(folder: Path) -> None:
    first, second, *rest = (folder / "events.jsonl").read_text().splitlines(keepends=True)
    (folder / "events.jsonl").write_text("".join([second, first, *rest]))


def drop_checkpoint(folder: Path) -> None:
    lines = (folder / "checkpoints.txt").read_text().splitlines(keepends=True)
    (folder / "checkpoints.txt").write_text("".join(lines[:6] + lines[12:]))


@pytest.mark.parametrize(
    "change",
    [
        edit("events.jsonl", "ana1", "eva1"),
        edit("events.jsonl", '"actor":"ana0"', '"actor": "ana0"'),
        edit("events.jsonl", "\n", "\n\n"),
        edit("checkpoints.txt", "\n301\n", "\n300\n"),
        edit("checkpoints.txt", "lastro 1 ", "lastro 2 "),
        edit("checkpoints.txt", "— lastro", "— Lastro"),
        cut_events,
        swap_events,
        drop_checkpoint,
        add("events.jsonl", "{}\n"),
        add("checkpoints.txt", "\n"),
    ],
)
def test_whatever_was_changed_is_found(exported: Path, change: Callable[[Path], None]) -> None:
    change(exported)

    code, said = verify(exported / "verify.py", exported)
    assert (code, said.split(":")[0]) == (1, "NOT as it was signed")


def test_an_anchor_tells_a_ledger_that_was_cut_off(tmp_path: Path, exported: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite", ORIGIN)
    (tmp_path / "anchor.txt").write_text(ledger.last() or "")
    export(made(tmp_path / "shorter.sqlite", [1, 300]), PUBLIC, tmp_path / "shorter")

    assert verify(exported / "verify.py", exported, "--anchor", tmp_path / "anchor.txt")[0] == 0
    assert verify(exported / "verify.py", tmp_path / "shorter")[0] == 0
    assert verify(exported / "verify.py", tmp_path / "shorter", "--anchor", tmp_path / "anchor.txt")[0] == 1


def test_a_file_of_many_anchors_is_held_against_it_one_by_one(tmp_path: Path, exported: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite", ORIGIN)
    with ledger.view() as view:
        notes = list(view.notes())
    (tmp_path / "anchors.txt").write_text("".join(notes))
    export(made(tmp_path / "shorter.sqlite", [1, 300]), PUBLIC, tmp_path / "shorter")

    code, said = verify(exported / "verify.py", exported, "--anchor", tmp_path / "anchors.txt")
    assert (code, f"{len(notes)} anchors" in said) == (0, True)
    assert verify(exported / "verify.py", tmp_path / "shorter", "--anchor", tmp_path / "anchors.txt")[0] == 1


def test_another_key_is_not_believed(exported: Path) -> None:
    code, said = verify(exported / "verify.py", exported, key=PublicKey(ORIGIN, key_of(b"x" * 32).public))

    assert (code, "another key" in said) == (1, True)


@pytest.mark.parametrize("arguments", [["/nowhere"], []])
def test_what_cannot_be_judged_says_so(exported: Path, arguments: list[str]) -> None:
    assert verify(exported / "verify.py", *arguments)[0] == 2


def test_keys_follow_one_another(tmp_path: Path) -> None:
    ledger, later = made(tmp_path / "ledger.sqlite", [3]), key_of(b"l" * 32)
    announced = Event(
        lastro=1, at=read_by(3).at, actor="ana", action="key", about={"public": str(PublicKey(ORIGIN, later.public))}
    )
    ledger.add([announced], KEY)
    ledger.add([read_by(4)], later)
    export(ledger, PUBLIC, tmp_path / "out")

    assert verify(tmp_path / "out" / "verify.py", tmp_path / "out")[0] == 0
    with pytest.raises(Conflict):
        ledger.add([read_by(5)], KEY)
    forge(tmp_path / "out", read_by(5), KEY)
    assert verify(tmp_path / "out" / "verify.py", tmp_path / "out")[0] == 1
    forge(tmp_path / "out", None, later)
    assert verify(tmp_path / "out" / "verify.py", tmp_path / "out")[0] == 0


def forge(folder: Path, added: Event | None, key: SigningKey) -> None:
    """Adds an event and a checkpoint to an export, or takes the last checkpoint's place with one of another key."""
    events, notes = folder / "events.jsonl", folder / "checkpoints.txt"
    lines, signed = events.read_text().splitlines(), notes.read_text().splitlines(keepends=True)
    if added is None:
        signed = signed[:-6]
    else:
        lines.append(to_text(added))
        events.write_text("".join(f"{line}\n" for line in lines))
    whole = Frontier()
    for line in lines:
        whole.add(leaf_hash(line.encode()))
    checkpoint = Checkpoint(ORIGIN, whole.size, whole.root(), len(signed) // 6, read_by(5).at)
    notes.write_text("".join(signed) + note.signed(checkpoint, key))


def test_a_proof_stands_for_itself(tmp_path: Path, exported: Path) -> None:
    proof = proof_text(Ledger(tmp_path / "ledger.sqlite", ORIGIN).prove(77))
    (tmp_path / "proof.json").write_text(proof)
    told = json.loads(proof)
    (tmp_path / "wrong.json").write_text(json.dumps({**told, "content": told["content"].replace("ana", "eva")}))

    assert verify(exported / "verify.py", "--proof", tmp_path / "proof.json")[0] == 0
    assert verify(exported / "verify.py", "--proof", tmp_path / "wrong.json")[0] == 1


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, exported: Path) -> None:
    with pytest.raises(UsageError, match="there already"):
        export(Ledger(tmp_path / "ledger.sqlite", ORIGIN), PUBLIC, exported)


def first_event(text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        _first, *rest = (folder / "events.jsonl").read_text().splitlines(keepends=True)
        (folder / "events.jsonl").write_text("".join([f"{text}\n", *rest]))

    return change


def empty_all(folder: Path) -> None:
    for name in ("events.jsonl", "checkpoints.txt"):
        (folder / name).write_text("")


def end_lines_otherwise(folder: Path) -> None:
    notes = (folder / "checkpoints.txt").read_bytes()
    (folder / "checkpoints.txt").write_bytes(notes.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    "change",
    [
        first_event("[" * 100_000),
        first_event('{"action":"key","about":{"public":5}}'),
        first_event('{"action":"key","about":[]}'),
        edit("checkpoints.txt", f"— {ORIGIN} ", ""),
        add("checkpoints.txt", "more"),
        empty_all,
        end_lines_otherwise,
    ],
)
def test_what_is_no_ledger_is_found_and_no_crash(exported: Path, change: Callable[[Path], None]) -> None:
    change(exported)

    code, said = verify(exported / "verify.py", exported)
    assert (code, said.split(":")[0]) == (1, "NOT as it was signed")


@pytest.mark.parametrize(("anchor", "expected"), [("x\n" + "9" * 5_000 + "\n", 1), ("", 1), ("\u0663\n\u0663\n", 1)])
def test_an_anchor_that_is_none_is_told(tmp_path: Path, exported: Path, anchor: str, expected: int) -> None:
    (tmp_path / "anchor.txt").write_text(anchor)

    assert verify(exported / "verify.py", exported, "--anchor", tmp_path / "anchor.txt")[0] == expected


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "null", "{}", "5"])
def test_a_proof_that_is_none_cannot_be_judged(tmp_path: Path, exported: Path, text: str) -> None:
    (tmp_path / "proof.json").write_text(text)

    assert verify(exported / "verify.py", "--proof", tmp_path / "proof.json")[0] == 2


@pytest.mark.parametrize("number", ["3", "\u0663", 3.0, True, None])
def test_a_proof_of_no_number_cannot_be_judged(tmp_path: Path, exported: Path, number: object) -> None:
    proof = json.loads(proof_text(Ledger(tmp_path / "ledger.sqlite", ORIGIN).prove(3)))
    (tmp_path / "proof.json").write_text(json.dumps({**proof, "number": number}))

    assert verify(exported / "verify.py", "--proof", tmp_path / "proof.json")[0] == 2


def test_a_folder_beside_a_proof_is_not_passed_over(tmp_path: Path, exported: Path) -> None:
    (tmp_path / "proof.json").write_text(proof_text(Ledger(tmp_path / "ledger.sqlite", ORIGIN).prove(3)))
    cut_events(exported)

    assert verify(exported / "verify.py", exported, "--proof", tmp_path / "proof.json")[0] == 2

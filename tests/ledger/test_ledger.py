"""What is added to the ledger is there, proven and signed; what anybody changes afterwards is found."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lastro.ledger import note, tree
from lastro.ledger.audit import audit
from lastro.ledger.book import Ledger
from lastro.ledger.event import Event
from lastro.model.errors import Corrupted, StoreError, UnknownName
from lastro.privacy.signing import SigningKey, key_of

ORIGIN = "lastro/5e0c"
KEY = key_of(b"k" * 32)
PUBLIC = note.PublicKey(ORIGIN, KEY.public)
START = datetime(2026, 11, 26, tzinfo=UTC)


def read_by(number: int) -> Event:
    at = (START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return Event(
        lastro=1,
        at=at,
        actor=f"ana{number % 3}",
        action="read",
        purpose="training",
        dataset=("loans", "customers")[number % 2],
        version=number,
        columns=("income", "uf"),
        rows=10,
    )


def made(path: Path, counts: list[int], key: SigningKey = KEY) -> Ledger:
    ledger = Ledger(path, ORIGIN)
    for count in counts:
        size = ledger.size()
        ledger.add([read_by(number) for number in range(size, size + count)], key, now=lambda: START)
    return ledger


@pytest.mark.parametrize("counts", [[1], [1] * 7, [256], [255, 1, 1], [300, 300], [70_000, 1]])
def test_every_event_is_proven_under_the_newest_checkpoint(tmp_path: Path, counts: list[int]) -> None:
    ledger = made(tmp_path / "ledger.sqlite", counts)
    size = sum(counts)
    for number in {0, size // 2, size - 1, 255 % size, 256 % size, 65_535 % size, 65_536 % size}:
        proof = ledger.prove(number)
        head = note.opened(proof.note, PUBLIC)
        assert head is not None and head.size == size
        assert tree.includes(tree.leaf_hash(proof.content.encode()), number, size, head.root, proof.path)

    found = audit(tmp_path / "ledger.sqlite", PUBLIC)
    assert (found.passed, found.events, found.checkpoints) == (True, size, len(counts))


def test_growth_is_proven_between_any_two_checkpoints(tmp_path: Path) -> None:
    ledger, notes = Ledger(tmp_path / "ledger.sqlite", ORIGIN), []
    for count in (1, 254, 1, 3, 600):
        begin = ledger.size()
        notes.append(ledger.add([read_by(number) for number in range(begin, begin + count)], KEY))
    for old in notes:
        growth = ledger.prove_growth(old, PUBLIC)
        before, after = note.opened(growth.old, PUBLIC), note.opened(growth.new, PUBLIC)
        assert tree.grows(before.size, after.size, before.root, after.root, growth.path)


def test_a_checkpoint_of_a_longer_ledger_has_no_growth(tmp_path: Path) -> None:
    longer = made(tmp_path / "longer.sqlite", [5]).last()

    with pytest.raises(UnknownName, match="never had this checkpoint"):
        made(tmp_path / "ledger.sqlite", [3]).prove_growth(longer, PUBLIC)


def test_an_event_that_is_not_there_has_no_proof(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="no event 3"):
        made(tmp_path / "ledger.sqlite", [3]).prove(3)


def test_events_are_found_by_dataset_and_actor(tmp_path: Path) -> None:
    ledger = made(tmp_path / "ledger.sqlite", [2_500])

    assert [number for number, _event in ledger.events()] == list(range(2_500))
    assert [number for number, _event in ledger.events(dataset="loans", actor="ana0")] == list(range(0, 2_500, 6))
    assert list(ledger.events(dataset="loans' OR 1=1 --")) == []


def test_nothing_is_added_without_events(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite", ORIGIN)

    assert (ledger.add([], KEY), ledger.size(), ledger.last()) == (None, 0, None)
    assert not (found := audit(tmp_path / "ledger.sqlite", PUBLIC)).passed and found.events == 0


def test_threads_with_ledgers_of_their_own_add_without_gaps(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    threads = [threading.Thread(target=lambda: made(path, [3] * 10)) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = audit(path, PUBLIC)
    assert (found.passed, found.events, found.checkpoints) == (True, 120, 40)


def test_a_ledger_of_another_key_does_not_pass(tmp_path: Path) -> None:
    made(tmp_path / "ledger.sqlite", [3], key_of(b"x" * 32))

    found = audit(tmp_path / "ledger.sqlite", PUBLIC)
    assert [fault.number for fault in found.faults] == [0, 0]
    assert found.head is None


def damage(connection: sqlite3.Connection, kind: str, size: int, draw: random.Random) -> None:
    """One change, as somebody who can write the file would make it."""
    number, other = draw.sample(range(size), 2)
    match kind:
        case "edit":
            connection.execute("UPDATE event SET content = replace(content, 'ana', 'eva') WHERE number = ?", (number,))
        case "delete":
            connection.execute("DELETE FROM event WHERE number = ?", (number,))
        case "delete and move up":
            connection.execute("DELETE FROM event WHERE number = ?", (number,))
            connection.execute("UPDATE event SET number = number - 1 WHERE number > ?", (number,))
        case "insert":
            connection.execute("UPDATE event SET number = -number - 1 WHERE number >= ?", (number,))
            connection.execute("UPDATE event SET number = -number WHERE number < 0")
            row = connection.execute("SELECT content, actor, action, dataset, version FROM event LIMIT 1").fetchone()
            connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", (number, *row))
        case "swap":
            connection.execute("UPDATE event SET number = -1 WHERE number = ?", (number,))
            connection.execute("UPDATE event SET number = ? WHERE number = ?", (number, other))
            connection.execute("UPDATE event SET number = ? WHERE number = -1", (other,))
        case "cut":
            connection.execute("DELETE FROM event WHERE number >= ?", (number,))
        case "cut with checkpoints":
            connection.execute("DELETE FROM checkpoint WHERE size > ?", (number,))
            connection.execute("DELETE FROM event WHERE number >= (SELECT coalesce(max(size), 0) FROM checkpoint)")
        case "file elsewhere":
            connection.execute("UPDATE event SET dataset = 'other' WHERE number = ?", (number,))
        case "drop checkpoint":
            connection.execute("DELETE FROM checkpoint WHERE number = ?", (number % 40,))
        case "edit checkpoint":
            edit = "UPDATE checkpoint SET note = replace(note, 'T00', 'T01') WHERE number = ?"
            connection.execute(edit, (number % 40,))


KINDS = [
    "edit", "delete", "delete and move up", "insert", "swap", "cut", "cut with checkpoints", "file elsewhere",
    "drop checkpoint", "edit checkpoint",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_is_found(tmp_path: Path, kind: str) -> None:
    whole = tmp_path / "whole.sqlite"
    ledger = made(whole, [20] * 40)
    anchor = ledger.last()
    ledger.close()
    draw = random.Random(kind)
    for attempt in range(10):
        path = tmp_path / f"{attempt}.sqlite"
        shutil.copy(whole, path)
        with sqlite3.connect(path, isolation_level=None) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            damage(connection, kind, 800, draw)
        connection.close()

        found = audit(path, PUBLIC, anchors=[anchor])
        assert not found.passed, (kind, attempt)


@pytest.mark.parametrize("number", [0, 255, 256, 511])
def test_it_is_told_which_event_was_changed(tmp_path: Path, number: int) -> None:
    path = tmp_path / "ledger.sqlite"
    made(path, [600]).close()
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("UPDATE event SET content = replace(content, '10', '11') WHERE number = ?", (number,))
    connection.close()

    assert audit(path, PUBLIC).faults[0].number == number


@pytest.mark.parametrize("statement", [
    "UPDATE tile SET hashes = zeroblob(length(hashes)) WHERE level = 1",
    "UPDATE tile SET hashes = zeroblob(3) WHERE level = 0",
    "DELETE FROM tile WHERE level = 0 AND place = 1",
    "INSERT INTO tile VALUES (0, 9, x'00')",
])  # fmt: skip
def test_hashes_that_were_changed_are_told(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "ledger.sqlite"
    made(path, [600]).close()
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute(statement)
    connection.close()

    assert not audit(path, PUBLIC).passed


def test_nothing_is_added_to_hashes_that_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    made(path, [600]).close()
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("DELETE FROM tile")
    connection.close()

    with pytest.raises(Corrupted, match="lacks hashes"):
        made(path, [1])
    assert Ledger(path, ORIGIN).size() == 600


def test_an_anchor_of_another_ledger_is_told(tmp_path: Path) -> None:
    made(tmp_path / "ledger.sqlite", [5, 5])
    other = Ledger(tmp_path / "other.sqlite", ORIGIN)
    anchor = other.add([read_by(7)] * 5, KEY)

    assert not audit(tmp_path / "ledger.sqlite", PUBLIC, anchors=[anchor]).passed
    assert not audit(tmp_path / "ledger.sqlite", PUBLIC, anchors=["lastro"]).passed


def test_a_cut_with_its_checkpoints_needs_an_anchor(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = made(path, [5, 5]).last()
    shorter = tmp_path / "shorter.sqlite"
    made(shorter, [5]).close()

    assert audit(shorter, PUBLIC).passed
    assert not audit(shorter, PUBLIC, anchors=[first]).passed


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"no ledger" * 1_000)

    (fault,) = audit(path, PUBLIC).faults
    assert "damaged" in fault.what


def test_a_ledger_that_is_gone_is_not_as_it_was_signed(tmp_path: Path) -> None:
    found = audit(tmp_path / "ledger.sqlite", PUBLIC)

    assert [fault.what for fault in found.faults] == ["the ledger's file is gone"]
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_ledger_without_a_checkpoint_is_not_as_it_was_signed(tmp_path: Path) -> None:
    assert Ledger(tmp_path / "ledger.sqlite", ORIGIN).size() == 0

    assert not audit(tmp_path / "ledger.sqlite", PUBLIC).passed


def loosened(path: Path, *statements: str) -> Path:
    """Writes into a ledger's file what its tables would refuse."""
    made(path, [300, 2]).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = DELETE; PRAGMA writable_schema = ON;"
            "UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '')"
        )
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(";".join(statements))
    return path


EVENT = "DROP TABLE event; CREATE TABLE event (number, content, actor, action, dataset, version)"
CHECKPOINT = "DROP TABLE checkpoint; CREATE TABLE checkpoint (number, size, note)"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET content = CAST(x'ff' AS TEXT) WHERE number = 5",
        f"{EVENT}; INSERT INTO event VALUES (0, 5, 'a', 'read', 'd', 1)",
        f"{EVENT}; INSERT INTO event VALUES ('z', NULL, 1, x'00', NULL, 'v')",
        "DROP TABLE event; CREATE TABLE event (number)",
        "UPDATE tile SET hashes = 'text'",
        "DROP TABLE tile; CREATE TABLE tile (level, place, hashes); INSERT INTO tile VALUES (0, 0, 5000000000000)",
        f"{CHECKPOINT}; INSERT INTO checkpoint VALUES ('q', 'r', 's'), (NULL, NULL, NULL)",
        "CREATE TRIGGER later AFTER INSERT ON event BEGIN DELETE FROM event WHERE number < 10; END",
    ],
)
def test_what_no_ledger_can_hold_is_a_fault_and_no_crash(tmp_path: Path, statement: str) -> None:
    path = loosened(tmp_path / "ledger.sqlite", statement)

    assert not audit(path, PUBLIC).passed


def test_hashes_that_are_none_are_told_where_they_are_needed(tmp_path: Path) -> None:
    path = loosened(tmp_path / "ledger.sqlite", "UPDATE tile SET hashes = 'text'")

    with pytest.raises(Corrupted, match="lacks hashes"):
        Ledger(path, ORIGIN).add([read_by(302)], KEY)
    with pytest.raises(Corrupted, match="lacks hashes"):
        Ledger(path, ORIGIN).prove(3)


def test_text_that_is_none_is_not_told(tmp_path: Path) -> None:
    path = loosened(tmp_path / "ledger.sqlite", "UPDATE event SET content = CAST(x'ff414e41' AS TEXT) WHERE number = 5")

    with pytest.raises(Corrupted) as caught:
        list(Ledger(path, ORIGIN).events())
    assert "ANA" not in str(caught.value)


@pytest.mark.parametrize("replaced", [True, False])
def test_nothing_is_added_to_a_file_that_was_taken_away(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = made(path, [3])
    if replaced:
        made(tmp_path / "other.sqlite", [1]).close()
        (tmp_path / "other.sqlite").replace(path)
    else:
        path.unlink()

    with pytest.raises(StoreError, match="replaced or removed"):
        ledger.add([read_by(3)], KEY)
    assert path.exists() is replaced

"""Looks on disk: a look costs the same however many there were, and nothing that is damaged goes unnoticed."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.catalog import look_files
from lastro.catalog.look_files import KEPT, Before, LookFiles
from lastro.catalog.look_record import Look, Looked, LookedAt
from lastro.model import chain
from lastro.model.errors import Corrupted

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)


def look(number, *, spent=0.01, hours=0, dataset="loans"):
    at = Looked(LookedAt(0, "sha256:0"), LookedAt(number, f"sha256:{number}"))
    return Look("drift", dataset, NOW + timedelta(hours=hours or number), looked=at, verdict="stable", spent=spent)


@pytest.fixture
def files(tmp_path):
    return LookFiles(tmp_path)


def add(files, numbers):
    for number in numbers:
        files.append(look(number), past=files.last("drift"))


def beside(files):
    return files.folder / "drift.proven.json"


def path_of(files):
    return files.folder / "drift.jsonl"


def test_the_last_looks_are_read_and_those_before_are_summed_up(files):
    add(files, range(2 * KEPT + 5))
    last, whole = files.last("drift"), files.all("drift")

    assert KEPT <= len(last.looks) < 2 * KEPT
    assert last.looks == whole.looks[-len(last.looks) :]
    assert (last.begins, last.first) == (len(whole.looks) - len(last.looks), whole.first)
    assert last.whole == whole.whole
    assert last.whole.seen == {"loans": 2 * KEPT + 4}
    files.prove("drift")


def test_a_look_reads_no_more_after_many(files, monkeypatch):
    add(files, range(6 * KEPT))
    checked = []
    check = chain._checked
    monkeypatch.setattr(chain, "_checked", lambda *given: checked.append(1) or check(*given))
    add(files, [6 * KEPT])

    assert len(checked) < 2 * KEPT


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from([0.0, 0.01, 0.1]), st.integers(-2000, 2000)), max_size=3 * KEPT
    )
)
@settings(max_examples=10, deadline=None)
def test_what_is_noted_is_what_all_looks_come_to(tmp_path_factory, steps):
    files = LookFiles(tmp_path_factory.mktemp("looks"))
    for number, spent, hours in steps:
        files.append(look(number, spent=spent, hours=hours or 1), past=files.last("drift"))

    assert files.last("drift").whole == files.all("drift").whole
    files.prove("drift")


def test_a_file_that_was_changed_is_read_whole_and_refused(files):
    add(files, range(3 * KEPT))
    content = path_of(files).read_bytes()
    path_of(files).write_bytes(content.replace(b'"number":1,"numbers"', b"").replace(b"sha256:0", b"sha256:1", 1))

    with pytest.raises(Corrupted) as caught:
        files.last("drift")
    assert caught.value.where.startswith(f"{path_of(files)}:1")


def test_a_changed_file_with_its_old_time_and_size_is_refused(files):
    add(files, range(3 * KEPT))
    before = path_of(files).stat()
    content = path_of(files).read_bytes()
    with path_of(files).open("r+b") as stream:
        stream.write(content.replace(b"stable", b"stible", 1))
    os.utime(path_of(files), ns=(before.st_atime_ns, before.st_mtime_ns))

    assert path_of(files).stat().st_size == before.st_size
    with pytest.raises(Corrupted):
        files.last("drift")


def test_a_copy_that_came_back_is_proven_and_goes_on(files):
    add(files, range(3 * KEPT))
    content = path_of(files).read_bytes()
    path_of(files).unlink()
    path_of(files).write_bytes(content)
    whole = files.last("drift")
    add(files, [3 * KEPT])

    assert len(whole.looks) == 3 * KEPT
    assert len(files.last("drift").looks) < 2 * KEPT + 1
    files.prove("drift")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"proven": 7}', b'{"digest": "x", "proven": {}}'])
def test_a_damaged_note_is_none(files, content):
    add(files, range(KEPT))
    beside(files).write_bytes(content)

    assert len(files.last("drift").looks) == KEPT
    add(files, [KEPT])
    files.prove("drift")


def test_a_note_that_was_made_up_is_found_by_a_proof(files):
    add(files, range(3 * KEPT))
    whole = json.loads(beside(files).read_bytes())
    whole["proven"]["content"]["before"]["spent"] = {}
    whole["digest"] = look_files.digest.of_value(whole["proven"])
    beside(files).write_bytes(look_files.digest.canonical(whole))

    with pytest.raises(Corrupted, match="what is noted of the looks of drift"):
        files.prove("drift")


def test_a_torn_line_is_set_aside_by_the_next_look(files):
    add(files, range(3))
    path_of(files).write_bytes(path_of(files).read_bytes()[:-5])
    made = files.append(look(2), past=files.last("drift"))

    assert made.number == 2
    assert [each.number for each in files.read("drift")] == [0, 1, 2]
    assert len(list(files.folder.glob("*.torn-*"))) == 1


def test_a_disk_that_takes_no_note_takes_the_look(files, monkeypatch):
    add(files, range(3))

    def full(*_given, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(look_files, "write_durably", full)
    add(files, [3])

    assert not beside(files).exists()
    assert len(files.last("drift").looks) == 4


def test_looks_that_compared_nothing_come_to_nothing():
    failed = replace(look(1), looked=None, code="LST-0202")

    assert Before().with_looks([failed]) == Before()

"""`lastro.lock`: written, read with suspicion, compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.workspace.lake import GOOD, HEADER

from lastro.model.errors import ConfigurationError
from lastro.model.locked import LockedVersion
from lastro.workspace.training.lockfile import LOCK_BYTES_MAX, compare, parse, pinned, read, to_text

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
HERE = Path("lastro.lock")

names = st.from_regex(r"[a-z][a-z0-9_-]{0,10}", fullmatch=True)
digests = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:".__add__)
locks = st.dictionaries(names, st.builds(LockedVersion, version=st.integers(0, 2**62), digest=digests), max_size=5)


@settings(deadline=None)
@given(locks)
def test_what_is_written_is_read_again(locked):
    assert parse(to_text(locked).encode(), where=HERE) == locked


def test_the_text_is_this_for_good():
    text = to_text({"loans": LockedVersion(17, A), "customers": LockedVersion(3, B)})

    assert text == (
        '{\n  "lastro_lock": 1,\n  "datasets": {\n'
        f'    "customers": {{"version": 3, "digest": "{B}"}},\n'
        f'    "loans": {{"version": 17, "digest": "{A}"}}\n'
        "  }\n}\n"
    )


ENTRY = {"version": 1, "digest": A}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "line 1 is no JSON"),
        (b'{\n  "lastro_lock": 1,\n  oops', "line 3 is no JSON"),
        (b'{\n<<<<<<< HEAD\n"a": 1\n=======\n', "line 2 is left from a merge"),
        (b"[" * 100_000, "form of a lock"),
        (b"\xff\xfe\x00", "form of a lock|no JSON"),
        (b"null", "form of a lock"),
        (b'{"lastro_lock": 2}', "newer Lastro"),
        (b'{"lastro_lock": 1, "lastro_lock": 1, "datasets": {}}', "form of a lock"),
        (b" " * (LOCK_BYTES_MAX + 1), "larger than"),
        (json.dumps({"lastro_lock": 1, "datasets": []}).encode(), "form of a lock"),
        (json.dumps({"lastro_lock": 1, "datasets": {"../x": ENTRY}}).encode(), "not a name"),
        (
            json.dumps({"lastro_lock": 1, "datasets": {"loans": {"version": -1, "digest": A}}}).encode(),
            "form of a lock",
        ),
        (
            json.dumps({"lastro_lock": 1, "datasets": {"loans": {"version": True, "digest": A}}}).encode(),
            "form of a lock",
        ),
        (
            json.dumps({"lastro_lock": 1, "datasets": {"loans": {"version": 1, "digest": "x"}}}).encode(),
            "form of a lock",
        ),
        (json.dumps({"lastro_lock": 1, "datasets": {"loans": ENTRY | {"tag": "x"}}}).encode(), "form of a lock"),
        (json.dumps({"lastro_lock": 1, "datasets": {"loans": 17}}).encode(), "form of a lock"),
    ],
)
def test_what_is_no_lock_is_refused_with_the_place_and_the_repair(content, told):
    with pytest.raises(ConfigurationError, match=told) as caught:
        parse(content, where=HERE)

    assert caught.value.where == "lastro.lock"
    assert "lastro lock" in caught.value.do


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(content):
    try:
        assert parse(content, where=HERE) == {}
    except ConfigurationError as error:
        assert error.do


def test_changes_are_told_apart():
    before = {
        "gone": LockedVersion(1, A),
        "moved": LockedVersion(1, A),
        "same": LockedVersion(1, A),
        "other": LockedVersion(1, A),
    }
    after = {
        "new": LockedVersion(0, B),
        "moved": LockedVersion(2, B),
        "same": LockedVersion(1, A),
        "other": LockedVersion(1, B),
    }

    assert {change.dataset: change.change for change in compare(before, after)} == {
        "gone": "removed",
        "moved": "moved",
        "new": "added",
        "other": "rewritten",
    }


def test_a_lock_names_the_newest_versions_and_pins_them(lake):
    lake.csv.write_text(GOOD)
    lake.loans.ingest()

    first = lake.workspace.lock()
    lake.csv.write_text(HEADER + "9,SP,1,2026-01-09\n")
    lake.loans.ingest()

    assert [change.change for change in first.changes] == ["added"]
    assert pinned(lake.root) == {"loans": {0}}
    second = lake.workspace.lock()
    assert [(change.before.version, change.after.version) for change in second.changes] == [(0, 1)]
    assert read(lake.root)["loans"].digest == lake.loans.log()[0].digest
    assert lake.workspace.lock().changes == ()


def test_a_damaged_lock_is_not_overwritten(lake):
    (lake.root / "lastro.lock").write_text("<<<<<<< mine\n")

    with pytest.raises(ConfigurationError, match="merge"):
        lake.workspace.lock()

    assert (lake.root / "lastro.lock").read_text() == "<<<<<<< mine\n"


def test_no_lock_pins_nothing(tmp_path):
    assert pinned(tmp_path) == {}

"""Chains: what was added is there, in its order and unchanged – or the file is refused, and stays as it is."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model import chain
from lastro.model.errors import ConfigurationError, Corrupted, StoreError, WriteFailed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(), lambda inner: st.lists(inner, max_size=3)
)


def three(path):
    for number in range(3):
        chain.append(path, [{"say": f"n{number}"}])
    return path.read_bytes()


@given(contents=st.lists(st.dictionaries(st.text().filter(lambda key: key != "lastro"), JSON, max_size=4), max_size=5))
def test_what_was_added_comes_back(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("chain") / "a.jsonl"
    plain = [{"content": content} for content in contents]
    for content in plain:
        chain.append(path, [content])

    found = chain.read(path)
    assert [{"content": record["content"]} for record in found.records] == plain
    assert found.torn == b""


def test_each_record_pins_the_one_before(tmp_path):
    three(tmp_path / "a.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]

    assert [line["record"]["previous"] for line in lines] == [None, lines[0]["digest"], lines[1]["digest"]]
    assert [line["record"]["number"] for line in lines] == [0, 1, 2]
    assert (tmp_path / "a.jsonl").stat().st_mode & 0o777 == 0o600


def test_without_a_file_there_are_no_records(tmp_path):
    assert chain.read(tmp_path / "none.jsonl") == chain.Chain()


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_what_a_crash_left_of_a_line_is_set_aside_and_the_rest_goes_on(tmp_path, cut):
    path = tmp_path / "a.jsonl"
    content = three(path)
    path.write_bytes(content[:-cut])
    found = chain.read(path)
    chain.append(path, [{"say": "after"}])

    assert [record["say"] for record in found.records] == ["n0", "n1"]
    assert [record["say"] for record in chain.read(path).records] == ["n0", "n1", "after"]
    (aside,) = tmp_path.glob("a.jsonl.torn-*")
    assert aside.read_bytes() == found.torn


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [lines[0].replace(b"n0", b"nX"), *lines[1:]],
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [lines[0], *lines],
        lambda lines: [b"", *lines],
        lambda lines: [b"\xff\xfe", *lines],
        lambda lines: [b"[" * 100_000, *lines],
        lambda lines: [b"[]", *lines],
        lambda lines: [b"{}", *lines],
    ],
)
def test_a_damaged_file_is_refused_and_nothing_is_added_to_it(tmp_path, damage):
    path = tmp_path / "a.jsonl"
    damaged = b"\n".join([*damage(three(path).splitlines()), b""])
    path.write_bytes(damaged)

    with pytest.raises(Corrupted) as caught:
        chain.append(path, [{"say": "more"}])
    assert caught.value.where.startswith(f"{path}:")
    assert path.read_bytes() == damaged


def test_a_newer_format_is_not_taken_for_damage(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"digest":"sha256:0","record":{"lastro":3,"number":0,"previous":null}}\n')

    with pytest.raises(ConfigurationError, match="format 3"):
        chain.read(path)


def test_a_folder_in_its_place_is_told(tmp_path):
    (tmp_path / "a.jsonl").mkdir()

    with pytest.raises(StoreError, match="cannot be read"):
        chain.read(tmp_path / "a.jsonl")


def test_a_disk_without_room_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    before = three(path)

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteFailed):
        chain.append(path, [{"say": "more"}])
    assert path.read_bytes() == before


def test_a_chain_that_is_written_anew_pins_its_records_again(tmp_path):
    path = tmp_path / "a.jsonl"
    three(path)
    before = [json.loads(line)["digest"] for line in path.read_text().splitlines()]
    path.write_bytes(path.read_bytes() + b'{"torn')
    (tmp_path / "a.jsonl.torn-1").write_text("torn")

    changed = chain.rewrite(path, lambda record: {**record, "say": record["say"].replace("n1", "x")})

    found = chain.read(path)
    after = [json.loads(line)["digest"] for line in path.read_text().splitlines()]
    assert [record["say"] for record in found.records] == ["n0", "x", "n2"]
    assert changed == dict(zip(before[1:], after[1:], strict=True))
    assert before[0] == after[0]
    assert (found.torn, list(tmp_path.iterdir())) == (b"", [path])
    assert path.stat().st_mode & 0o777 == 0o600


def test_where_nothing_changes_no_chain_is_written(tmp_path):
    path = tmp_path / "a.jsonl"
    three(path)
    before = path.stat()

    assert chain.rewrite(path, dict) == {}
    assert chain.rewrite(tmp_path / "none.jsonl", dict) == {}
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not (tmp_path / "none.jsonl").exists()


def test_a_damaged_chain_is_not_written_anew(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(three(path).replace(b"n1", b"n9"))

    with pytest.raises(Corrupted):
        chain.rewrite(path, dict)

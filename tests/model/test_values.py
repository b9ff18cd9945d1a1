"""Small values: digests, moments, errors, durable files."""

from __future__ import annotations

import hashlib
import pickle
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model import clock, digest
from lastro.model.durable import write_durably
from lastro.model.errors import DataRefused, LastroError, SourceBroken
from lastro.model.release import VERSION

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_a_digest_does_not_know_the_order_of_keys(value):
    turned = dict(reversed(value.items())) if isinstance(value, dict) else value

    assert digest.of_value(value) == digest.of_value(turned)


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_different_parts_never_share_a_digest(first, second):
    assert (digest.of_parts(first) == digest.of_parts(second)) == (first == second)


def test_not_a_number_has_no_digest():
    with pytest.raises(ValueError):
        digest.of_value(float("nan"))


def test_a_files_digest_is_its_contents(tmp_path):
    path = tmp_path / "data"
    content = bytes(range(256)) * 9000
    path.write_bytes(content)

    assert digest.of_file(path) == "sha256:" + hashlib.sha256(content).hexdigest() == digest.of_bytes(content)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_read_as_it_was_written(moment):
    assert clock.from_text(clock.to_text(moment)) == moment


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        clock.to_text(datetime(2026, 1, 1))


def _leaves(kind):
    subclasses = kind.__subclasses__()
    return [leaf for child in subclasses for leaf in _leaves(child)] or [kind]


def test_every_error_has_a_code_of_its_own_and_survives_a_process_border():
    leaves = _leaves(LastroError)
    codes = [leaf.code for leaf in leaves]

    assert len(set(codes)) == len(codes) > 15
    for leaf in leaves:
        error = pickle.loads(pickle.dumps(leaf("what", where="where", do="do", state="state")))
        assert type(error) is leaf
        assert error.to_dict() == leaf("what", where="where", do="do", state="state").to_dict()
        assert leaf.exit_code in {1, 2, 3, 4}


def test_an_error_says_what_where_do_and_state():
    text = str(SourceBroken("what", where="a.csv:3", do="mend it", state="nothing was committed"))

    assert text.splitlines() == [
        "LST-0302: what",
        "  where  a.csv:3",
        "  do     mend it",
        "  state  nothing was committed",
    ]
    assert DataRefused("x").findings == ()


def test_a_durable_write_replaces_the_whole_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "state.json"
    write_durably(path, b"old")
    write_durably(path, b"new")

    assert path.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]


def test_a_failed_durable_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    write_durably(path, b"old")
    with pytest.raises(TypeError):
        write_durably(path, "not bytes")  # type: ignore[arg-type]

    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]


def test_the_release_is_the_packages():
    with Path("pyproject.toml").open("rb") as stream:
        assert tomllib.load(stream)["project"]["version"] == VERSION

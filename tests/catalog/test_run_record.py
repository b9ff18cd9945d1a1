"""Run records: round trips, damage, hostile text."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.catalog.examples import ENVIRONMENT, run, used

from lastro.catalog import Code, Environment, RunRecord, RunStatus, UsedVersion
from lastro.catalog.run_record import RECORD_BYTES_MAX, check_run_id, new_run_id
from lastro.model.digest import of_value
from lastro.model.errors import ConfigurationError, Corrupted, NameRefused

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
moments = st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
versions = st.builds(
    UsedVersion,
    name=texts,
    dataset=texts,
    number=st.integers(0, 2**62),
    digest=st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:".__add__),
)
environments = st.builds(
    Environment.of, python=texts, platform=texts, packages=st.dictionaries(texts, texts, max_size=4)
)
records = st.builds(
    RunRecord,
    id=st.builds(new_run_id, moments, st.binary(min_size=4, max_size=4)),
    name=texts,
    started=moments,
    ended=st.none() | moments,
    status=st.sampled_from(RunStatus),
    command=st.lists(texts, max_size=4).map(tuple),
    folder=texts,
    environment=environments,
    code=st.builds(Code, commit=st.none() | texts, dirty=st.none() | st.booleans(), script=st.none() | texts),
    parameters=st.dictionaries(texts, json_values, max_size=3),
    inputs=st.lists(versions, max_size=3).map(tuple),
    outputs=st.lists(versions, max_size=3).map(tuple),
    metrics=st.dictionaries(texts, st.floats(allow_nan=False), max_size=3),
    seed=st.none() | st.integers(),
    position=st.integers(0, 9),
    error=texts,
    replay_of=st.none() | texts,
)


@settings(deadline=None)
@given(records)
def test_what_is_written_is_read_again(record):
    assert RunRecord.from_json(record.to_json()) == record


def test_the_text_is_this_for_good():
    """Golden: a record that was written once is read by every later Lastro."""
    text = (Path(__file__).parent / "run-1.json").read_text(encoding="utf-8")
    record = run(
        1,
        inputs=(used("loans@approved", "loans", 3),),
        outputs=(used("scores@0", "scores", 0),),
        parameters={"depth": 3, "região": ["Norte", None]},
        metrics={"auc": 0.81, "loss": math.inf},
        code=Code("0" * 40, dirty=False),
        seed=7,
    )

    assert RunRecord.from_json(text) == record
    assert record.to_json() == text


def test_a_metric_that_is_no_finite_number_survives():
    record = run(1, metrics={"loss": math.nan, "best": -math.inf})

    again = RunRecord.from_json(record.to_json())

    assert math.isnan(again.metrics["loss"])
    assert again.metrics["best"] == -math.inf


@settings(deadline=None)
@given(st.data())
def test_any_changed_byte_is_found(data):
    whole = run(1, inputs=(used("loans", "loans", 3),), metrics={"auc": 0.81}).to_json().encode()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    damaged = whole[:place] + bytes([other]) + whole[place + 1 :]

    try:
        again = RunRecord.from_json(damaged, where="x.json")
    except Corrupted as error:
        assert error.where == "x.json"
    except ConfigurationError:
        assert b'"lastro_run": 1' not in damaged
    else:
        assert again == RunRecord.from_json(whole)
        assert bytes([whole[place]]).isspace()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"lastro_run": 1, "run": {}}',
        '{"lastro_run": 1, "run": [], "digest": "sha256:"}',
        '{"lastro_run": true, "run": null, "digest": null}',
        "[" * 200_000,
        " " * (RECORD_BYTES_MAX + 1),
        "\ud800",
    ],
    ids=["empty", "null", "list", "object", "no digest", "no record", "wrong types", "deep", "long", "surrogate"],
)
def test_what_is_no_record_is_refused(text):
    with pytest.raises(Corrupted):
        RunRecord.from_json(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "../../etc/passwd"),
        ("started", "2026-03-01T12:00:00"),
        ("status", "perhaps"),
        ("inputs", [{"name": "loans", "dataset": "loans", "number": -1, "digest": "sha256:00"}]),
        ("metrics", {"auc": "much"}),
        ("metrics", []),
        ("command", "python train.py"),
    ],
)
def test_a_field_of_another_kind_is_refused_though_the_digest_is_right(field, value):
    content = run(1).to_dict() | {field: value}
    text = json.dumps({"lastro_run": 1, "digest": of_value(content), "run": content})

    with pytest.raises(Corrupted):
        RunRecord.from_json(text)


def test_a_newer_format_asks_for_a_newer_lastro():
    with pytest.raises(ConfigurationError, match="format 2") as caught:
        RunRecord.from_json('{"lastro_run": 2}')

    assert caught.value.do


def test_ids_sort_by_time_and_form_file_names():
    early = new_run_id(datetime(2026, 3, 1, 9, 59, 59, 999_999, tzinfo=UTC), b"\xff\xff\xff\xff")
    late = new_run_id(datetime(2026, 3, 1, 10, tzinfo=UTC), b"\0\0\0\0")

    assert early == "20260301T095959999-ffffffff"
    assert early < late
    assert check_run_id(late) == late


@pytest.mark.parametrize("text", ["", "..", "20260301T100000000-0000000G", "20260301T100000000-00000000\n", "١" * 26])
def test_other_ids_are_refused(text):
    with pytest.raises(NameRefused):
        check_run_id(text)


def test_the_environment_has_one_digest_whatever_the_order():
    one = Environment.of(python="3", platform="linux", packages={"b": "1", "a": "2"})
    other = Environment.of(python="3", platform="linux", packages={"a": "2", "b": "1"})

    assert one == other
    assert one.digest != Environment.of(python="3", platform="linux", packages={"a": "2", "b": "1.0"}).digest
    assert replace(ENVIRONMENT, digest=one.digest) != ENVIRONMENT

"""What every source must do. A third party runs it in ten lines:

import pytest
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World

@pytest.fixture
def world(tmp_path):
    place = ...                       # something with three rows in it
    return World(make=lambda: my_source({"kind": "mine"}, tmp_path), rows=3, change=..., vanish=..., secrets=())
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from lastro.engine.scan import FileScan, StreamScan
from lastro.model.errors import SourceError
from lastro.model.version import Mode
from lastro.source.protocol import Opened, Source, Unchanged

__all__ = [
    "test_a_place_that_vanished_is_a_source_error",
    "test_a_source_left_early_can_be_opened_again",
    "test_all_rows_arrive_whatever_the_mode",
    "test_new_rows_are_read_after_a_change",
    "test_no_secret_is_shown",
    "test_nothing_new_is_unchanged_or_the_same_rows",
    "test_only_what_was_read_has_a_watermark",
    "test_the_label_is_stable_and_the_cursor_is_json",
]


@dataclass(frozen=True)
class World:
    """A source and what can happen to it. `make` gives it afresh; `rows` is what it holds at first; `change` adds one
    row and `vanish` takes it away whole. `secrets` are texts that must never be shown.
    """

    make: Callable[[], Source]
    rows: int
    change: Callable[[], None]
    vanish: Callable[[], None]
    secrets: tuple[str, ...] = ()
    modes: tuple[Mode, ...] = field(default=(Mode.APPEND, Mode.OVERWRITE, Mode.UPSERT))


def count(scan: FileScan | StreamScan) -> int:
    """The rows a scan gives: lines for files, read to the end for streams."""
    match scan:
        case FileScan(paths):
            return sum(path.read_bytes().count(b"\n") for path in paths)
        case StreamScan(stream):
            import pyarrow as pa

            return sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(stream))


def take(source: Source, cursor=None, mode=Mode.OVERWRITE):
    """Rows and watermark of one reading; `Unchanged` as it is."""
    with source.open(cursor, mode) as opened:
        if isinstance(opened, Unchanged):
            return opened
        return count(opened.scan), opened.watermark()


def test_all_rows_arrive_whatever_the_mode(world):
    for mode in world.modes:
        rows, _cursor = take(world.make(), None, mode)

        assert rows == world.rows


def test_the_label_is_stable_and_the_cursor_is_json(world):
    source = world.make()

    with source.open(None, Mode.OVERWRITE) as opened:
        assert isinstance(opened, Opened)
        assert opened.label == source.label == world.make().label
        count(opened.scan)
        cursor = opened.watermark()
    assert json.loads(json.dumps(cursor, allow_nan=False)) == cursor


def test_nothing_new_is_unchanged_or_the_same_rows(world):
    rows, cursor = take(world.make())
    again = take(world.make(), json.loads(json.dumps(cursor)))

    assert isinstance(again, Unchanged) or again[0] == rows


def test_new_rows_are_read_after_a_change(world):
    _rows, cursor = take(world.make())
    world.change()
    rows, _cursor = take(world.make(), cursor)

    assert rows == world.rows + 1


def test_only_what_was_read_has_a_watermark(world):
    with world.make().open(None, Mode.OVERWRITE) as opened:
        if isinstance(opened.scan, FileScan):  # the engine reads files itself; only they can tell whether they changed
            assert opened.watermark()
        else:
            with pytest.raises(SourceError):
                opened.watermark()


def test_a_source_left_early_can_be_opened_again(world):
    source = world.make()
    for _attempt in range(3):
        with source.open(None, Mode.OVERWRITE):
            pass

    assert take(source)[0] == world.rows


def test_a_place_that_vanished_is_a_source_error(world):
    world.vanish()

    with pytest.raises(SourceError) as caught:
        take(world.make())
    assert caught.value.exit_code == 3
    assert caught.value.do
    assert not [secret for secret in world.secrets if secret in str(caught.value)]


def test_no_secret_is_shown(world):
    source = world.make()
    _rows, cursor = take(source)
    shown = f"{source!r} {source} {source.label} {json.dumps(cursor)}"

    assert not [secret for secret in world.secrets if secret in shown]

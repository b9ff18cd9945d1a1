"""What every source must do, as tests.

Whoever writes a source runs them in ten lines::

    import pytest
    from lastro.source.conformance import Conformance, World

    from my_package import my_source

    class TestMySource(Conformance):
        @pytest.fixture
        def world(self, tmp_path):
            place = ...  # something with three rows in it
            return World(make=lambda: my_source({"kind": "mine"}, tmp_path), rows=3, change=..., vanish=...)

pytest is imported here only. The rules are those of `lastro.source.protocol`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lastro.engine.scan import FileScan, Scan, Span, StreamScan
from lastro.model.errors import LastroError, SourceError
from lastro.model.version import Mode
from lastro.source.protocol import Cursor, Opened, Source, Unchanged

READINGS_MAX = 1_000


@dataclass(frozen=True)
class World:
    """A source and what can happen to it.

    `make` gives it afresh; `rows` is what it holds at first; `change` adds one row and `vanish` takes the place away.
    `secrets` are texts that must never be shown. `batched`, if given, makes the source so that it stops early (rule 6).
    `large`, if given, makes one whose rows take much more memory than `bytes_max`.
    """

    make: Callable[[], Source]
    rows: int
    change: Callable[[], object]
    vanish: Callable[[], object]
    secrets: tuple[str, ...] = ()
    modes: tuple[Mode, ...] = (Mode.APPEND, Mode.OVERWRITE, Mode.UPSERT)
    batched: Callable[[], Source] | None = None
    large: Callable[[], Source] | None = None
    bytes_max: int = 64 << 20


def count(scan: Scan) -> int:
    """The rows a scan gives: lines for files, read to the end for streams."""
    match scan:
        case FileScan():
            return sum(_bytes(path, span).count(b"\n") for path, span in scan.parts())
        case StreamScan(stream):
            import pyarrow as pa

            return sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(stream))


def take(
    source: Source, *, cursor: Cursor | None = None, mode: Mode = Mode.OVERWRITE
) -> Any:  # Any: either, as a test expects it
    """Rows and watermark of one reading; `Unchanged` as it is."""
    with source.open(cursor, mode) as opened:
        if isinstance(opened, Unchanged):
            return opened
        return count(opened.scan), opened.watermark()


def _bytes(path: Path, span: Span | None) -> bytes:
    whole = path.read_bytes()
    if path.suffix == ".gz":
        whole = gzip.decompress(whole)
    return whole if span is None else whole[span.begin : span.end]


class Conformance:
    """The tests. They need a fixture `world`."""

    def test_all_rows_arrive_whatever_the_mode(self, world: World) -> None:
        """Without a cursor, everything is read."""
        for mode in world.modes:
            rows, _cursor = take(world.make(), mode=mode)

            assert rows == world.rows

    def test_the_label_is_stable_and_the_cursor_is_json(self, world: World) -> None:
        """Rule 2: the cursor goes into the commit as JSON, and is kept under the label."""
        source = world.make()

        with source.open(None, Mode.OVERWRITE) as opened:
            assert isinstance(opened, Opened)
            assert opened.label == source.label == world.make().label
            count(opened.scan)
            cursor = opened.watermark()

        assert json.loads(json.dumps(cursor, allow_nan=False)) == cursor

    def test_nothing_new_is_unchanged_or_the_same_rows(self, world: World) -> None:
        """Rule 3: who cannot tell cheaply that nothing changed does not guess."""
        rows, cursor = take(world.make())
        again = take(world.make(), cursor=json.loads(json.dumps(cursor)))

        assert isinstance(again, Unchanged) or again[0] == rows

    def test_new_rows_are_read_after_a_change(self, world: World) -> None:
        """Rule 5: `overwrite` reads everything, if anything changed."""
        _rows, cursor = take(world.make())
        world.change()
        rows, _cursor = take(world.make(), cursor=json.loads(json.dumps(cursor)))

        assert rows == world.rows + 1

    def test_only_what_was_read_has_a_watermark(self, world: World) -> None:
        """A stream that was not read to its end brings no cursor."""
        with ExitStack() as stack:
            opened = stack.enter_context(world.make().open(None, Mode.OVERWRITE))
            assert isinstance(opened, Opened)
            if isinstance(opened.scan, FileScan):  # the engine reads files; they only can tell whether they changed
                assert opened.watermark()
                return
            with pytest.raises(SourceError):
                opened.watermark()

    def test_a_source_left_early_can_be_opened_again(self, world: World) -> None:
        """Leaving the context frees what the source held."""
        source = world.make()
        for _attempt in range(3):
            with source.open(None, Mode.OVERWRITE):
                pass

        assert take(source)[0] == world.rows

    def test_a_place_that_vanished_is_a_source_error(self, world: World) -> None:
        """What goes wrong is an error of the tree, which says what to do and shows no secret."""
        world.vanish()

        with pytest.raises(SourceError) as caught:
            take(world.make())

        assert caught.value.exit_code == 3
        assert caught.value.do
        assert not [secret for secret in world.secrets if secret in str(caught.value)]

    def test_a_cursor_of_another_source_is_refused(self, world: World) -> None:
        """A cursor that cannot be read is no reason to guess."""
        for mode in world.modes:
            with pytest.raises(LastroError) as caught:
                take(world.make(), cursor={"written by": "another kind of source"}, mode=mode)

            assert caught.value.do

    def test_no_secret_is_shown(self, world: World) -> None:
        """Rule 4."""
        source = world.make()
        _rows, cursor = take(source)
        shown = f"{source!r} {source} {source.label} {json.dumps(cursor)}"

        assert not [secret for secret in world.secrets if secret in shown]

    def test_what_stops_early_goes_on_from_its_cursor(self, world: World) -> None:
        """Rule 6: every batch brings a part, all of them everything, and none a row twice."""
        if world.batched is None:
            pytest.skip("this source does not stop early")
        cursor: Cursor | None = None
        counts: list[int] = []
        for _reading in range(READINGS_MAX):
            with world.batched().open(cursor, Mode.APPEND) as opened:
                if isinstance(opened, Unchanged):
                    break
                counts.append(count(opened.scan))
                cursor = json.loads(json.dumps(opened.watermark(), allow_nan=False))
                if not opened.more():
                    break

        assert sum(counts) == world.rows
        assert len(counts) > 1

    def test_overwrite_never_stops_early(self, world: World) -> None:
        """Rule 6: what replaces a table is all there is."""
        source = (world.batched or world.make)()

        with source.open(None, Mode.OVERWRITE) as opened:
            assert isinstance(opened, Opened)
            rows = count(opened.scan)
            opened.watermark()
            assert not opened.more()

        assert rows == world.rows

    def test_much_is_read_in_bounded_memory(self, world: World) -> None:
        """A stream holds some batches, never everything."""
        if world.large is None:
            pytest.skip("nothing large to read")
        import pyarrow as pa

        with world.large().open(None, Mode.OVERWRITE) as opened:
            assert isinstance(opened, Opened)
            if isinstance(opened.scan, FileScan):
                pytest.skip("files are read by the engine")
            before = pa.total_allocated_bytes()
            seen = most = 0
            for batch in pa.RecordBatchReader.from_stream(opened.scan.stream):
                seen += batch.nbytes
                most = max(most, pa.total_allocated_bytes() - before)

        assert seen > world.bytes_max
        assert most < world.bytes_max

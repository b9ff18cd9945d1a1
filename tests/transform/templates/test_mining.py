"""Mining: every row gets its template and parameters, nothing is lost, and how rows are cut is no matter."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lastro
from lastro.model.errors import ConfigurationError, SourceBroken, SourceChanged, UnknownName, UsageError
from lastro.transform.templates import drain, mining, remembering
from lastro.transform.templates.filling import fill
from lastro.transform.templates.mining import made_from

LOGS = ["started in 2.1 s", "payment 4711 failed\nTraceback", None, "payment 9 failed", "", "started in 7 s"]
PARTS = ["a", "b ", " ", "7", "<num>", "<*>", "<rest>", "\n", "  ", "x=1", '"q"', "10.0.0.1", "é", "\x00", "\t"]
MESSAGES = st.lists(st.none() | st.text(max_size=20) | st.lists(st.sampled_from(PARTS), max_size=8).map("".join))


def table(messages: list[str | None], **more: list) -> pa.Table:
    return pa.table({"message": pa.array(messages, pa.string()), **more})


def told(given: pa.Table, **arguments) -> tuple[list[dict], dict[int, dict]]:
    found = lastro.templates(given, "message", **arguments)
    counts = {row["template_id"]: row for row in found.counts().to_pylist()}
    return found.rows().read_all().to_pylist(), counts


def test_rows_and_counts_tell_the_same() -> None:
    rows, counts = told(table(LOGS))

    assert [row["template_id"] for row in rows] == [1, 2, None, 3, 4, 1]
    assert [row["parameters"] for row in rows] == [["2.1"], ["4711", "\nTraceback"], None, ["9"], [], ["7"]]
    assert [tuple(row.values()) for row in counts.values()] == [
        (1, "started in <num> s", 2, 0, 5),
        (2, "payment <num> failed<rest>", 1, 1, 1),
        (3, "payment <num> failed", 1, 3, 3),
        (4, "", 1, 4, 4),
    ]


@given(MESSAGES, st.integers(1, 3), st.integers(1, 4))
def test_a_template_with_its_parameters_is_the_message(messages: list, minimum: int, templates_max: int) -> None:
    rows, counts = told(table(messages), minimum=minimum, templates_max=templates_max)

    assert [row["message"] for row in rows] == messages
    for row in rows:
        if row["message"] is None:
            assert (row["template_id"], row["parameters"]) == (None, None)
        else:
            assert fill(counts[row["template_id"]]["template"], row["parameters"]) == row["message"]


@given(MESSAGES, st.integers(1, 3))
def test_counts_are_those_of_the_rows(messages: list, minimum: int) -> None:
    rows, counts = told(table(messages), minimum=minimum)

    numbers = [row["template_id"] for row in rows]
    assert sum(row["count"] for row in counts.values()) == len(messages) - messages.count(None)
    for number, row in counts.items():
        places = [place for place, other in enumerate(numbers) if other == number]
        assert (row["count"], row["first"], row["last"]) == (len(places), places[0], places[-1])


@given(MESSAGES, st.lists(st.integers(0, 30)))
def test_how_the_rows_are_cut_is_no_matter(messages: list, cuts: list[int]) -> None:
    whole = table(messages)
    places = [0, *sorted(min(cut, len(messages)) for cut in cuts), len(messages)]
    parts = [whole.slice(a, b - a) for a, b in pairwise(places)]

    assert told(pa.concat_tables(parts)) == told(whole)


@given(MESSAGES, MESSAGES)
def test_rows_that_are_appended_change_no_number(messages: list, later: list) -> None:
    before, _counts = told(table(messages))

    after, _more = told(table(messages + later))

    assert [row["template_id"] for row in before] == [row["template_id"] for row in after[: len(before)]]


def test_large_inputs_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [f"request {number} took {number % 7} ms" for number in range(50)]
    expected = told(table(messages))

    monkeypatch.setattr(mining, "BATCH_ROWS", 3)
    monkeypatch.setattr(remembering, "SIZE_MAX", 600)

    assert told(table(messages)) == expected


def test_rows_are_told_while_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[str, ...]] = []

    class Pieces:
        def reader(self, *columns: str) -> pa.RecordBatchReader:
            whole = table([f"request {number}" for number in range(6)], n=list(range(6)))
            chosen = whole.select(list(columns or whole.column_names))

            def batches():
                for batch in chosen.to_batches(max_chunksize=2):
                    read.append(columns)
                    yield batch

            return pa.RecordBatchReader.from_batches(chosen.schema, batches())

        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return self.reader().__arrow_c_stream__(requested_schema)

    rows = lastro.templates(Pieces(), "message").rows()
    learnt = list(read)
    first = rows.read_next_batch()

    assert learnt == [("message",)] * 3
    assert first["n"].to_pylist() == [0, 1]
    assert read[3:] == [("message", "n")]
    assert rows.read_all().num_rows == 4


def test_only_so_much_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "SIZE_MAX", 1_000)
    memory: remembering.Remembered[int] = remembering.Remembered()

    for number in range(1_000):
        memory.put(str(number), number)

    known = [number for number in range(1_000) if memory.get(str(number)) is not None]
    assert known
    assert known == list(range(known[0], 1_000))
    assert len(known) <= 3


def test_times_are_those_of_the_column() -> None:
    moments = [datetime(2026, 1, 3), datetime(2026, 1, 1), None, datetime(2026, 1, 2), None, None]
    given = table(LOGS, at=pa.array(moments, pa.timestamp("ns")))

    found = lastro.templates(given, "message", time="at").counts()

    assert found.schema.field("first").type == pa.timestamp("ns")
    assert found["first"].to_pylist()[0] == found["last"].to_pylist()[0] == datetime(2026, 1, 3)
    assert found["last"].to_pylist()[3] is None


def test_templates_of_few_rows_are_not_told() -> None:
    rows, counts = told(table(["hello ana", "started 1", "started 2", "bye bruno"]), minimum=2)

    assert [tuple(row.values()) for row in counts.values()] == [(0, "<*>", 2, 0, 3), (2, "started <num>", 2, 1, 2)]
    assert rows[0]["parameters"] == ["hello ana"]


def test_words_that_never_come_twice_stay_within_bounds() -> None:
    words = ["".join(chr(97 + (number // 26**place) % 26) for place in range(4)) for number in range(100_000)]

    _rows, counts = told(table(words))
    few = lastro.templates(table(words), "message", templates_max=5).counts().to_pylist()

    assert len(counts) == drain.CHILDREN_MAX + drain.LEAF_MAX + 1
    assert max(counts.values(), key=lambda row: row["count"])["template"] == "<*>"
    assert [row["template_id"] for row in few] == [0, 1, 2, 3, 4, 5]


def test_a_line_of_a_megabyte_is_told_whole() -> None:
    rows, counts = told(table(["x" * 1_000_000, "y " * 500_000]))

    assert [fill(counts[row["template_id"]]["template"], row["parameters"]) for row in rows] == [
        "x" * 1_000_000,
        "y " * 500_000,
    ]


def test_other_layouts_of_text_are_text() -> None:
    plain = table(LOGS)
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())):
        other = pa.table({"message": pa.array(LOGS, pa.string()).cast(kind)})

        assert lastro.templates(other, "message").counts().equals(lastro.templates(plain, "message").counts())


def test_frames_of_other_libraries_are_rows() -> None:
    plain = table(LOGS)
    expected = lastro.templates(plain, "message")

    own = duckdb.connect()  # the connection that all share may hold what another test left half read
    for frame in (pl.from_arrow(plain), plain.to_pandas(), own.from_arrow(plain), plain.to_batches()[0]):
        found = lastro.templates(frame, "message")

        assert found.counts().equals(expected.counts())
        assert found.rows().read_all()["parameters"].to_pylist() == expected.rows().read_all()["parameters"].to_pylist()


def test_no_rows_have_no_templates() -> None:
    rows, counts = told(table([]))

    assert (rows, counts) == ([], {})


def test_columns_say_of_which_they_are() -> None:
    given = table(["a"], at=pa.array([datetime(2026, 1, 1)]))
    found = lastro.templates(given, "message", time="at")

    assert made_from(found.rows().schema) == {"parameters": "message"}
    assert made_from(found.counts().schema) == {"template": "message", "first": "at", "last": "at"}


@pytest.mark.parametrize(
    ("arguments", "kind", "what"),
    [
        ({"column": "mesage"}, UnknownName, "mesage"),
        ({"column": "n"}, UsageError, "n is int64"),
        ({"column": "message", "time": "n"}, UsageError, "tells no time"),
        ({"column": "message", "time": "when"}, UnknownName, "when"),
        ({"column": "message", "similarity": 0}, UsageError, "similarity"),
        ({"column": "message", "similarity": 1.5}, UsageError, "similarity"),
        ({"column": "message", "minimum": 0}, UsageError, "minimum"),
        ({"column": "message", "templates_max": 0}, UsageError, "templates_max"),
    ],
)
def test_what_cannot_be_mined_is_told(arguments: dict, kind: type[Exception], what: str) -> None:
    with pytest.raises(kind, match=what):
        lastro.templates(table(["a"], n=[1]), **arguments)


def test_two_columns_of_one_name_are_refused() -> None:
    twice = pa.table([pa.array(["a"]), pa.array(["b"])], names=["message", "message"])

    with pytest.raises(ConfigurationError, match="two columns"):
        lastro.templates(twice, "message")


@pytest.mark.parametrize("name", ["template_id", "parameters", "Parameters"])
def test_a_column_that_is_there_already_is_kept(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name.lower()):
        lastro.templates(table(["a"], **{name: ["x"]}), "message").rows()


def test_what_can_be_read_once_only_is_refused() -> None:
    for once in (table(["a"]).to_reader(), iter([]), [{"message": "a"}]):
        with pytest.raises(UsageError, match="read twice"):
            lastro.templates(once, "message")


def test_text_that_is_none_is_told() -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"], pa.binary()).buffers())

    with pytest.raises(SourceBroken, match="UTF-8"):
        lastro.templates(pa.table({"message": broken}), "message").counts()


@pytest.mark.parametrize("later", [["a 1", "b x y"], ["a 1"], ["a 1", "a z"], ["c", "d"]])
def test_rows_that_change_between_the_readings_are_an_error(later: list[str]) -> None:
    class Changing:
        def __init__(self) -> None:
            self.left = [table(["a 1", "a 2"])] * 2 + [table(later)]

        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return self.left.pop(0).__arrow_c_stream__(requested_schema)

    told = mining.mined(Changing(), "message").rows
    if later == ["a 1"]:
        assert told().read_all().num_rows == 1  # the same templates: nothing wrong can have been told
        return

    with pytest.raises(SourceChanged, match="changed"):
        told().read_all()

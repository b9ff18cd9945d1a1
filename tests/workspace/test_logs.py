"""Logs from the first look to the corrected row, as a person meets them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.workspace.lake import BAD

import lastro
from lastro.engine.protocol import QUARANTINE, StagedFile
from lastro.model.schema import Schema
from lastro.model.version import Mode, Origin, RowCounts
from lastro.store.writer import Change
from lastro.workspace.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return lastro.init(tmp_path)


def rows(workspace: Workspace, name: str) -> list[dict[str, Any]]:
    return workspace.dataset(name).version("latest").to_arrow().to_pylist()


def test_a_log_of_a_program_is_guessed_joined_and_dated_in_its_zone(workspace: Workspace, tmp_path: Path) -> None:
    content = (
        "2026-01-31 10:00:00,123 - pay - ERROR - boom\n"
        "Traceback (most recent call last):\n"
        '  File "a.py", line 1\n'
        "ValueError: é\n"
        "2026-01-31 10:00:01,000 - pay - INFO - ok\n"
        "2026-01-31 10:00:02,000 - pay - LOUD - ?\n" + "2026-01-31 10:00:03,000 - pay - INFO - ok\n" * 8
    ).encode()
    (tmp_path / "pay.log").write_bytes(content)

    added = workspace.add("pay.log", name="pay", options={"zone": "America/Sao_Paulo"})
    workspace.dataset("pay").ingest()

    assert added.notes[0].startswith("guessed: the format is Python's log, which 10 of the first 11 lines fit")
    assert rows(workspace, "pay") == [
        {
            "time": datetime(2026, 1, 31, 13, 0, 0, 123000, tzinfo=UTC),
            "logger": "pay",
            "level": "ERROR",
            "message": 'boom\nTraceback (most recent call last):\n  File "a.py", line 1\nValueError: é',
        },
        *(
            {
                "time": datetime(2026, 1, 31, 13, 0, second, tzinfo=UTC),
                "logger": "pay",
                "level": "INFO",
                "message": "ok",
            }
            for second in (1, *[3] * 8)
        ),
    ]
    (aside,) = workspace.dataset("pay").quarantine().rows()
    assert (aside["source"], aside["position"], aside["record"]) == (
        "pay.log",
        3,
        "2026-01-31 10:00:02,000 - pay - LOUD - ?",
    )
    assert content[aside["offset"] :].startswith(aside["record"].encode())


def test_an_old_encoding_is_guessed_too(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(
        "2026-01-31 10:00:00 INFO São Paulo\n2026-01-31 10:00:01 INFO não\n".encode("cp1252")
    )

    added = workspace.add("a.log", name="a", options={})
    workspace.dataset("a").ingest()

    assert added.notes[1] == "guessed: the text is cp1252, as most lines are no UTF-8"
    assert [row["message"] for row in rows(workspace, "a")] == ["São Paulo", "não"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
def test_a_log_of_any_encoding_is_followed_and_its_places_are_its_own_bytes(
    workspace: Workspace, tmp_path: Path, encoding: str
) -> None:
    log = tmp_path / "a.log"
    log.write_bytes("INFO São Paulo\nINFO ação\n".encode(encoding))
    pattern = {"format": {"pattern": "^(?P<level>[A-Z]+) (?P<message>.*)$"}, "encoding": encoding}
    workspace.add("a.log*", name="a", mode="append", options={"kind": "logs", **pattern})
    workspace.dataset("a").ingest()
    with log.open("ab") as file:
        file.write("não é\nINFO é só\n".encode(encoding))
    workspace.dataset("a").ingest()
    log.rename(tmp_path / "a.log.1")
    with (tmp_path / "a.log.1").open("ab") as file:
        file.write("INFO já\nàs 10\n".encode(encoding))
    log.write_bytes("INFO manhã\n".encode(encoding))
    workspace.dataset("a").ingest()

    whole = (tmp_path / "a.log.1").read_bytes()
    aside = sorted(workspace.dataset("a").quarantine().rows(), key=lambda row: row["offset"])
    assert sorted(row["message"] for row in rows(workspace, "a")) == ["São Paulo", "ação", "já", "manhã", "é só"]
    assert [row["record"] for row in aside] == ["não é", "às 10"]
    assert [whole.index(row["record"].encode(encoding)) for row in aside] == [row["offset"] for row in aside]


def test_records_of_several_lines_in_an_old_encoding_are_whole_while_they_grow(
    workspace: Workspace, tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    log.write_bytes("Época 1\n ação\nÉpoca 2\n".encode("latin-1").replace("É".encode("latin-1"), b"E", 1))
    options = {
        "kind": "logs",
        "encoding": "latin-1",
        "format": {"pattern": r"^(?s)(?P<text>.*)$"},
        "multiline": {"continues": "^(ã|é| )"},
    }
    workspace.add("a.log", name="a", mode="append", options=options)
    workspace.dataset("a").ingest()
    with log.open("ab") as file:
        file.write("ã\n".encode("latin-1"))
    workspace.dataset("a").ingest()
    with log.open("ab") as file:
        file.write("é\nEnfim\nfim\n".encode("latin-1"))
    workspace.dataset("a").ingest()

    assert [row["text"] for row in rows(workspace, "a")] == ["Epoca 1\n ação", "Época 2\nã\né", "Enfim"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
def test_text_of_more_bytes_a_character_is_set_aside_not_lost(
    workspace: Workspace, tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "a.log").write_text("plain\n")
    workspace.add("a.log", name="a", options={"kind": "logs", "format": {"pattern": "(?P<text>.*)"}})
    content = "one\ntwo\nthree\n".encode(encoding)
    (tmp_path / "a.log").write_bytes(content)
    workspace.dataset("a").ingest()

    aside = sorted(workspace.dataset("a").quarantine().rows(), key=lambda row: row["offset"])
    assert rows(workspace, "a") == []
    assert [row["offset"] for row in aside] == [0, *(at + 1 for at, byte in enumerate(content) if byte == 10)][
        : len(aside)
    ]
    assert [row["record"].replace("\\x00", "")[-3:] for row in aside][1:3] == ["two", "ree"]


@pytest.mark.parametrize(
    ("file", "line", "column"),
    [
        ("sys.log", "<34>1 2026-01-31T10:00:0{n}.12345678{n}-03:00 host app 1 - - text {n}", "time"),
        ("json.log", '{{"time": "2026-01-31T10:00:0{n}.12345678{n}-03:00", "message": "text {n}"}}', "time"),
    ],
    ids=["rfc5424", "json"],
)
def test_a_logs_nanoseconds_are_cut_to_microseconds_and_the_contract_says_so(
    workspace: Workspace, tmp_path: Path, file: str, line: str, column: str
) -> None:
    (tmp_path / file).write_text("".join(line.format(n=number) + "\n" for number in range(9)))

    added = workspace.add(file, name="a", options={})
    workspace.dataset("a").ingest()

    assert f"{column} is finer than a microsecond, and cut to it" in " ".join(added.notes)
    assert "format: iso8601_ns" in (tmp_path / added.contract).read_text()
    assert [row[column] for row in rows(workspace, "a")] == [
        datetime(2026, 1, 31, 13, 0, number, 123456, tzinfo=UTC) for number in range(9)
    ]


def test_finer_than_a_microsecond_stays_text_in_files(workspace: Workspace, tmp_path: Path) -> None:
    """Measurements may need what logs do not."""
    (tmp_path / "a.jsonl").write_text('{"time": "2026-01-31T10:00:00.123456789Z"}\n' * 3)

    workspace.add("a.jsonl", name="a", options={})
    workspace.dataset("a").ingest()

    assert rows(workspace, "a") == [{"time": "2026-01-31T10:00:00.123456789Z"}] * 3


def test_a_log_that_becomes_finer_sets_aside_what_it_would_have_to_cut(workspace: Workspace, tmp_path: Path) -> None:
    line = '{{"time": "2026-01-31T10:00:00.{fraction}Z"}}\n'
    (tmp_path / "a.log").write_text(line.format(fraction="123456") * 3)
    workspace.add("a.log", name="a", options={"kind": "logs", "format": "json"})
    (tmp_path / "a.log").write_text(line.format(fraction="123456") + line.format(fraction="123456789"))
    workspace.dataset("a").ingest()

    (aside,) = workspace.dataset("a").quarantine().rows()
    assert len(rows(workspace, "a")) == 1
    assert "123456789" in aside["record"]


def test_a_refused_row_keeps_its_place_and_is_corrected(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("level=info n=1\nlevel=info n=2\n" * 10)
    workspace.add("a.log", name="a", options={})
    (tmp_path / "a.log").write_text("level=info n=1\nlevel=warn n=many\nlevel=info n=3\n")
    workspace.dataset("a").ingest()
    quarantine = workspace.dataset("a").quarantine()
    exported = tmp_path / "aside.jsonl"
    quarantine.export(exported)
    row = json.loads(exported.read_text())

    exported.write_text(json.dumps({**row, "n": "2", "level": "info"}))
    quarantine.replay(exported)

    assert (row["_offset"], row["_position"], row["n"]) == (15, 2, "many")
    assert sorted(each["n"] for each in rows(workspace, "a")) == [1, 2, 3]
    assert quarantine.rows() == []


@pytest.mark.parametrize(
    ("before", "after"),
    [('{"a": 1}\n', '{"a": 2, "b": {"c": 3}}\n'), ("a=1 x=0\n", 'a=2 x=0 b="{\\"c\\": 3}"\n')],
    ids=["json", "logfmt"],
)
def test_a_member_that_turns_up_later_becomes_a_column(
    workspace: Workspace, tmp_path: Path, before: str, after: str
) -> None:
    (tmp_path / "a.log").write_text(before)
    workspace.add("a.log", name="a", options={})
    workspace.dataset("a").ingest()
    (tmp_path / "a.log").write_text(before + after)

    workspace.dataset("a").ingest(schema_change="evolve")

    assert [row["b"] for row in rows(workspace, "a")] == [None, {"c": 3}]


def test_a_quarantine_made_before_places_were_kept_is_read_and_gets_them(lake: Any, tmp_path: Path) -> None:
    old = Schema(tuple(field for field in QUARANTINE.fields if field.name != "offset"))
    table = lake.loans.quarantine().target.quarantine
    with table.lock() as writer, writer.staging() as folder:
        path = folder / "old.parquet"
        row = {"batch": "b", "rules": ["x"], "source": "s", "position": 1, "form": "text", "record": "r"}
        listed = {name: pa.list_(pa.string()) if name == "rules" else pa.string() for name in old.names}
        schema = pa.schema(list((listed | {"position": pa.int64()}).items()))
        pq.write_table(pa.Table.from_pylist([row], schema), path)
        origin = Origin(Mode.APPEND, "b", source="s", counts=RowCounts(1, 1, 0))
        writer.commit(
            Change(
                schema=old,
                added=(StagedFile(path, 1),),
                removed=(),
                replace_all=False,
                origin=origin,
                withhold_stats=frozenset(old.names),
            )
        )
    lake.csv.write_text(BAD)

    lake.loans.ingest()

    head = table.head()
    assert head.schema.names == QUARANTINE.names
    assert {row["offset"] for row in lake.loans.quarantine().rows()} == {None}
    assert len(lake.loans.quarantine().rows()) == 5


def test_lines_and_records_that_wait_are_told_with_every_ingestion(workspace: Workspace, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\n at a\ntwo\n at b\n")
    options = {"kind": "logs", "format": {"pattern": "^(?s)(?P<text>.*)$"}, "multiline": {"continues": "^ "}}
    workspace.add("a.log", name="a", mode="append", options=options)

    first = workspace.dataset("a").ingest()
    second = workspace.dataset("a").ingest()
    with log.open("a") as file:
        file.write("three")
    third = workspace.dataset("a").ingest()

    assert [result.unchanged for result in (first, second, third)] == [False, True, True]
    assert [result.notes for result in (first, second, third)] == [
        (
            f"the last {size} bytes of a.log wait for a later ingestion: the line, or the record of several lines, may "
            "go on",
        )
        for size in (10, 10, 15)
    ]


def test_a_log_that_is_read_to_its_end_leaves_nothing_to_tell(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("one\ntwo\n")
    workspace.add("a.log", name="a", mode="append", options={"kind": "logs", "format": {"pattern": "(?P<text>.*)"}})

    assert workspace.dataset("a").ingest().notes == ()


@pytest.mark.parametrize(
    ("path", "beside", "pattern"),
    [
        ("app.log", "app.log.1", "app.log*"),
        ("app.log", "app.log-20260101", "app.log*"),
        ("app.log", "app-2026-01-01.log", "app*"),
        ("logs/app.log", "logs/app.log.1", "logs/app.log*"),
        ("app*.log", "app.log.1", "app*.log*"),
    ],
)
def test_rotations_that_the_path_leaves_out_are_told(
    workspace: Workspace, tmp_path: Path, path: str, beside: str, pattern: str
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / path.replace("*", "")).write_text("one\n")
    (tmp_path / beside).write_text("zero\n")
    options = {"kind": "logs", "format": {"pattern": "(?P<text>.*)"}}

    added = workspace.add(path, name="a", mode="append", options=options)
    whole = workspace.add(pattern, name="b", mode="append", options=options)

    assert added.notes[0] == (
        f"{beside} looks like a rotation of what {path} takes in, and is not read; to read it, too, set path: "
        f"'{pattern}' in lastro.yaml before the first ingestion"
    )
    assert not [note for note in whole.notes if "rotation" in note]


def test_other_logs_beside_are_no_rotations(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("app.log", "other.log", "other.log.1", "app.txt"):
        (tmp_path / name).write_text("one\n")

    added = workspace.add(
        "app.log", name="a", mode="append", options={"kind": "logs", "format": {"pattern": "(?P<text>.*)"}}
    )

    assert not [note for note in added.notes if "rotation" in note]

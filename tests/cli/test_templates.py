"""`templates` as a person or another program calls it."""

from __future__ import annotations

import pytest

import lastro as package

LOG = """\
2026-01-31 13:55:36 INFO login of ana from 10.0.0.1
2026-01-31 13:55:37 INFO login of bruno from 10.0.0.2
2026-01-31 13:55:38 INFO queue holds 8 orders
2026-01-31 13:55:39 INFO Maria has gone
2026-01-31 13:55:40 INFO queue holds 81 orders
2026-01-31 13:55:41 INFO queue holds 9 orders
"""


@pytest.fixture
def logs(tmp_path):
    workspace = package.init(tmp_path)
    (tmp_path / "app.log").write_text(LOG)
    workspace.add("app.log", name="app", options={"zone": "UTC"})
    package.open(tmp_path).dataset("app").ingest()
    return tmp_path


def test_templates_are_counted_the_most_frequent_first(logs, lastro):
    ended = lastro("templates", "app", "--column", "message")

    assert ended.code == 0
    lines = [line.split() for line in ended.out.splitlines()[1:4]]
    assert [(line[0], " ".join(line[4:-2])) for line in lines] == [
        ("3", "queue holds <num> orders"),
        ("2", "login of <*> from <ip>"),
        ("1", "<*>"),
    ]
    assert ended.last == "app@0 has 2 templates in 6 messages. next: lastro log app"


def test_what_one_row_says_is_told_when_asked_only(logs, lastro):
    silent, asked = (lastro("templates", "app", "--column", "message", *more) for more in ((), ("--minimum", "1")))

    assert "Maria" not in silent.out
    assert "Maria has gone" in asked.out


def test_the_object_has_the_numbers(logs, lastro):
    found = lastro("templates", "app", "--column", "message", "--time", "time", "--limit", "1", "--json").json

    assert found["schema"] == "lastro.templates/1"
    assert (found["messages"], found["missing"], found["found"]) == (6, 0, 2)
    assert found["templates"] == [
        {
            "template_id": 2,
            "template": "queue holds <num> orders",
            "count": 3,
            "first": "2026-01-31T13:55:38.000000Z",
            "last": "2026-01-31T13:55:41.000000Z",
        }
    ]


def test_nothing_is_written(logs, lastro):
    before = {path: path.stat().st_mtime_ns for path in (logs / "tables").rglob("*")}

    lastro("templates", "app", "--column", "message")

    assert {path: path.stat().st_mtime_ns for path in (logs / "tables").rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["app", "--column", "nope"], "no column nope"),
        (["app", "--column", "time"], "templates are mined from text"),
        (["app", "--column", "message", "--time", "level"], "tells no time"),
        (["app", "--column", "message", "--similarity", "7"], "similarity"),
        (["nobody", "--column", "message"], "nobody"),
        (["app"], "--column"),
    ],
)
def test_a_wrong_call_ends_with_2(logs, lastro, arguments, words):
    ended = lastro("templates", *arguments)

    assert ended.code == 2
    assert words in ended.err


def test_no_rows_have_no_templates(logs, lastro):
    (logs / "app.log").write_text("")
    package.open(logs).dataset("app").ingest(mode="overwrite")

    ended = lastro("templates", "app", "--column", "message")

    assert (ended.code, ended.last) == (0, "app@1 has 0 templates in 0 messages. next: lastro log app")

"""`lastro add` of a whole database: plan, addition, JSON, and the words for what is missing."""

import sqlite3
from contextlib import closing

import pytest
from tests.workspace.lake import Lake

from lastro.cli.arguments import setting, written


@pytest.fixture
def shop(tmp_path):
    lake = Lake(tmp_path)
    with closing(sqlite3.connect(lake.root / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE orders AS SELECT 1 AS id")
        connection.execute("CREATE VIEW broken AS SELECT * FROM gone")
    return lake


def test_a_plan_names_the_command_that_does_it(shop, lastro):
    ended = lastro("add", "shop.db#*", "--plan", "--prefix", "it's_")

    assert ended.code == 0
    assert ended.last == (
        "2 tables: 1 would be added, 0 there already, 1 skipped. "
        """next: lastro add 'shop.db#*' --prefix 'it'"'"'s_'"""
    )


def test_the_command_after_a_plan_has_its_options(shop, lastro):
    options = ("--views", "--mode", "append", "--option", "path=shop.db", "--option", "busy_timeout_s=7")

    ended = lastro("add", "x.db#*", "--plan", *options)

    assert ended.last.endswith(f"next: lastro add 'x.db#*' {' '.join(options)}")


@pytest.mark.parametrize("value", ["plain", "5", "true", "${NAME}", 5, True, None, ["a"], {"a": 1}])
def test_a_setting_is_read_back_as_it_was(value):
    assert setting(written("key", value)) == ("key", value)


def test_one_that_fails_decides_the_exit_code_and_is_told_with_its_repair(shop, lastro):
    ended = lastro("add", "shop.db#*", "--views")

    assert ended.code == 3
    assert "broken: " in ended.out
    assert ended.last == "2 tables: 1 added, 0 there already, 0 skipped, 1 failed. next: lastro run"


def test_what_is_skipped_is_told_and_fails_nothing(shop, lastro):
    ended = lastro("add", "shop.db#*")

    assert ended.code == 0
    assert "broken: it is a view; --views adds views, too" in ended.out
    assert ended.last == "2 tables: 1 added, 0 there already, 1 skipped, 0 failed. next: lastro run"


def test_what_was_guessed_is_told_for_each_table(shop, lastro):
    with closing(sqlite3.connect(shop.root / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE wide AS SELECT 1 AS id, 1 AS a, 2 AS b, 3 AS c, 4 AS d")
        connection.execute("CREATE TABLE declared (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO declared VALUES (1)")

    ended = lastro("add", "shop.db#*")

    assert "! orders: guessed: id is unique and never missing" in ended.out
    wide = "id is unique and never missing; a is never negative; b is never negative; c is never negative"
    assert f"! wide: guessed: {wide}; 1 more in contracts/wide.odcs.yaml" in ended.out
    assert "! declared" not in ended.out


def test_what_was_guessed_in_json(shop, lastro):
    told = lastro("add", "shop.db#*", "--json").json

    assert told["tables"][1]["notes"] == ["guessed: id is unique and never missing"]


def test_as_json(shop, lastro):
    told = lastro("add", "shop.db#*", "--views", "--json").json

    assert (told["schema"], told["ok"]) == ("lastro.add-all/1", False)
    assert [(each["table"], each["outcome"]) for each in told["tables"]] == [("broken", "failed"), ("orders", "added")]
    assert told["tables"][0]["code"] == "LST-0302"


@pytest.mark.parametrize(
    "arguments",
    [
        ("shop.db#orders",),
        ("shop.db#*", "--as", "x", "--plan"),
        ("shop.db#*", "--as", "x", "--prefix", "y"),
        ("shop.db#*", "--as", "x", "--views"),
    ],
)
def test_a_name_is_for_one_table_and_a_prefix_for_all(shop, lastro, arguments):
    ended = lastro("add", *arguments)

    assert ended.code == 2
    assert "whole database" in ended.err

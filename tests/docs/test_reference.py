"""The reference lists what there is: every function, option and key it names exists, and none is left out."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from tests.tidy.tree import ROOT, blocks, pages

from lastro.contract import parse
from lastro.engine.sql import door
from lastro.model.errors import SqlRefused
from lastro.source import factory
from lastro.source.anysql.adbc import AdbcOptions
from lastro.source.anysql.alchemy import AlchemyOptions
from lastro.source.files.formats import FilesOptions
from lastro.source.files.objects import AzureOptions, GcsOptions, S3Options
from lastro.source.files.web import WebOptions
from lastro.source.http import HttpOptions
from lastro.source.logs.source import LogsOptions
from lastro.source.mysql.source import MysqlOptions
from lastro.source.options import SourceOptions
from lastro.source.postgres.source import PostgresOptions
from lastro.source.python.dlt import DltOptions
from lastro.source.python.generator import PythonOptions
from lastro.source.sqlite.source import SqliteOptions
from lastro.workspace import configuration

REFERENCE = ROOT / "docs" / "reference"
COLUMNS = ["t", "n", "d", "l"]
CALLS = {
    **{name: f"{name}(t)" for name in ("trim", "upper", "lower", "length", "reverse")},
    **{name: f"{name}(n)" for name in ("abs", "floor", "ceil", "sqrt", "ln", "log", "exp", "sign")},
    **{name: f"{name}(d)" for name in ("year", "month", "day", "hour", "minute", "second")},
    **{name: f"{name}(t, 'a')" for name in ("starts_with", "ends_with", "contains", "concat")},
    **{name: f"{name}(t, 'a')" for name in ("regexp_matches", "regexp_full_match", "regexp_extract")},
    **{name: f"{name}(n, 1)" for name in ("round", "coalesce", "nullif", "greatest", "least", "left", "right")},
    **{name: f"{name}(t, 5, '0')" for name in ("lpad", "rpad")},
    **{name: f"{name}(t, 'a', 'b')" for name in ("replace", "translate", "regexp_replace")},
    **{name: f"{name}(t, '%d/%m/%Y')" for name in ("strptime", "try_strptime")},
    "substr": "substr(t, 1, 2)",
    "split_part": "split_part(t, ',', 1)",
    "position": "position('a' IN t)",
    "date_trunc": "date_trunc('month', d)",
    "extract": "extract(year FROM d)",
    "date_part": "date_part('year', d)",
    "date_diff": "date_diff('day', d, d)",
    "strftime": "strftime(d, '%Y')",
    "make_date": "make_date(2024, 1, 2)",
    "if": "if(n > 1, 1, 2)",
    "len": "len(l)",
}
AGGREGATES = ("count", "count_if", "sum", "avg", "min", "max", "median", "stddev", "variance")
KINDS: dict[str, type[SourceOptions]] = {
    "files": FilesOptions,
    "logs": LogsOptions,
    "sqlite": SqliteOptions,
    "postgres": PostgresOptions,
    "http": HttpOptions,
    "mysql": MysqlOptions,
    "adbc": AdbcOptions,
    "sqlalchemy": AlchemyOptions,
    "python": PythonOptions,
    "dlt": DltOptions,
}
ELSEWHERE: dict[str, tuple[type[FilesOptions], ...]] = {
    "In an object store": (S3Options, GcsOptions, AzureOptions),
    "Over HTTP": (WebOptions,),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_listed_function_may_be_called(name: str) -> None:
    tree = door.expression(CALLS[name], columns=COLUMNS, where="rule")

    assert tree is not None


@pytest.mark.parametrize("name", AGGREGATES)
def test_every_listed_aggregate_may_be_queried(name: str) -> None:
    call = f"{name}(n > 1)" if name == "count_if" else f"{name}(n)"

    tree = door.query(f"SELECT {call} FROM {{object}}", table="x", columns=COLUMNS, column=None, where="rule")

    assert tree is not None


def test_the_page_lists_these_functions_and_no_others() -> None:
    page = (REFERENCE / "sql.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:choices|text|patterns|numbers|dates|nested values) \| (.*) \|$", page, re.MULTILINE)
    named = {name for row in rows for code in re.findall(r"`([^`]+)`", row) for name in code.split()}

    assert named - {"CASE"} == set(CALLS)


@pytest.mark.parametrize(
    "text", ["now()", "random()", "current_date", "read_csv('x')", "getenv('HOME')", "sum(n) OVER ()"]
)
def test_what_the_page_forbids_is_refused(text: str) -> None:
    with pytest.raises(SqlRefused):
        door.expression(text, columns=COLUMNS, where="rule")


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_of_a_source_is_listed(kind: str) -> None:
    assert listed(f"## {kind}") == names_of(KINDS[kind]) - {"kind"}


def test_every_kind_of_source_is_listed() -> None:
    assert set(KINDS) == set(factory.KINDS)


@pytest.mark.parametrize("place", ELSEWHERE)
def test_every_option_of_files_from_elsewhere_is_listed(place: str) -> None:
    assert listed(f"### {place}") == set().union(*map(names_of, ELSEWHERE[place])) - names_of(FilesOptions)


def listed(heading: str) -> set[str]:
    page = (REFERENCE / "sources.md").read_text(encoding="utf-8")
    section = page.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    table = section.split("| option |", 1)[1].split("\n\n", 1)[0]
    return {name for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)}


def names_of(options: type[SourceOptions]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(options)}


def test_every_contract_on_a_page_is_one() -> None:
    texts = [block for page in pages() for block in blocks(page) if block.text.startswith("apiVersion:")]

    names = [parse(block.text, name=block.at).dataset for block in texts]

    assert {"loans", "people"} <= set(names)


def test_every_workspace_file_on_a_page_is_one(tmp_path: Path) -> None:
    texts = [block for page in pages() for block in blocks(page) if block.text.startswith("lastro:")]

    for block in texts:
        (tmp_path / "lastro.yaml").write_text(block.text, encoding="utf-8")
        configuration.read(tmp_path)

    assert texts

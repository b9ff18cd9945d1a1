"""From a location to options, kinds to sources, and no secret in between."""

import sys

import pytest

from lastro.model.errors import ConfigurationError, MissingExtra
from lastro.model.version import Mode
from lastro.source import create, factory, guess, options_for
from lastro.source.secret import Secret, scrub


@pytest.mark.parametrize(
    ("location", "options"),
    [
        ("data/loans.csv", {"kind": "files", "path": "data/loans.csv"}),
        ("in/*.jsonl.gz", {"kind": "files", "path": "in/*.jsonl.gz"}),
        ("/abs/a.parquet", {"kind": "files", "path": "/abs/a.parquet"}),
        ("a.TSV.zst", {"kind": "files", "path": "a.TSV.zst"}),
        ("core.db#loans", {"kind": "sqlite", "path": "core.db", "table": "loans"}),
        ("a#b.sqlite3#t", {"kind": "sqlite", "path": "a#b.sqlite3", "table": "t"}),
        ("a#b.csv", {"kind": "files", "path": "a#b.csv"}),
        ("logs/access.log", {"kind": "logs", "path": "logs/access.log"}),
        ("access.log.1.gz", {"kind": "logs", "path": "access.log.1.gz"}),
        ("logs/*.log*", {"kind": "logs", "path": "logs/*.log*"}),
        (
            "postgresql://u@h:5432/db?sslmode=require#core.loans",
            {"kind": "postgres", "url": "postgresql://u@h:5432/db?sslmode=require", "table": "core.loans"},
        ),
        (
            "postgres://u:${PW}@h/db#loans",
            {"kind": "postgres", "url": "postgres://u:${PW}@h/db", "table": "loans"},
        ),
        ("mysql://u:${PW}@h/db#loans", {"kind": "mysql", "url": "mysql://u:${PW}@h/db", "table": "loans"}),
        ("mariadb://h:3306/db#a.b", {"kind": "mysql", "url": "mysql://h:3306/db", "table": "a.b"}),
        ("https://h/api/items?page=1", {"kind": "http", "url": "https://h/api/items?page=1"}),
        ("https://h/api#data.items", {"kind": "http", "url": "https://h/api", "records": "data.items"}),
        ("https://h/api?api_key=${KEY}", {"kind": "http", "url": "https://h/api?api_key=${KEY}"}),
    ],
)
def test_a_location_tells_the_options(location, options):
    assert guess(location) == options


@pytest.mark.parametrize(
    ("location", "given", "named"),
    [
        ("adbc_driver_x#t", {"kind": "adbc"}, {"driver": "adbc_driver_x", "table": "t"}),
        ("sqlite:///a.db#t", {"kind": "sqlalchemy"}, {"url": "sqlite:///a.db", "table": "t"}),
        ("sqlite:///a#b", {"kind": "sqlalchemy", "query": "SELECT 1"}, {"url": "sqlite:///a#b", "query": "SELECT 1"}),
        ("a.data#t", {"kind": "sqlite"}, {"path": "a.data", "table": "t"}),
        ("a#b", {"kind": "files", "format": "csv"}, {"path": "a#b", "format": "csv"}),
    ],
)
def test_a_location_is_what_the_given_kind_calls_its_place(location, given, named):
    assert options_for(location, given) == {"kind": given["kind"], **named}


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("postgresql://u:hunter2@h/db#t", "${NAME}"),
        ("postgresql://h/db?password=hunter2#t", "${NAME}"),
        ("https://u:hunter2@h/x", "${NAME}"),
        ("https://h/x?api_key=hunter2", "${NAME}"),
        ("https://h/x?access_token=hunter2&a=1", "${NAME}"),
        ("postgresql://u@h/db", "#schema.table"),
        ("core.db", "core.db#TABLE"),
        ("ftp://host/hunter2.csv", "ftp:// is not"),
        ("mysql://u:hunter2@h/db#t", "${NAME}"),
        ("mysql://u@h/db", "#schema.table"),
        ("oracle://u:hunter2@h/db", "oracle:// is not"),
        ("s3://bucket/folder", "folder/*.csv"),
        ("folder", "folder/*.csv"),
        ("", "format"),
        ("a.docx", "format"),
    ],
)
def test_what_is_not_told_is_refused_without_showing_a_secret(location, says):
    with pytest.raises(ConfigurationError) as caught:
        guess(location)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("kind", ["file", "postgresql", "sqlite3", "Files"])
def test_an_unknown_kind_is_refused_with_the_nearest(tmp_path, kind):
    with pytest.raises(ConfigurationError) as caught:
        create({"kind": kind}, base=tmp_path)
    assert "did you mean" in caught.value.do


def test_a_source_needs_a_kind(tmp_path):
    with pytest.raises(ConfigurationError, match="needs a kind"):
        create({"path": "a.csv"}, base=tmp_path)


def test_a_third_party_registers_an_entry_point(tmp_path, monkeypatch):
    package = tmp_path / "mine-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(f"[{factory.GROUP}]\nmine = mine_source:make\n")
    (tmp_path / "mine_source.py").write_text("def make(options, base):\n    return (dict(options), base)\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert create({"kind": "mine", "x": 1}, base=tmp_path) == ({"kind": "mine", "x": 1}, tmp_path)
    with pytest.raises(ConfigurationError, match="mine"):
        create({"kind": "min"}, base=tmp_path)


def test_a_secret_shows_nothing_and_is_resolved_when_asked():
    secret = Secret("postgresql://u:${PW}@h/db")

    assert (repr(secret), str(secret), f"{secret}") == ("***", "***", "***")
    assert secret.reveal({"PW": "p"}) == "postgresql://u:p@h/db"
    assert secret.reveal_url({"PW": "p@/:"}) == "postgresql://u:p%40%2F%3A@h/db"
    assert Secret("${URL}").reveal_url({"URL": "postgresql://h/db"}) == "postgresql://h/db"


def test_an_unset_variable_is_named_and_a_malformed_reference_refused():
    with pytest.raises(ConfigurationError, match="NOT_THERE is not set"):
        Secret("${NOT_THERE}").reveal({})
    with pytest.raises(ConfigurationError, match="is not a reference"):
        _names = Secret("${not-a-name}").names


def test_texts_from_libraries_lose_their_secrets():
    values = Secret("${PW}").values({"PW": "p@ss"})

    assert scrub("cannot use p@ss nor p%40ss", values) == "cannot use *** nor ***"


@pytest.mark.parametrize(
    ("library", "ours", "options", "extra"),
    [
        ("httpx2", "lastro.source.http", {"kind": "http", "url": "https://h/"}, "lastro[http]"),
        (
            "adbc_driver_postgresql",
            "lastro.source.postgres.source",
            {"kind": "postgres", "url": "postgresql://h/d", "table": "t"},
            "lastro[postgres]",
        ),
    ],
)
def test_a_library_that_is_not_installed_is_told_with_its_extra(monkeypatch, library, ours, options, extra):
    for name in [name for name in sys.modules if name == ours or name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(MissingExtra) as caught:  # noqa: SIM117 - either may raise
        with create(options, base=None).open(None, Mode.OVERWRITE):
            pass
    assert extra in caught.value.do

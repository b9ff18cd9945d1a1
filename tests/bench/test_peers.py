"""What is planted for the comparison with other tools is there, is found, and is told as it was found."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from bench.peers import compared, planted
from bench.peers.environments import NotInstalled, Peer, interpreter
from bench.peers.tools import lastro as tool
from bench.quality import MAKING

from bench import quality_sides

ROWS = 2 * planted.EVERY


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Orders with each fault planted twice."""
    folder = tmp_path_factory.mktemp("orders")
    source, target = folder / "orders.parquet", folder / "faulty.parquet"
    duckdb.connect().execute(MAKING.format(rows=ROWS, target=source, first=0, shift=0.0))
    duckdb.connect().execute(planted.faulty(str(source), str(target)))
    return target


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_each_fault_is_planted_and_breaks_no_other_check(orders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quality_sides.plain_faults(str(orders))

    counts = said(capsys)["counts"]
    assert counts == dict.fromkeys(planted.PLANTED, 2) | dict.fromkeys(planted.WHOLE, False)


def test_lastro_finds_every_fault_in_what_is_stored(
    orders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool.store(str(tmp_path / "stored"), str(orders))

    tool.check(str(tmp_path / "stored"))

    assert compared._of_checks(ROWS)(said(capsys)) == ("18 of 18", "none", "nothing: it only counts")


def test_lastro_sets_every_row_aside_that_a_row_rule_refuses(
    orders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool.ingest(str(tmp_path / "taken"), str(orders))

    assert compared._of_checks(ROWS)(said(capsys)) == ("18 of 18", "none", "34 rows")


def test_what_changed_is_found_and_what_is_still_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(tmp_path / f"{name}.parquet") for name in ("before", "later", "after")]
    for first, path in ((0, paths[0]), (50_000, paths[1])):
        duckdb.connect().execute(MAKING.format(rows=50_000, target=path, first=first, shift=0.0))
    duckdb.connect().execute(planted.drifted(paths[1], paths[2]))
    tool.two(str(tmp_path / "two"), paths[0], paths[2])

    tool.drift(str(tmp_path / "two"))

    found, _missed, false = compared._of_drift(said(capsys))
    assert int(found.split()[0]) >= 5
    assert false == "none"


def test_a_count_that_is_not_what_was_planted_is_told_and_so_is_a_false_alarm() -> None:
    counts: dict[str, int | bool] = dict.fromkeys(planted.PLANTED, 2) | dict.fromkeys(planted.WHOLE, False)
    counts |= {"order_id.unique": 4, "age.range": 0, "email.pattern": 5, "usual_score": True}
    del counts["rows"]

    found, wrong, aside = compared._of_checks(ROWS)({"counts": counts, "set_aside": 7})

    assert found == "17 of 18"
    assert wrong == "`email.pattern` 5, `usual_score`, a false alarm, `rows` not checked"
    assert aside == "7 rows"


def test_a_tool_that_cannot_be_installed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_EXTRA_INDEX_URL": ""}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(NotInstalled, match=r"Nothing could not be installed.*registry"):
        interpreter(Peer("Nothing", "nothing", ("no-such-distribution==1.0",)))

    assert not list(tmp_path.rglob("ready"))

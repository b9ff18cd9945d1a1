"""`classify` and `report data-map`, as a person or another program calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

ROWS = "email,valor\n" + "".join(f"pessoa{number}@example.org,{number}.5\n" for number in range(50))


@pytest.fixture
def sales(tmp_path: Path, lastro, monkeypatch) -> Path:
    monkeypatch.setenv("LASTRO_ACTOR", "ana")
    assert lastro("init").code == 0
    (tmp_path / "sales.csv").write_text(ROWS)
    assert lastro("add", "sales.csv", "--as", "sales").code == 0
    assert lastro("ingest", "sales").code == 0
    return tmp_path


def test_columns_are_classified_and_mapped(sales, lastro):
    shown = lastro("classify", "sales")
    written = lastro("classify", "sales", "--write", "--json").json
    done = lastro("classify", "sales", "--confirm", "email", "--as", "valor=none")
    mapped = lastro("report", "data-map")
    assert lastro("report", "data-map", "sales", "-o", "map.md").code == 0
    values = lastro("report", "data-map", "--json").json

    assert shown.code == 0
    assert shown.last == "1 of 2 columns are personal, nothing written. next: lastro classify sales --write"
    assert written["schema"] == "lastro.classify/1"
    assert [(each["column"], each["class"], each["kind"]) for each in written["columns"]] == [
        ("email", "identifier", "email"),
        ("valor", "feature", ""),
    ]
    assert done.last.endswith("next: lastro report data-map")
    assert "direct identifier, confirmed by ana" in mapped.out
    assert values["schema"] == "lastro.report.data-map/1"
    assert values["coverage"] == {"columns": 2, "classified": 2, "settled": 2}
    text = (sales / "map.md").read_text()
    assert text.startswith("# Data map\n\n**2 of 2 columns have a class")
    assert "| email | direct identifier | email |" in text
    assert "pessoa1" not in text + shown.out + mapped.out


@pytest.mark.parametrize(
    "arguments", [["--as", "email"], ["--as", "=none"], ["--all", "--confirm", "email"], ["--as", "email=nothing"]]
)
def test_what_is_not_understood_is_told(sales, lastro, arguments):
    ended = lastro("classify", "sales", *arguments)

    assert ended.code == 2
    assert "  do  " in ended.err

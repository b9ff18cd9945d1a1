"""One is one: no sentence counts a single row as several."""

import re
from dataclasses import dataclass, field

import pytest

from lastro.cli.progress import progress_text
from lastro.model.finding import Finding
from lastro.model.progress import Progress
from lastro.model.version import RowCounts
from lastro.report.ingested import ingested, ingested_verdict
from lastro.report.plain import Page, to_text


@dataclass(frozen=True)
class Result:
    """One row ingested."""

    dataset: str = "loans"
    version: int = 0
    unchanged: bool = False
    mode: str = "upsert"
    counts: RowCounts = field(default_factory=lambda: RowCounts(read=1, kept=1, quarantined=0))
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    inserted: int = 1
    updated: int = 0
    deleted: int = 0
    equal: int = 0
    rows_total: int = 1
    seconds: float = 0.1
    reconciled: bool = False
    versions: tuple[int, ...] = field(default=(0,))
    looks: tuple[object, ...] = ()
    cleaning: tuple[object, ...] = ()


def test_one_row_is_told_as_one():
    told = to_text(ingested(Result()), Page()) + ingested_verdict(Result())

    assert "1 row read" in told
    assert "the version holds 1 row" in told
    assert not re.search(r"\b1 rows", told)


def test_progress_of_one_row_is_told_as_one():
    assert progress_text("loans", Progress(rows=1), 1.0).startswith("loans  1 row  ")


@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_one_of_two_files_is_told_in_both_languages(language, monkeypatch):
    from lastro.source.files.known import Choice

    monkeypatch.setenv("LASTRO_LANG", language)

    assert len(Choice(("a",), left=1).notes(3)) == 2

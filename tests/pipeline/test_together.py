"""Rows as wholes, texts and vectors of a dataset: what is found, what is left alone, and what never leaves."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline.test_drift import month
from tests.workspace.lake import Lake

from lastro.drift.settings import Settings
from lastro.drift.together.answer import Answer, Question
from lastro.model.errors import MissingExtra

pytest.importorskip("sklearn")
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: 5b0c1c1e-loans
version: 1.0.0
status: active
schema:
  - name: loans
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: income, logicalType: number}
      - {name: debt, logicalType: number}
      - {name: uf, logicalType: string}
      - {name: secret, logicalType: string, classification: confidential}
      - {name: note, logicalType: string}
      - {name: vector, logicalType: array, items: {name: one, logicalType: number}}
"""
WORDS = [f"qx{a}{b}{c}" for a in "bcdfg" for b in "aeiou" for c in "lmnrs"]
TOGETHER = Settings(together=True, looks=1, alpha=0.2)


def rows(
    seed: int, count: int = 500, *, tied: bool = False, words: list[str] = WORDS, shift: float = 0.0, length: int = 8
) -> Iterator[dict]:
    """Loans whose debt may follow the income, with notes of these words and vectors around `shift`."""
    draws = random.Random(seed)
    for number in range(count):
        income = draws.gauss(0, 1)
        yield {
            "id": seed * 1_000_000 + number,
            "income": income,
            "debt": 0.95 * income + 0.31 * draws.gauss(0, 1) if tied else draws.gauss(0, 1),
            "uf": draws.choice(["SP", "RJ", "MG"]),
            "secret": f"{'zebra' if tied else 'giraffe'} {number}",
            "note": " ".join(draws.choice(words) for _place in range(12)) + f" {number}",
            "vector": [draws.gauss(shift, 1) for _place in range(length)],
        }


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "lake")
    made.configure(mode="overwrite", contract=CONTRACT)
    return made


def compared(lake: Lake, reference: list[dict], current: list[dict], settings: Settings = TOGETHER):
    for side in (reference, current):
        lake.loans.ingest(data=side)
    return lake.loans.drift("0", settings=settings)


def answer(report, question: Question, column: str | None = None) -> Answer:
    found = report.comparison.together.answer(question, column=column)
    assert found is not None
    return found


def test_columns_that_hang_together_otherwise_are_found_though_each_is_as_it_was(lake: Lake) -> None:
    report = compared(lake, list(rows(1)), list(rows(2, tied=True)))

    found = answer(report, Question.ROWS)
    assert report.comparison.drift.verdict != "drifted"
    assert found.verdict == "drifted"
    assert not report.passed
    assert {one.column for one in found.separators[:2]} == {"income", "debt"}
    assert found.moved > 0.05
    assert report.to_dict()["verdict"] == "drifted"


def test_rows_alike_are_no_drift_and_it_is_told_what_the_samples_can_find(lake: Lake) -> None:
    report = compared(lake, list(rows(1)), list(rows(2)))

    told = report.to_dict()["together"]
    assert report.passed
    assert {one["question"] for one in told["answers"]} == set(Question)
    assert (told["seed"], told["sample_rows"]) == (0, 20_000)
    assert all((one["reference"], one["current"]) != (0, 0) for one in told["answers"])
    assert 0.55 < answer(report, Question.ROWS).finds < 0.9


def test_what_is_asked_for_together_takes_from_the_budget_of_the_columns(lake: Lake) -> None:
    report = compared(lake, list(rows(1, 60)), list(rows(2, 60)))
    alone = lake.loans.drift("0")

    assert report.comparison.drift.budget.columns == alone.comparison.drift.budget.columns + 3
    assert alone.comparison.together is None
    assert alone.to_dict()["together"] is None


def test_other_words_and_letters_are_found_and_no_word_is_told(lake: Lake) -> None:
    strange = [f"Ж{word}щ" for word in WORDS]
    report = compared(lake, list(rows(1)), list(rows(2, words=strange)))

    verdicts = {
        question: answer(report, question, "note").verdict
        for question in (Question.TEXTS, Question.LETTERS, Question.WORDS)
    }
    told = json.dumps(report.to_dict(), default=str, ensure_ascii=False) + report._repr_html_()
    assert set(verdicts.values()) == {"drifted"}
    assert answer(report, Question.WORDS, "note").after > 0.9
    assert "cyrillic" in {part.kind for part in answer(report, Question.LETTERS, "note").parts}
    assert not any(word in told for word in (*strange, *WORDS))


def test_a_withheld_column_is_looked_at_for_missing_values_only(lake: Lake) -> None:
    report = compared(lake, list(rows(1)), [{**row, "secret": "x"} for row in rows(2)])

    told = report.to_dict()["together"]["answers"]
    assert report.passed
    assert "secret" not in {one["column"] for one in told}
    assert "giraffe" not in json.dumps(report.to_dict(), default=str) + report._repr_html_()


def test_vectors_that_moved_are_found(lake: Lake) -> None:
    report = compared(lake, list(rows(1)), list(rows(2, shift=0.5)))

    found = answer(report, Question.VECTORS, "vector")
    assert found.verdict == "drifted"
    assert found.discrepancy is not None
    assert found.discrepancy.p_value == pytest.approx(0.001)
    assert answer(report, Question.ROWS).verdict != "drifted"


@pytest.mark.parametrize("broken", [[], [1.0] * 3, [None] * 8])
def test_vectors_that_are_not_usable_are_a_finding(lake: Lake, broken: list) -> None:
    current = [{**row, "vector": broken} if place % 2 else row for place, row in enumerate(rows(2, 200))]
    report = compared(lake, list(rows(1, 200)), current)

    found = answer(report, Question.BROKEN, "vector")
    assert found.verdict == "drifted"
    assert (found.before, found.after) == (0, 0.5)
    assert len(found.parts) == 1


def test_vectors_of_another_length_cannot_be_compared_and_that_is_said(lake: Lake) -> None:
    report = compared(lake, list(rows(1, 50)), list(rows(2, 50, length=5)))

    found = answer(report, Question.VECTORS, "vector")
    assert found.verdict == "not comparable"
    assert "have 8 numbers, the window's 5" in found.words
    assert answer(report, Question.BROKEN, "vector").verdict == "drifted"


@pytest.mark.parametrize(
    "ugly",
    [
        {"income": None, "debt": None, "uf": None, "secret": None, "note": None, "vector": None},
        {"income": 1e308, "note": "", "vector": [1e308] * 8},
        {"income": 0.0, "note": "\x00\ufffd\U0001f600", "vector": [0.0] * 8},
    ],
)
def test_ugly_columns_are_compared_with_themselves_without_an_alarm(lake: Lake, ugly: dict) -> None:
    sides = [[{**row, **ugly} for row in rows(seed, 60)] for seed in (1, 2)]

    report = compared(lake, *sides)

    assert report.passed
    assert json.loads(json.dumps(report.to_dict(), default=str))
    assert report._repr_html_()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_window_of_hardly_any_rows_is_told(lake: Lake, count: int) -> None:
    report = compared(lake, list(rows(1, 50)), list(rows(2, count)))

    if count == 0:
        assert report.comparison.together is None
        assert not report.passed
    else:
        assert answer(report, Question.ROWS).verdict == ("not comparable" if count == 1 else "unsure")
        assert report.passed


def test_a_category_of_very_many_values_is_no_alarm(lake: Lake) -> None:
    draws = random.Random(7)
    sides = [[{**row, "uf": f"{draws.randrange(10**6)}"} for row in rows(seed)] for seed in (1, 2)]

    assert compared(lake, *sides).passed


def test_samples_are_as_large_as_asked_for_and_the_same_again(lake: Lake) -> None:
    settings = Settings(together=True, sample_rows=100)
    first = compared(lake, list(rows(1, 300)), list(rows(2, 300)), settings)

    again = lake.loans.drift("0", settings=settings)

    assert answer(first, Question.ROWS).reference == answer(first, Question.ROWS).current == 100
    assert first.to_dict()["together"] == again.to_dict()["together"]


def test_a_reference_of_another_schema_is_compared_as_far_as_it_goes(lake: Lake) -> None:
    lake.loans.ingest(data=list(rows(1, 80)))
    other = CONTRACT.replace("name: income, logicalType: number", "name: income, logicalType: string")
    lake.configure(mode="overwrite", contract=other.replace("name: debt", "name: debts"))
    lake.loans.ingest(data=[{**row, "income": "a", "debts": 1.0} for row in rows(2, 80)])

    report = lake.loans.drift("0", settings=TOGETHER)

    separators = {one.column for one in answer(report, Question.ROWS).separators}
    assert separators <= {"uf", "secret", "note"}


def test_the_window_of_a_time_column_is_what_is_sampled(lake: Lake) -> None:
    lake.configure(mode="append")
    for number in (1, 2):
        (lake.root / f"loans-{number}.csv").write_text(month(number, rows=200))
        lake.loans.ingest()

    report = lake.loans.drift("0", time="applied_at", since="2026-02-01", settings=TOGETHER)

    found = answer(report, Question.ROWS)
    assert (found.reference, found.current) == (200, 200)
    assert found.verdict == "unsure"


def test_only_the_named_columns_are_compared(lake: Lake) -> None:
    for side in (rows(1, 60), rows(2, 60)):
        lake.loans.ingest(data=list(side))

    report = lake.loans.drift("0", columns=["income", "vector"], settings=TOGETHER)

    assert {(one.question, one.column) for one in report.comparison.together.answers} == {
        (Question.ROWS, None),
        (Question.VECTORS, "vector"),
        (Question.BROKEN, "vector"),
    }


def test_without_the_library_it_is_said_what_to_install(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for side in (rows(1, 10), rows(2, 10)):
        lake.loans.ingest(data=list(side))
    monkeypatch.setitem(sys.modules, "sklearn", None)

    with pytest.raises(MissingExtra) as found:
        lake.loans.drift("0", settings=TOGETHER)

    assert found.value.do == "pip install 'lastro[learn]'"
    assert lake.loans.drift("0").comparison.drift.columns

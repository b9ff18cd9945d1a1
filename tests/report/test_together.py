"""What rows as wholes, texts and vectors came to, shown: the worst first, whatever columns are called."""

from __future__ import annotations

import pytest
from tests.report.pages import held
from tests.report.test_drift import NAMES

from lastro.drift.result import Estimate, Verdict
from lastro.drift.together.answer import Answer, Discrepancy, Part, Question, Separator, Together
from lastro.report.blocks import Blocks
from lastro.report.html import to_html, to_page
from lastro.report.plain import Page, to_text
from lastro.report.together import together, with_together


def story(column: str = "note") -> Together:
    """An answer of every kind."""
    return Together(
        (
            Answer(
                *(Question.ROWS, None, Verdict.DRIFTED, "w", 0.05, 0.54875, 2000, 900),
                size=Estimate(0.81, 0.78, 0.84),
                finds=0.61,
                moved=0.336,
                separators=(Separator(column, 0.51, 0.3), Separator("y", 0.5, 0.29), Separator("z", 0.5, 0.001)),
            ),
            Answer(
                *(Question.LETTERS, column, Verdict.DRIFTED, "w", 0.05, 0.05, 2000, 900),
                size=Estimate(0.2, 0.15, 0.25),
                parts=(Part("cyrillic", 0.0, 0.2), Part("latin", 0.9, 0.7)),
            ),
            Answer(
                *(Question.WORDS, column, Verdict.UNSURE, "about 9 rows", 0.05, 0.05, 1000, 900),
                size=Estimate(0.06, 0.01, 0.11),
                before=0.1,
                after=0.16,
                rows_needed=9,
            ),
            Answer(
                *(Question.VECTORS, "v", Verdict.STABLE, "w", 0.05, 0.54875, 2000, 900),
                size=Estimate(0.5, 0.47, 0.53),
                discrepancy=Discrepancy(-0.0001, 0.62, 999, 1.0, 900),
            ),
            Answer(Question.BROKEN, "v", Verdict.NOT_COMPARABLE, "the window has no vectors", 0.01, 0.01, 2000, 0),
        ),
        20_000,
        0,
    )


def shown(blocks: Blocks) -> str:
    return to_text(blocks, Page(width=120))


def test_the_verdict_names_the_worst_question_with_its_size_and_margin() -> None:
    told = with_together("no column of 5 drifted", story())

    assert told == (
        "no column of 5 drifted; together: rows as wholes: ✗ drifted: AUC 0.81 (between 0.78 and 0.84, margin 0.549)"
    )
    assert with_together("as it was", None) == "as it was"


def test_columns_that_separate_are_told_and_that_they_changed_by_how_they_hang_together() -> None:
    text = shown(together(story()))

    assert "at least 33.6 % are others" in text
    assert "these columns changed by how they hang together" in text
    assert "z" not in text.split("Columns that tell")[1].split("these columns")[0].replace("rows", "")
    assert "note: Cyrillic letters went from 0 % to 20 %" in text
    assert "note: about 9 rows" in text
    assert "v: the window has no vectors" in text
    assert "samples of at most 20,000 rows of either side" in text
    assert together(None) == ()


def test_it_speaks_the_readers_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "pt_BR")

    assert "0,549" in shown(together(story()))


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name_is_shown_as_a_text_of_bounded_length(name: str) -> None:
    blocks = together(story(name))

    held(to_page("t", blocks, answer=with_together("x", story(name))))
    assert len(to_html(blocks)) < 20_000
    assert "\x1b" not in shown(blocks)

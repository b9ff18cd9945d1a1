"""The budget is never overdrawn, whoever asks at the same time, and what is taken stays taken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.errors import NotPermitted, UsageError
from lastro.privacy.budget import Asking, Budgets, millionths


def asking(name: str = "people", question: str = "") -> Asking:
    return Asking("2026-11-26T00:00:00Z", "ana", name, "sha256:0", "count", question=question)


def test_what_is_spent_adds_up_and_is_refused_at_the_end(tmp_path):
    budgets = Budgets(tmp_path)
    for _each in range(10):
        budgets.take(asking(), millionths(0.1), 1_000_000)

    with pytest.raises(NotPermitted, match="does not allow"):
        budgets.take(asking(), 1, 1_000_000)

    assert budgets.spent("people") == 1.0
    assert budgets.spent("others") == 0.0
    assert len(list(budgets.entries("people"))) == 10


def test_an_answer_is_known_again_for_the_same_question_only(tmp_path):
    budgets = Budgets(tmp_path)
    number = budgets.take(asking(question="a"), 5, 10)
    unanswered = budgets.known(asking(question="a"))
    budgets.remember(number, "[1]")

    assert unanswered is None
    assert budgets.known(asking(question="a")) == "[1]"
    assert budgets.known(asking(question="b")) is None
    assert budgets.known(asking()) is None


def test_many_at_once_do_not_overdraw(tmp_path):
    def take(_number: int) -> bool:
        budgets = Budgets(tmp_path)
        try:
            budgets.take(asking(), 300_000, 1_000_000)
        except NotPermitted:
            return False
        finally:
            budgets.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, range(16)))

    assert sum(taken) == 3
    assert Budgets(tmp_path).spent("people") == pytest.approx(0.9)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, float("nan"), float("inf"), 101.0])
def test_what_is_no_epsilon_is_refused(epsilon):
    with pytest.raises(UsageError):
        millionths(epsilon)


@given(st.floats(0, 100, exclude_min=True))
def test_millionths_are_never_less(epsilon):
    assert millionths(epsilon) >= epsilon * 1e6 - 1e-3
    assert millionths(epsilon) >= 1


def test_nothing_is_made_by_looking(tmp_path: Path):
    budgets = Budgets(tmp_path)

    assert budgets.spent("people") == 0
    assert list(budgets.entries("people")) == []
    assert list(tmp_path.iterdir()) == []

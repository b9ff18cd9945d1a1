"""No basis, no read."""

from __future__ import annotations

import pytest

from lastro.model.errors import NotPermitted, UsageError
from lastro.model.personal import Purpose
from lastro.policy.basis import checked, settled

SCORING = Purpose("credit-scoring", "LGPD art. 7, X")
LISTED = (SCORING, Purpose("Cobrança", "LGPD art. 7, V"))


@pytest.mark.parametrize("purpose", ["credit-scoring", "CREDIT-Scoring", " credit-scoring "])
def test_a_purpose_of_the_contract_is_settled(purpose: str) -> None:
    assert settled("loans", LISTED, purpose) == SCORING


def test_accents_are_the_same_however_they_are_written() -> None:
    assert settled("loans", LISTED, "cobranc\u0327a").name == "Cobrança"


@pytest.mark.parametrize("purpose", ["", "marketing"])
def test_any_other_is_refused_with_the_articles(purpose: str) -> None:
    with pytest.raises(NotPermitted, match=r"GDPR art\. 6, LGPD art\. 7") as caught:
        settled("loans", LISTED, purpose)

    assert "credit-scoring" in caught.value.do
    assert caught.value.exit_code == 4


def test_without_a_list_all_is_read_as_ever() -> None:
    assert settled("loans", None, "") is None
    assert settled("loans", None, "marketing") is None


def test_an_empty_list_allows_nothing() -> None:
    with pytest.raises(NotPermitted) as caught:
        settled("loans", (), "credit-scoring")

    assert "share no purpose" in caught.value.do


@pytest.mark.parametrize("purpose", ["a' OR 1=1 --", "x\ny", "x" * 64, "-x", "a;b", "{}", "a  b", "\u202ea"])
def test_a_purpose_is_a_name(purpose: str) -> None:
    with pytest.raises(UsageError):
        checked(purpose)


@pytest.mark.parametrize("purpose", ["", "credit-scoring", "risco de crédito", "fraud/2026.1", "審査"])
def test_a_name_is_taken_as_it_is(purpose: str) -> None:
    assert checked(purpose) == purpose

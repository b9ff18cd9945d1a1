"""The tree: messages that have most words in common share a template, within bounds, and for good."""

from __future__ import annotations

from operator import eq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.transform.templates import drain
from lastro.transform.templates.drain import LEAF_MAX, UNFITTING, Tree, words_of

WORDS = st.sampled_from(["a", "b", "c", "<num>", "x=<num>", ""])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), max_size=60)


def tree(*, similarity: float = 0.6, templates_max: int = 10_000) -> Tree:
    return Tree(similarity, templates_max)


def assigned(texts: list[str], **arguments: float) -> tuple[list[int], list[str]]:
    made = tree(**arguments)
    numbers = [made.assign(text) for text in texts]
    return numbers, [template.text for template in made.templates]


def test_words_that_differ_become_a_wildcard() -> None:
    numbers, templates = assigned(["login of ana failed", "login of bruno failed", "login of carla failed"])

    assert numbers == [1, 1, 1]
    assert templates == ["<*>", "login of <*> failed"]


def test_spaces_that_differ_become_a_wildcard_and_part_nobody() -> None:
    numbers, templates = assigned(["size  <num> kB", "size <num> kB"])

    assert numbers == [1, 1]
    assert templates[1] == "size<space><num> kB"


def test_messages_of_other_lengths_or_beginnings_are_strangers() -> None:
    numbers, _templates = assigned(["queue is full", "queue is full now", "stack is full"])

    assert numbers == [1, 2, 3]


def test_too_few_words_in_common_are_not_enough() -> None:
    assert assigned(["queue is full", "queue was cleared"])[0] == [1, 2]
    assert assigned(["queue is full", "queue was cleared"], similarity=0.3)[0] == [1, 1]


def test_first_words_without_end_go_one_way_and_then_share_a_template() -> None:
    numbers, templates = assigned([f"word{'x' * count} stopped" for count in range(1_000)])

    assert len(templates) == 1 + drain.CHILDREN_MAX + LEAF_MAX + 1
    assert templates[-1] == "<*> <*>"
    assert numbers[-1] == len(templates) - 1


def test_beyond_the_most_templates_what_fits_none_is_unfitting() -> None:
    numbers, templates = assigned(["a", "b", "c", "a", "b"], templates_max=2)

    assert numbers == [1, 2, UNFITTING, 1, 2]
    assert templates == ["<*>", "a", "b"]


def test_beyond_a_size_nothing_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "SIZE_MAX", 1_000)

    numbers, templates = assigned([f"{'x' * count} {'y' * count}" for count in range(500, 700)])

    assert templates[1:] == [f"{'x' * 500} {'y' * 500}"]
    assert numbers == [1] + [UNFITTING] * 199


def test_the_rest_is_a_word_of_its_own() -> None:
    numbers, templates = assigned(["payment failed", "payment failed<rest>"])

    assert numbers == [1, 2]
    assert templates[2] == "payment failed<rest>"


@given(TEXTS, st.integers(1, 8))
def test_what_is_remembered_changes_nothing(texts: list[str], templates_max: int) -> None:
    made = tree(templates_max=templates_max)
    forgetful = tree(templates_max=templates_max)

    numbers = [made.assign(text) for text in texts]
    afresh = []
    for text in texts:
        forgetful._remembered.forget()
        afresh.append(forgetful.assign(text))

    assert numbers == afresh
    assert made.templates == forgetful.templates


@given(TEXTS, st.sampled_from([0.3, 0.5, 0.6, 1.0]))
def test_the_nearest_template_is_that_of_a_plain_search(texts: list[str], similarity: float) -> None:
    groups: list[tuple[str, ...]] = []
    expected = []
    for words in (words_of(text).words for text in texts):
        alike = [group for group in groups if len(group) == len(words) and way(group) == way(words)]
        rated = [(sum(map(eq, group, words)), group.count("<*>"), -groups.index(group)) for group in alike]
        best = max((rate for rate in rated if rate[0] >= similarity * len(words)), default=None)
        if best is None:
            groups.append(words)
            expected.append(len(groups))
            continue
        place = -best[2]
        groups[place] = tuple(a if a == b else "<*>" for a, b in zip(groups[place], words, strict=True))
        expected.append(place + 1)

    numbers, _templates = assigned(texts, similarity=similarity)

    assert numbers == expected


def way(words: tuple[str, ...]) -> str:
    return "<*>" if "<" in words[0] else words[0]


@given(TEXTS, TEXTS)
def test_later_messages_change_no_number_and_only_widen_templates(texts: list[str], later: list[str]) -> None:
    made = tree()
    numbers = [made.assign(text) for text in texts]
    before = made.templates

    more, _templates = assigned(texts + later)
    for text in later:
        made.assign(text)

    assert more[: len(texts)] == numbers
    for one, other in zip(before, made.templates, strict=False):
        assert all(b in (a, "<*>") for a, b in zip(one.words, other.words, strict=True))
        assert all(b in (a, "<space>") for a, b in zip(one.spaces, other.spaces, strict=True))


@given(TEXTS)
def test_templates_are_numbered_as_they_come(texts: list[str]) -> None:
    numbers, templates = assigned(texts)

    assert list(dict.fromkeys(numbers)) == list(range(1, len(templates)))


@given(TEXTS)
def test_words_with_what_stands_between_are_the_text(texts: list[str]) -> None:
    assert [words_of(text).text for text in texts] == texts

"""How well templates are found: exactly where words vary plainly, and known to be wrong where they do not."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tests.transform.templates.lines import HARD, HDFS, SSH, ZOOKEEPER, grouping_accuracy, lines

import lastro

CLEAN = {"hdfs": HDFS, "ssh": SSH, "zookeeper": ZOOKEEPER, "all of them": HDFS + SSH + ZOOKEEPER}


def mined(messages: list[str]) -> tuple[list[int], list[str]]:
    found = lastro.templates(pa.table({"message": messages}), "message")
    return found.rows().read_all()["template_id"].to_pylist(), found.counts()["template"].to_pylist()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CLEAN)
def test_messages_of_known_systems_are_grouped_exactly(name: str, seed: int) -> None:
    messages, events = lines(CLEAN[name], 2_000, seed=seed)

    numbers, templates = mined(messages)

    assert grouping_accuracy(numbers, events) == 1.0, templates


def test_templates_read_like_the_messages() -> None:
    _numbers, templates = mined(lines(HDFS + SSH + ZOOKEEPER, 2_000, seed=0)[0])

    assert {
        "Receiving block blk_<num> src: /<ip>:<num> dest: /<ip>:<num>",
        "BLOCK* NameSystem.allocateBlock: <path> blk_<num>",
        "Failed password for invalid user <*> from <ip> port <num> ssh<num>",
        "Established session <hex> with negotiated timeout <num> for client /<ip>:<num>",
    } <= set(templates)


@pytest.mark.parametrize(
    ("template", "groups"),
    [
        ("restart of {NODE} finished", 1),
        ("queue {WORD} is {LEVEL}", 2),  # half of the words in common are fewer than the similarity asks for
        ("{WORD} logged in", 101),  # a first word leads astray, until there are too many of them
        ("loaded modules {LIST}", 304),  # mostly variable, and each number of words is a matter of its own
    ],
)
def test_what_is_hard_is_known(template: str, groups: int) -> None:
    messages, _events = lines((template,), 1_000, seed=0)

    _numbers, templates = mined(messages)

    assert len(templates) == groups


def test_events_that_one_plain_word_tells_apart_become_one() -> None:
    messages, events = lines(HARD[:2], 500, seed=0)

    numbers, templates = mined(messages)

    assert templates == ["Connection <*> by <ip> [preauth]"]
    assert grouping_accuracy(numbers, events) == 0.0
    assert len(set(mined_at(messages, 0.9))) == 2


def mined_at(messages: list[str], similarity: float) -> list[int]:
    rows = lastro.templates(pa.table({"message": messages}), "message", similarity=similarity).rows()
    return rows.read_all()["template_id"].to_pylist()


def test_accuracy_tells_right_from_wrong() -> None:
    assert grouping_accuracy([1, 1, 2], [0, 0, 1]) == 1.0
    assert grouping_accuracy([1, 1, 1], [0, 0, 1]) == 0.0
    assert grouping_accuracy([1, 2, 3], [0, 0, 1]) == pytest.approx(1 / 3)

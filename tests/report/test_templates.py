"""Templates as a table: what cannot be told has a dash, and a message can command no terminal."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from lastro.report.plain import Page, to_text
from lastro.report.templates import Counted, templates, templates_verdict


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (1234, "1,234"),
        (None, "–"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 13, 55, tzinfo=UTC), "2026-01-31 13:55"),
        (datetime(2026, 1, 31, 13, 55), "2026-01-31 13:55"),
    ],
)
def test_first_and_last_are_numbers_or_moments(place: object, shown: str) -> None:
    text = to_text(templates([Counted(1, "queue holds <num>", 3, place, place)], 4), Page())

    assert text.splitlines()[1].split() == ["3", "75", "%", "1", "queue", "holds", "<num>", *shown.split() * 2]


def test_a_hostile_template_commands_nothing() -> None:
    text = to_text(templates([Counted(1, "a\x1b[2J\nb", 1, 0, 0)], 1), Page())

    assert "\x1b" not in text
    assert len(text.splitlines()) == 2


def test_nothing_found_has_no_table() -> None:
    assert templates([], 0) == ()
    assert templates_verdict("app@0", 0, 0) == "app@0 has 0 templates in 0 messages"
    assert templates_verdict("app@0", 1, 1) == "app@0 has 1 template in 1 message"

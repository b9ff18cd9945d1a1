"""Arguments that are more than text."""

from __future__ import annotations

from datetime import timedelta

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.cli.arguments import duration, exact, setting, share
from lastro.model.errors import NameRefused, UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30min", timedelta(minutes=30)), ("24h", timedelta(days=1)), ("7d", timedelta(days=7)), ("0d", timedelta())],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "7 d", "7D", "1.5h", "9999999d", "٧d", "7d\n"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no duration"):
        duration(text)


@given(st.integers(1, 100))
def test_whole_percentages(percent: int) -> None:
    assert share(f"{percent}%") == percent / 100


@pytest.mark.parametrize("text", ["0%", "0.0%", "101%", "100.1%", "5", "-5%", "nan%", "1e1%", "٥%", ""])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no share"):
        share(text)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("format=csv", ("format", "csv")),
        ("page_size=100", ("page_size", 100)),
        ("header=false", ("header", False)),
        ('columns=["a","b"]', ("columns", ["a", "b"])),
        ("delimiter=;", ("delimiter", ";")),
        ('code="1"', ("code", "1")),
        ("query=SELECT a = 1", ("query", "SELECT a = 1")),
        ("empty=", ("empty", "")),
        ("deep=" + "[" * 100_000, ("deep", "[" * 100_000)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_settings(text: str, pair: tuple[str, object]) -> None:
    assert setting(text) == pair


@pytest.mark.parametrize("text", ["", "=", "=a", "format"])
def test_what_is_no_setting(text: str) -> None:
    with pytest.raises(click.BadParameter, match="key=value"):
        setting(text)


@given(st.text(min_size=1).filter(lambda text: "=" not in text), st.text())
def test_a_setting_keeps_its_key(key: str, value: str) -> None:
    assert setting(f"{key}={value}")[0] == key


def test_an_exact_reference_says_which_version() -> None:
    assert exact("loans@17") == ("loans", "17")
    assert exact("loans@2026-01-31T10:00:00Z") == ("loans", "2026-01-31T10:00:00Z")
    with pytest.raises(UsageError, match="does not say which version"):
        exact("loans")
    with pytest.raises(NameRefused):
        exact("loans@")
    with pytest.raises(NameRefused):
        exact("../loans@1")

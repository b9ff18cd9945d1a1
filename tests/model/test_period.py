"""Periods are read as people write them, and nothing else is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.errors import ConfigurationError
from lastro.model.period import SECONDS, parse_period


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("15m", 900),
        ("15 min", 900),
        ("1.5 h", 5400),
        ("1d", 86_400),
        ("2 weeks", 1_209_600),
        ("1 Y", 31_536_000),
    ],
)
def test_common_spellings(text, seconds):
    assert parse_period(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "15",
        "m",
        "0s",
        "-1h",
        "1e3s",
        "1 month",
        "1mo",
        "15m; rm",
        "９m",
        "1 d 2 h",
        "99999 d",
        "999999999 y",
        "1.0000001 s",
        "1d\x00",
    ],
)
def test_anything_else_is_refused_with_a_repair(text):
    with pytest.raises(ConfigurationError) as caught:
        parse_period(text)

    assert caught.value.do


@given(st.integers(1, 1000), st.sampled_from(sorted(SECONDS)), st.sampled_from(["", " ", "  "]))
def test_every_unit_is_its_seconds(count, unit, gap):
    if count * SECONDS[unit] > 3650 * 86_400:
        return

    assert parse_period(f"{count}{gap}{unit}").total_seconds() == count * SECONDS[unit]

"""Numbers as people write them, in two languages."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.report.numbers import bound, duration, moment, number, percent, short_digest, signed, size


@pytest.mark.parametrize(
    ("value", "english", "portuguese"),
    [
        (0, "0", "0"),
        (1234567, "1,234,567", "1.234.567"),
        (-1234.5, "-1,234.5", "-1.234,5"),
        (0.8123456, "0.8123", "0,8123"),
        (0.000012, "1.2e-05", "1,2e-05"),
        (3.0, "3", "3"),
        (1e20, "1e+20", "1e+20"),
        (float("nan"), "nan", "nan"),
        (float("-inf"), "-inf", "-inf"),
        (None, "–", "–"),
    ],
)
def test_numbers_follow_the_language(
    value: float | None, english: str, portuguese: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_english = number(value)
    monkeypatch.setenv("LASTRO_LANG", "pt_BR")
    in_portuguese = number(value)

    assert (in_english, in_portuguese) == (english, portuguese)


@given(st.integers(-(10**30), 10**30))
def test_whole_numbers_lose_no_digit(value: int) -> None:
    assert int(number(value).replace(",", "")) == value


@given(st.floats(-1e300, 1e300))
def test_fractions_stay_close(value: float) -> None:
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=1e-2, abs=1e-4)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (5 << 30, "5 GiB"), (3 << 60, "3,072 PiB")],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.0342, "34 ms"),
        (0.9996, "1 s"),
        (5.24, "5.2 s"),
        (59.96, "1 min"),
        (75, "1 min 15 s"),
        (7500, "2 h 5 min"),
        (86400 * 3 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "english", "portuguese"),
    [
        ("-119972.920", "-119,972.920", "-119.972,920"),
        ("12345678901234567890.5", "12,345,678,901,234,567,890.5", "12.345.678.901.234.567.890,5"),
        ("2026-09-01T00:01:34.000000", "2026-09-01T00:01:34", "2026-09-01T00:01:34"),
        ("2026-09-01T00:01:34.500000Z", "2026-09-01T00:01:34.500000Z", "2026-09-01T00:01:34.500000Z"),
        ("1952-09-19", "1952-09-19", "1952-09-19"),
        ("1e300", "1e300", "1e300"),
        (None, None, None),
    ],
)
def test_bounds_lose_no_digit(
    text: str | None, english: str | None, portuguese: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_english = bound(text)
    monkeypatch.setenv("LASTRO_LANG", "pt_BR")

    assert (in_english, bound(text)) == (english, portuguese)


def test_percentages_and_changes() -> None:
    assert percent(1553, 50_000) == "3.1 %"
    assert percent(1, 0) == "–"
    assert [signed(value) for value in (1200, -3, 0)] == ["+1,200", "-3", "0"]


def test_moments_are_shown_in_utc() -> None:
    local = datetime(2026, 11, 22, 7, 0, 5, tzinfo=timezone(timedelta(hours=-3)))

    assert moment(local) == moment(local.astimezone(UTC)) == "2026-11-22 10:00"


def test_short_digests_are_references() -> None:
    from lastro.model.reference import Digest, Reference

    short = short_digest("sha256:" + "ab" * 32)

    assert Reference.parse(f"loans@{short}").selector == Digest(short)
    assert short_digest(None) == "–"

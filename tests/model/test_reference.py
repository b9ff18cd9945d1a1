"""References: how a person names a version."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.errors import NameRefused
from lastro.model.reference import Digest, Latest, Moment, Number, Reference, Tag, check_name


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("loans", Latest()),
        ("loans@latest", Latest()),
        ("loans@17", Number(17)),
        ("loans@approved", Tag("approved")),
        ("loans@sha256:0123abcd", Digest("sha256:0123abcd")),
        ("loans@2026-01-31", Moment(datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC))),
        ("loans@2026-01-31T10:00:00-03:00", Moment(datetime(2026, 1, 31, 13, tzinfo=UTC))),
    ],
)
def test_each_way_to_name_a_version(text, selector):
    assert Reference.parse(text) == Reference("loans", selector)


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "@1", "Loans", "../x", "a/b", "a..b", "a b", "a\x00", "ção", "a" * 64, "loans@", "loans@../x",
        "loans@sha256:xyz", "loans@sha256:0", "loans@2026-02-30", "loans@-1", "loans@1e3", "loans@a@b", "l\n", "1a",
        "loans@１７", "loans@2026-13-01", ".hidden", "-x", "loans@9999999999999999999",
    ],
)  # fmt: skip
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(NameRefused):
        Reference.parse(text)


@given(st.text(max_size=80))
def test_a_name_that_passes_stays_inside_its_folder(text):
    try:
        name = check_name(text)
    except NameRefused:
        return

    assert "/" not in name and ".." not in name and "\x00" not in name
    assert name == text and len(name) <= 63 and name.isascii()


@given(st.one_of(st.integers(0, 10**17).map(Number), st.just(Latest()), st.just(Tag("v1.0-final"))))
def test_what_is_printed_is_read_again(selector):
    reference = Reference("loans", selector)

    assert Reference.parse(str(reference)) == reference

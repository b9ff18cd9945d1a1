"""The Link header: whatever form RFC 8288 allows, the next page is found, and nothing else is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.source.fetch.links import next_target

FORMS = [
    '</n>; rel="next"',
    '</n>; rel="NEXT"',
    "</n>; rel=next",
    '</n>;rel="next"',
    '</n>; Rel="next"',
    '</n> ; rel = "next"',
    '</n>; rel="next last"',
    '</n>; rel="last\tNext"',
    '</n>; flag; rel="next"',
    '</n>; title="a \\"b\\", <c>; rel=prev"; rel="next"',
    '</p>; rel="prev", </n>; rel="next"',
    '</p>; rel="prev",, </n>; rel="next", </m>; rel="next"',
    ' , </n>; rel="ne\\xt"',
    '</n>; rel="next"; rel="prev"',
]


@pytest.mark.parametrize("header", FORMS)
def test_the_next_page_is_found_in_every_form(header):
    assert next_target(header) == "/n"


def test_what_stands_in_a_target_ends_no_target():
    assert next_target('</s?b=c;d,e>; rel="next"') == "/s?b=c;d,e"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "</n>",
        '</n>; rel="prev"',
        '</n>; rel="prev"; rel="next"',
        '</n>; rev="next"',
        "next",
        '<n; rel="next"',
        '</n>; rel="nextpage"',
    ],
)
def test_nothing_else_is_taken_for_it(header):
    assert next_target(header) is None


@given(st.text(alphabet='<>;,="\\ \trelnxt/', max_size=80))
def test_any_header_is_read(header):
    target = next_target(header)

    assert target is None or target in header


def test_a_long_header_is_read_at_once():
    assert next_target('</n>; a="' + '\\"' * 100_000 + '; rel="next"') is None
    assert next_target("<a>;" * 100_000 + 'rel="next"') == "a"

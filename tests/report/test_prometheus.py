"""The text is what a Prometheus server parses."""

import re

from hypothesis import given
from hypothesis import strategies as st

from lastro.report.prometheus import Family, Sample, exposition

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"\})? (\S+)')


def test_a_family_has_help_type_and_samples():
    family = Family("lastro_rows", "Rows.", (Sample(3, {"dataset": "loans"}), Sample(2.5, {"dataset": "b"})))

    assert exposition([family]) == (
        "# HELP lastro_rows Rows.\n# TYPE lastro_rows gauge\n"
        'lastro_rows{dataset="loans"} 3\nlastro_rows{dataset="b"} 2.5\n'
    )


def test_a_family_without_a_sample_is_left_out():
    assert exposition([Family("lastro_rows", "Rows.", ())]) == ""


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_a_label_holds_can_be_read_back(text, value):
    lines = exposition([Family("lastro_x", "X.", (Sample(value, {"dataset": text}),))]).split("\n")
    found = SAMPLE.fullmatch(lines[2])

    assert found
    unescaped = re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), found[3])
    assert unescaped == text
    assert float(found[4]) == value

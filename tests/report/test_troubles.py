"""The last line: what is wrong stands first."""

from lastro.report.troubles import leading


def test_a_sentence_without_troubles_stands_alone():
    assert leading("all well", aside={}) == "all well"


def test_troubles_stand_first_the_worst_before_the_others():
    told = leading("12 datasets", failed=["a", "b", "c", "d", "e"], late=["f"], stale=["g"], aside={"h": 1, "i": 1_233})

    assert told == "failed: a, b, c and 2 more; late: f; stale: g; 1,234 rows set aside: h, i (12 datasets)"

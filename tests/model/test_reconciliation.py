"""Two sides that agree hold; whatever differs is named."""

from lastro.model.reconciliation import ColumnTotals, Difference, Reconciliation, Totals

SIDE = Totals(3, {"id": ColumnTotals(0, "6"), "rate": ColumnTotals(1, "0.3", approximate=True)}, "ab12")


def test_equal_sides_hold():
    both = Reconciliation(SIDE, SIDE)

    assert both.holds
    assert both.to_dict()["source"] == {
        "rows": 3,
        "columns": {"id": {"nulls": 0, "sum": "6"}, "rate": {"nulls": 1, "sum": "0.3"}},
        "row_hash": "ab12",
    }


def test_every_difference_is_named():
    arrived = Totals(2, {"id": ColumnTotals(1, "5"), "rate": ColumnTotals(1, "0.31", approximate=True)}, "ab13")

    assert Reconciliation(SIDE, arrived).differences() == (
        Difference("rows", "", "3", "2"),
        Difference("nulls", "id", "0", "1"),
        Difference("sum", "id", "6", "5"),
        Difference("sum", "rate", "0.3", "0.31"),
        Difference("row_hash", "", "ab12", "ab13"),
    )


def test_sums_of_floats_may_differ_in_the_last_digits_only():
    near = Totals(3, {**SIDE.columns, "rate": ColumnTotals(1, "0.30000000000000004", approximate=True)}, "ab12")

    assert Reconciliation(SIDE, near).holds


def test_exact_sums_must_be_equal():
    one = Totals(1, {"amount": ColumnTotals(0, "10000000000.00")})
    other = Totals(1, {"amount": ColumnTotals(0, "10000000000.01")})

    assert not Reconciliation(one, other).holds


def test_a_column_that_one_side_lacks_is_a_difference():
    less = Totals(3, {"id": ColumnTotals(0, "6")})

    assert Reconciliation(SIDE, less).differences() == (Difference("column", "rate", "present", "absent"),)


def test_what_was_not_counted_is_not_compared():
    uncounted = Totals(3, {"id": ColumnTotals(0), "rate": ColumnTotals(1)})

    assert Reconciliation(SIDE, uncounted).holds

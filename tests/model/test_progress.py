"""Progress: shares, what is left, and batches one after another."""

import pytest

from lastro.model.progress import Progress


@pytest.mark.parametrize(
    ("progress", "share"),
    [
        (Progress(10, 500), None),
        (Progress(0, rows_expected=10), 0.0),
        (Progress(4, rows_expected=10), 0.4),
        (Progress(4, 25, bytes_expected=100), 0.25),
        (Progress(4, 25, rows_expected=8, bytes_expected=100), 0.5),
        (Progress(11, rows_expected=10), 1.0),  # an estimate that was too low
        (Progress(1, 101, bytes_expected=100), 1.0),
    ],
)
def test_the_share_is_of_rows_else_of_bytes_and_at_most_the_whole(progress, share):
    assert progress.share == share


def test_what_is_left_goes_on_as_before():
    assert Progress(25, rows_expected=100).left(10.0) == 30.0
    assert Progress(100, rows_expected=100).left(10.0) == 0.0


@pytest.mark.parametrize("progress", [Progress(25), Progress(0, rows_expected=100)])
def test_nobody_knows_what_is_left_of_the_unknown_or_before_the_first_row(progress):
    assert progress.left(10.0) is None


def test_a_batch_after_another_counts_both():
    later = Progress(5, 50, rows_expected=10, bytes_expected=100)

    assert later.after(Progress(20, 200)) == Progress(25, 250, 30, 300)
    assert Progress(5, 50).after(Progress(20, 200)) == Progress(25, 250)

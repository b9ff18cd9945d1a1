"""How a dataset stands: fresh or late, by the contract's word; and what is not known is never passed."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.workspace.lake import BAD, CONTRACT, GOOD

import lastro
from lastro.model.status import Freshness
from lastro.workspace.monitoring import metrics

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def contract(*levels):
    return CONTRACT + "slaProperties:\n" + "".join(f"  - {level}\n" for level in levels)


def standing(lake, *levels, text=GOOD, now=NOW, mode="overwrite"):
    lake.csv.write_text(text)
    lake.configure(mode=mode, contract=contract(*levels) if levels else CONTRACT)
    lake.workspace.clock = lambda: now
    lake.loans.ingest()
    (found,) = lake.workspace.status("loans")
    return found


def test_a_dataset_without_a_promise_owes_nothing(lake):
    found = standing(lake)

    assert found.freshness is Freshness.UNPROMISED
    assert (found.version, found.rows, found.quarantined, found.age) == (0, 3, 0, timedelta(0))


def test_the_newest_value_of_the_column_counts(lake):
    """The newest date is 3 January, whose last moment is 36 hours and a bit before noon on the 5th."""
    fresh = standing(lake, "{property: latency, value: 2, unit: d, element: loans.applied_at}")

    assert (fresh.freshness, fresh.late_by) == (Freshness.FRESH, None)


def test_late_by_how_much(lake):
    late = standing(lake, "{property: latency, value: 1, unit: d, element: applied_at}")

    assert late.freshness is Freshness.LATE
    assert late.late_by is not None
    assert timedelta(hours=12) <= late.late_by < timedelta(hours=12, seconds=1)
    assert not late.passed


@pytest.mark.parametrize(("hour", "is_future"), [(0, False), (12, False), (23, False), (-1, True)])
def test_a_date_of_today_is_not_of_the_future(lake, hour, is_future):
    """The newest date is 3 January."""
    now = datetime(2026, 1, 3, tzinfo=UTC) + timedelta(hours=hour)

    found = standing(lake, "{property: latency, value: 1, unit: d, element: applied_at}", now=now)

    assert found.freshness is Freshness.FRESH
    assert bool(found.notes) is is_future


def test_the_worst_broken_promise_is_told(lake):
    late = standing(
        lake,
        "{property: latency, value: 1, unit: h, element: applied_at}",
        "{property: latency, value: 1, unit: d, element: applied_at}",
    )

    assert late.promised == timedelta(hours=1)


def test_frequency_is_about_versions(lake):
    standing(lake, "{property: frequency, value: 1, unit: d}")
    lake.workspace.clock = lambda: NOW + timedelta(hours=25)
    (late,) = lake.workspace.status()

    assert (late.freshness, late.late_by) == (Freshness.LATE, timedelta(hours=1))


def test_a_dataset_that_never_was_ingested_is_empty(lake):
    lake.configure(contract=contract("{property: frequency, value: 1, unit: d}"))

    assert [found.freshness for found in lake.workspace.status()] == [Freshness.EMPTY]


@pytest.mark.parametrize(
    "level",
    [
        "{property: latency, value: 1, unit: fortnight}",
        "{property: latency, value: soon, unit: d}",
        "{property: latency, value: -1, unit: d}",
        "{property: latency, value: 1, unit: d, element: loans.no_such}",
        "{property: latency, value: 1, unit: d, element: loans.uf}",
    ],
)
def test_what_cannot_be_judged_is_said_and_never_passed(lake, level):
    found = standing(lake, level)

    assert found.freshness is Freshness.UNKNOWN
    assert found.notes


def test_a_withheld_column_cannot_be_judged(lake):
    lake.csv.write_text(GOOD)
    closed = contract("{property: latency, value: 1, unit: d, element: applied_at}").replace(
        "name: applied_at\n        logicalType: date",
        "name: applied_at\n        logicalType: date\n        classification: restricted",
    )
    lake.configure(contract=closed)
    lake.loans.ingest()
    (found,) = lake.workspace.status()

    assert found.freshness is Freshness.UNKNOWN


def test_another_tables_promise_is_not_ours(lake):
    found = standing(lake, "{property: latency, value: 1, unit: h, element: payments.paid_at}")

    assert found.freshness is Freshness.UNPROMISED


def test_the_newest_value_of_all_batches_counts(lake):
    standing(lake, "{property: latency, value: 2, unit: d, element: applied_at}", mode="append")
    (lake.root / "loans2.csv").write_text(GOOD.splitlines()[0] + "\n9,SP,1,2025-01-01\n")
    lake.loans.ingest()
    (found,) = lake.workspace.status()

    assert (found.version, found.freshness) == (1, Freshness.FRESH)


def test_open_rows_are_counted(lake):
    assert standing(lake, text=BAD).quarantined == 5


def test_a_broken_contract_is_a_note(lake):
    standing(lake)
    (lake.root / "contracts" / "loans.odcs.yaml").write_text("kind: nothing\n")
    (found,) = lastro.open(lake.root).status()

    assert found.freshness is Freshness.UNKNOWN
    assert found.notes


def test_moments_of_the_future_are_told(lake):
    found = standing(
        lake, "{property: latency, value: 1, unit: d, element: applied_at}", now=datetime(2026, 1, 1, tzinfo=UTC)
    )

    assert "future" in found.notes[0]


def test_metrics_leave_out_what_is_not_known(lake):
    lake.configure()
    told = {family.name: family.samples for family in metrics.families(lake.workspace.status())}

    assert told["lastro_dataset_rows"] == ()
    assert [sample.value for sample in told["lastro_dataset_late"]] == [0]


def test_metrics_of_a_late_dataset(lake):
    late = standing(lake, "{property: latency, value: 1, unit: d, element: applied_at}", text=BAD)
    told = {family.name: family.samples for family in metrics.families([late])}
    values = {name: samples[0].value for name, samples in told.items() if samples}

    assert values["lastro_dataset_rows"] == 3
    assert values["lastro_dataset_quarantined_rows"] == 5
    assert values["lastro_dataset_late"] == 1
    assert values["lastro_dataset_promised_seconds"] == 86_400

"""A version's profile is that of its rows, whichever way the version came about, and costs the new rows only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from tests.workspace.lake import CONTRACT, GOOD, HEADER, Lake

from lastro.engine.duck.engine import DuckEngine
from lastro.model.profile import Profile
from lastro.pipeline import profiling

MORE = HEADER + "".join(f"{number},SP,{number * 10},2026-03-01\n" for number in range(10, 40))


def stored(lake: Lake, selector: str = "latest") -> Profile:
    info = lake.loans.find(selector)
    found = lake.loans.table.profile(info)
    assert found is not None
    return found


def recounted(lake: Lake, selector: str = "latest") -> Profile:
    """The version's profile, counted anew over all its rows under the frame that is kept."""
    info, table = lake.loans.find(selector), lake.loans.table
    return DuckEngine().profile(table.paths(info), info.schema, frame=stored(lake, selector).frame)


def counts_of(profile: Profile) -> dict[str, Any]:
    """The profile without sums, whose last digits depend on the order, and extremes, which may be bounds."""
    plain = {"total": 0.0, "squares": 0.0, "minimum": None, "maximum": None}
    columns = {
        name: replace(column, numbers=column.numbers and replace(column.numbers, **plain))
        for name, column in profile.columns.items()
    }
    assert profile.together is not None
    return {**columns, "together": profile.together}


@pytest.mark.parametrize("mode", ["append", "overwrite", "upsert", "snapshot"])
def test_the_profile_is_that_of_the_versions_rows(lake: Lake, mode: str) -> None:
    lake.configure(mode=mode)
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    (lake.root / "loans-2.csv").write_text(MORE)
    lake.loans.ingest()
    (lake.root / "loans-3.csv").write_text(HEADER + "12,RJ,5,2026-03-02\n50,RJ,6,2026-03-02\n" * (mode != "append"))
    lake.loans.ingest()

    for info in lake.loans.log():
        assert stored(lake, str(info.number)).rows == info.rows
        assert counts_of(stored(lake, str(info.number))) == counts_of(recounted(lake, str(info.number)))


def test_a_frame_is_kept_from_version_to_version(lake: Lake, monkeypatch) -> None:
    monkeypatch.setattr(profiling, "FEW", 2)
    lake.configure(mode="append")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    (lake.root / "loans-2.csv").write_text(MORE)
    lake.loans.ingest()

    assert stored(lake, "1").frame == stored(lake, "0").frame


def test_a_table_whose_profile_is_of_an_older_lastro_is_counted_anew_under_its_frame(lake: Lake) -> None:
    lake.configure(mode="append")
    lake.csv.write_text(MORE)
    lake.loans.ingest()
    whole = stored(lake)
    columns = {name: replace(each, distinct=None, shapes=None) for name, each in whole.columns.items()}
    older = replace(whole, together=None, columns=columns)
    with lake.loans.table.lock() as writer:
        writer.keep_profile(lake.loans.find("latest"), older)
    (lake.root / "loans-2.csv").write_text(GOOD)

    lake.loans.ingest()

    assert stored(lake, "0") == older
    assert stored(lake, "1").frame == older.frame
    assert counts_of(stored(lake, "1")) == counts_of(recounted(lake, "1"))


def test_an_append_counts_only_its_own_rows(lake: Lake, monkeypatch) -> None:
    lake.configure(mode="append")
    lake.csv.write_text(MORE)
    lake.loans.ingest()
    read: list[int] = []
    counting = DuckEngine.profile

    def noted(engine, files, schema, **options):
        read.extend(path.stat().st_size for path in files)
        return counting(engine, files, schema, **options)

    monkeypatch.setattr(DuckEngine, "profile", noted)
    (lake.root / "loans-2.csv").write_text(GOOD)
    lake.loans.ingest()

    new = set(lake.loans.find("1").files) - set(lake.loans.find("0").files)
    assert read == [entry.size for entry in new]


def test_a_frame_of_few_rows_is_made_anew_for_many(lake: Lake) -> None:
    lake.configure(mode="append")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    (lake.root / "loans-2.csv").write_text(MORE)
    lake.loans.ingest()
    (lake.root / "loans-3.csv").write_text(HEADER + "99,SP,7,2026-03-01\n")
    lake.loans.ingest()

    frames = [stored(lake, str(number)).frame["id"] for number in range(3)]

    assert frames[0].made_of == 3
    assert frames[2].made_of == 34


@pytest.mark.parametrize("income", [float("inf"), -float("inf"), float("nan"), 1.7976931348623157e308])
def test_numbers_at_the_end_of_all_numbers_are_taken_in_and_counted(lake: Lake, income: float) -> None:
    lake.configure(contract=CONTRACT.replace("        logicalTypeOptions: {minimum: 0}\n", ""))
    days = pa.array([None] * 3, pa.date32())

    lake.loans.ingest(data=pa.table({"id": [1, 2, 3], "uf": ["SP"] * 3, "income": [income] * 3, "applied_at": days}))

    assert lake.loans.find("latest").rows == 3
    assert stored(lake).columns["income"].nulls == 0


def test_a_column_that_gets_its_first_values_gets_a_frame(lake: Lake) -> None:
    lake.configure(mode="append")
    lake.csv.write_text(HEADER + "1,SP,,2026-01-01\n")
    lake.loans.ingest()
    (lake.root / "loans-2.csv").write_text(HEADER + "2,SP,10,2026-01-01\n")
    lake.loans.ingest()

    assert stored(lake, "0").columns["income"].numbers is None
    found = stored(lake, "1").columns["income"].numbers
    assert found is not None
    assert found.counted == 1


def test_withheld_columns_are_counted_as_missing_only_and_a_policy_that_changes_is_obeyed(lake: Lake) -> None:
    lake.csv.write_text(MORE)
    lake.loans.ingest()
    open_, closed = CONTRACT, CONTRACT.replace("- name: uf\n", "- name: uf\n        classification: restricted\n")
    assert stored(lake).columns["uf"].values is not None

    lake.configure(contract=closed)
    shown = lake.loans.profile()
    (lake.root / "loans-2.csv").write_text(GOOD)
    lake.loans.ingest()

    assert shown.counts.columns["uf"].withheld
    assert shown.counts.columns["uf"].values is None
    assert "SP" not in repr(shown.to_dict())
    assert stored(lake, "1").columns["uf"].values is None
    lake.configure(contract=open_)
    assert lake.loans.profile().counts.columns["uf"].values is not None


def test_a_profile_that_is_gone_is_made_again_and_kept(lake: Lake) -> None:
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    before = stored(lake)
    lake.loans.table.places.profile(0).unlink()

    found = lake.loans.profile()

    assert found.counts == before
    assert stored(lake) == before


def test_a_restored_version_has_a_profile(lake: Lake) -> None:
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.write_text(MORE)
    lake.loans.ingest()
    lake.loans.restore("0")

    assert lake.loans.profile().counts.rows == 3
    assert counts_of(stored(lake)) == counts_of(recounted(lake))

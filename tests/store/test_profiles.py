"""Profiles on disk: what is written is read, what is damaged is found and removed, and no other version's passes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tests.model.test_profile import ROWS, counted
from tests.store.making import Clock, append

from lastro.model.distinct import Distinct
from lastro.model.errors import Corrupted
from lastro.model.profile import ValueCounts
from lastro.model.profile_record import profile_of, record_of
from lastro.store import profiles
from lastro.store.check import Kind, verify
from lastro.store.repair import repair
from lastro.store.table import Table

PROFILE = counted([(1.5, "SP"), (None, "AC"), (float("inf"), None)])


@pytest.fixture
def table(tmp_path: Path) -> Table:
    made = Table(tmp_path, "loans", clock=Clock())
    append(made, [(1, 1)], "first")
    append(made, [(2, 2)], "second")
    return made


def keep(table: Table, number: int) -> Path:
    with table.lock() as writer:
        writer.keep_profile(table.version(number), PROFILE)
    return table.places.profile(number)


@given(ROWS)
def test_a_profile_is_read_back_as_it_was(rows: list[tuple[float | None, str | None]]) -> None:
    profile = counted(rows)

    assert profile_of(json.loads(json.dumps(record_of(profile)))) == profile
    assert profiles.decode(profiles.encode(profile, "sha256:1"), "sha256:1") == profile


def test_the_format_of_version_1_is_read() -> None:
    record = {
        "lastro": 1,
        "rows": 3,
        "bounds_exact": False,
        "columns": {
            "amount": {
                "type": "double",
                "nulls": 1,
                "made_of": 2,
                "numbers": {
                    "edges": [1, 2.5],
                    "centre": 1,
                    "bins": [1, 0, 1],
                    "sums": [0.5, None],
                    "single": True,
                    "bounds": ["1.0", "inf"],
                    "infinite": 1,
                },
            },
            "uf": {
                "type": "string",
                "nulls": 0,
                "values": {"values": ["SP"], "times": [2], "complete": False, "others": 1},
            },
            "cpf": {"type": "string", "nulls": 2, "withheld": True},
        },
    }

    profile = profile_of(record)

    assert record_of(profile) == {**record, "lastro": 2}
    assert profile.together is None
    assert profile.columns["cpf"].withheld
    assert not profile.bounds_exact


def form_2() -> dict[str, Any]:
    """A record with every member that form 2 added: `a` misses nothing, `b` half, `c` no row that `b` has."""
    return {
        "lastro": 2,
        "rows": 4,
        "columns": {
            "code": {
                "type": "string",
                "nulls": 0,
                "made_of": 4,
                "every": 16,
                "shapes": {"shapes": ["999-9", "A"], "times": [3, 0], "others": 1},
                "distinct": {"level": 3, "steps": [5, 2, 90], "times": [1, 2, 1]},
            },
            "other": {"type": "string", "nulls": 0, "distinct": {"steps": [7]}},
        },
        "together": {
            "columns": ["code", "b", "c"],
            "absent": [1, 2],
            "missing": [2, 1, 3],
            "levels": {
                "columns": ["a", "b"],
                "own": [[4, 2], [6, 3], [14, 5]],
                "given": {"1": [[2, 2], [5, 3], [13, 5]]},
                "products": [8],
            },
        },
    }


def test_the_format_of_version_2_is_read() -> None:
    profile = profile_of(form_2())

    code, together = profile.columns["code"], profile.together
    assert record_of(profile) == form_2()
    assert code.distinct == Distinct(3, (5, 7, 97), (1, 2, 1))
    assert (code.frame.shapes, code.frame.every, code.shapes) == (("999-9", "A"), 16, ValueCounts((3, 0), 1))
    assert together is not None
    assert list(together.missing_pairs()) == [("b", "c", 1)]
    assert together.levels.rows == ((4, 2), (2, 2))
    assert together.levels.sums == ((6, 5), (3, 3))
    assert together.levels.squares == ((14, 13), (5, 5))
    assert together.levels.products == ((14, 8), (8, 5))


@pytest.mark.parametrize(
    "damage",
    [
        lambda found: found["columns"]["code"]["shapes"]["times"].append(1),
        lambda found: found["columns"]["code"]["distinct"]["times"].append(1),
        lambda found: found["columns"]["code"]["distinct"].update(steps=[0.5, 1, 2]),
        lambda found: found["columns"]["code"]["distinct"].update(level=25),
        lambda found: found["columns"]["other"]["distinct"].update(steps=[1] * 129),
        lambda found: found["together"]["missing"].append(1),
        lambda found: found["together"].pop("columns"),
        lambda found: found["together"]["levels"]["own"].pop(),
        lambda found: found["together"]["levels"]["products"].append(1),
        lambda found: found["together"]["levels"].update(given={"1": [[1], [1], [1]]}),
        lambda found: found["together"]["levels"].update(given=[]),
    ],
)
def test_what_is_no_record_of_version_2_is_refused(damage) -> None:
    record = form_2()
    damage(record)

    with pytest.raises(ValueError, match=r".+"):
        profile_of(record)


def test_a_table_keeps_profiles_of_versions(table: Table) -> None:
    keep(table, 1)

    assert table.profile(table.version(1)) == PROFILE
    assert table.profile(table.version(0)) is None
    assert verify(table, read_data=True) == ()


@pytest.mark.parametrize(
    "damage",
    [
        lambda found: b"",
        lambda found: found[:-3],
        lambda found: found + b"x",
        lambda found: found + found,
        lambda found: gzip.compress(gzip.decompress(found).replace(b'"rows":3', b'"rows":4')),
        lambda found: gzip.compress(b'{"digest": "", "profile": []}'),
        lambda found: gzip.compress(b"[" * 100_000),
        lambda found: gzip.compress(b'{"profile": {"version": 1}}'),
    ],
)
def test_damage_is_told_located_and_removed(table: Table, damage) -> None:
    path = keep(table, 1)
    found = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(damage(found))

    with pytest.raises(Corrupted, match="profile"):
        table.profile(table.version(1))
    (told,) = verify(table)
    (mended,) = repair(table, apply=True)

    assert (told.kind, told.path, told.repairable) == (Kind.PROFILE, "_lastro/profiles/1.json.gz", True)
    assert mended.kind is Kind.PROFILE
    assert table.profile(table.version(1)) is None
    assert verify(table) == ()


def test_the_profile_of_another_version_does_not_pass(table: Table) -> None:
    path = keep(table, 1)
    path.rename(table.places.profile(0))

    with pytest.raises(Corrupted):
        table.profile(table.version(0))


@pytest.mark.parametrize(
    "record", [{}, {"lastro": 3, "rows": 0, "columns": {}}, {"lastro": 1, "rows": 0, "columns": []}]
)
def test_what_is_no_profile_is_refused(record) -> None:
    with pytest.raises(ValueError, match="profile"):
        profile_of(record)


def test_a_profile_whose_bins_do_not_fit_its_edges_is_refused() -> None:
    record = record_of(PROFILE)
    record["columns"]["amount"]["numbers"]["bins"].append(0)

    with pytest.raises(ValueError, match="bins"):
        profile_of(record)

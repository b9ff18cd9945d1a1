"""Random sources against a small model of the four policies; hostile names in every form."""

from __future__ import annotations

import tempfile
from decimal import Decimal as Number
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pipeline.changing import CONTRACT, FORMS, Changing

from lastro.contract import load
from lastro.model.errors import LimitExceeded, SchemaChanged, SourceBroken

TEXTS = st.text("abcxyz ", min_size=1, max_size=4).filter(str.strip)
WHOLE = st.integers(-(2**31), 2**31 - 1) | st.integers(-(10**30), 10**30)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"n": st.none() | WHOLE},
        optional={"a": st.none() | st.integers(-(2**50), 2**50), "b": st.none() | TEXTS},
    ),
    min_size=1,
    max_size=5,
)
HEAD = CONTRACT[: CONTRACT.index("      - name: uf")].replace("        physicalType: int   # fits for now\n", "")
SMALL = HEAD + "      - name: n\n        logicalType: integer\n        physicalType: int\n"
INT = range(-(2**31), 2**31)


def numbered(batches):
    """The batches with keys of their own."""
    number = iter(range(10_000))
    return [[{"id": next(number), **row} for row in batch] for batch in batches]


def fits(row):
    return row["n"] is None or row["n"] in INT


def same(stored, brought):
    if brought is None or stored is None:
        return stored is brought
    return stored == brought if isinstance(brought, str) else Number(stored) == Number(brought)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches=st.lists(ROWS, min_size=1, max_size=3), policy=st.sampled_from(["evolve", "freeze", "quarantine", None]))
def test_every_row_is_kept_set_aside_or_refused_as_the_policy_says(batches, policy):
    with tempfile.TemporaryDirectory() as folder:
        made = Changing(Path(folder) / "lake", "jsonl", policy=policy)
        made.configure(policy, contract=SMALL)
        kept, aside, columns = [], 0, set()
        for batch in numbered(batches):
            new = {name for row in batch for name in row if name in "ab"}
            if policy == "freeze" and (new or not all(map(fits, batch))):
                with pytest.raises(SchemaChanged):
                    made.ingest(*batch)
                (made.root / f"in-{made.number:03d}.jsonl").unlink()
                continue
            made.ingest(*batch)
            stays = [row for row in batch if policy == "evolve" or is_kept(row, policy)]
            kept += stays
            aside += len(batch) - len(stays)
            columns |= {name for row in batch for name in "ab" if row.get(name) is not None}

        check(made, kept, aside, columns if policy == "evolve" else set())


def is_kept(row, policy):
    held = any(row.get(name) is not None for name in "ab")
    return fits(row) and not (policy == "quarantine" and held)


def check(made, kept, aside, columns):
    """The table holds these rows, each value as it was brought; its contract is what the commits say."""
    if not made.loans.log():
        assert kept == []
        return
    stored = {row["id"]: row for row in made.rows()}
    assert set(stored) == {row["id"] for row in kept}
    assert set(made.types()) == {"id", "n"} | columns
    for row in kept:
        assert all(same(stored[row["id"]][name], row.get(name)) for name in {"n"} | columns)
    assert len(made.loans.quarantine().rows()) == aside
    assert load(made.contract_file).digest == made.loans.log()[0].origin.contract_digest


HOSTILE = (
    'quo"te',
    "apos'trophe",
    "dot.ted",
    "back`tick",
    "sla/sh~tilde",
    "ünï côdé",
    "id\N{ZERO WIDTH SPACE}",
    "\N{CYRILLIC SMALL LETTER A}mount",
    "select",
    "_lastro_line_",
    "schema_change",
    "x" * 300,
    "semi;colon, comma",
    "$dollar {brace}",
    "yes",
    "1",
    "né: #x",
)


@pytest.mark.parametrize("form", FORMS)
def test_hostile_names_are_followed_under_safe_names_of_their_own(tmp_path, form):
    made = Changing(tmp_path / "lake", form, policy="evolve")
    row = {"id": 1, "uf": "sp", "amount": "1.00", "day": "2026-01-01"}
    types = {"amount": None, "day": None}

    made.ingest({**row, **{name: f"v{index}" for index, name in enumerate(HOSTILE)}}, types=types)
    again = made.ingest({**row, "id": 2, **dict.fromkeys(HOSTILE, "w")}, types=types)

    contract = load(made.contract_file)
    columns = {column.source: column.name for column in contract.plan().columns}
    rows = made.rows()
    assert [rows[0][columns[name]] for name in HOSTILE] == [f"v{index}" for index in range(len(HOSTILE))]
    assert not again.arrived
    assert len({name.casefold() for name in made.types()}) == 4 + len(HOSTILE)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("names", [("Code", "code"), ("ID",)])
def test_names_that_differ_in_case_only_are_refused_rather_than_mixed_up(tmp_path, form, names):
    made = Changing(tmp_path / "lake", form, policy="evolve")
    row = {"id": 1, "uf": "sp", "amount": "1.00", "day": "2026-01-01"}

    with pytest.raises(SourceBroken, match=r"letter case|same name|alike"):
        made.ingest({**row, **dict.fromkeys(names, "a")}, types={"amount": None, "day": None})

    assert made.loans.log() == ()
    assert made.contract_file.read_text() == CONTRACT


@pytest.mark.parametrize("form", FORMS)
def test_a_source_with_two_thousand_new_columns_is_refused_as_a_whole(tmp_path, form):
    made = Changing(tmp_path / "lake", form, policy="evolve")
    row = {"id": 1, "uf": "sp", "amount": "1.00", "day": "2026-01-01"}
    wide = {f"c{index}": "x" for index in range(1_997)}

    with pytest.raises((SchemaChanged, LimitExceeded), match="columns"):
        made.ingest({**row, **wide}, types={"amount": None, "day": None})

    assert made.loans.log() == ()
    assert made.contract_file.read_text() == CONTRACT


def test_many_new_columns_are_followed_at_once(tmp_path):
    made = Changing(tmp_path / "lake", "jsonl", policy="evolve")

    made.ingest(*({"id": number, "uf": "sp", f"c{number}": number} for number in range(400)))

    assert len(made.types()) == 404
    assert made.rows()[399]["c399"] == 399

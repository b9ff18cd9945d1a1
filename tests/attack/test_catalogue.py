"""A catalogue that fails after the tables have changed: the error says what was done."""

from __future__ import annotations

import pytest
from tests.workspace.lake import GOOD, HEADER

import lastro
from lastro.model.errors import Corrupted


def test_an_error_of_the_catalogue_says_that_the_version_is_committed(lake):
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.write_text(HEADER + "9,SP,1,2026-01-09\n")
    lake.workspace = lastro.open(lake.root)
    for file in (lake.root / ".lastro").glob("catalog.sqlite*"):
        file.write_bytes(b"no database" * 500)

    with pytest.raises(Corrupted) as ingested:
        lake.loans.ingest()
    with pytest.raises(Corrupted) as tagged:
        lake.loans.tag("best")

    assert "loans@1 is committed" in ingested.value.state
    assert "loans@1 has the tag best" in tagged.value.state
    assert (lake.ids(), dict(lake.loans.tags())) == ([9], {"best": 1})

"""What is expected without labels lies within NannyML's own confidence band, chunk by chunk.

`nannyml.json` holds NannyML's numbers and says how it was made; `python -m bench.performance_oracle` makes all anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bench.performance_oracle import apart, of_counted, of_made

from lastro.drift.metrics import CLASSIFICATION, REGRESSION


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "nannyml.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["car_loan", "cards"])
def test_cbpe_is_within_nannymls_band(theirs: dict[str, Any], name: str) -> None:
    found = apart(of_counted(theirs[name]), theirs[name]["nannyml"])

    assert set(found) == set(CLASSIFICATION)
    assert max(found.values()) <= 0.2, found  # 1 is the band's end


def test_dle_is_within_nannymls_band(theirs: dict[str, Any]) -> None:
    found = apart(of_made(), theirs["made"]["nannyml"])

    assert set(found) == set(REGRESSION)
    assert max(found.values()) <= 0.5, found

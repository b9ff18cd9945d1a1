"""What a comparison is called in words."""

from __future__ import annotations

import pytest

from lastro.drift.result import Verdict
from lastro.drift.words import of_table


@pytest.mark.parametrize(
    ("columns", "told"), [(1, "1 of 1 column drifted"), (2, "1 of 2 columns drifted"), (10, "1 of 10 columns drifted")]
)
def test_one_column_is_told_as_one(columns: int, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "en")

    assert of_table(Verdict.DRIFTED, columns, 1) == told

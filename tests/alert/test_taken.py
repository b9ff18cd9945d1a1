"""How far looks were taken in: what is no such record is as if there were none."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastro.alert.taken import Taken, read


@pytest.mark.parametrize(
    "text",
    ["", "[" * 100_000, "null", '{"lastro_taken": 1, "at": [1e999, 0, null], "monitors": {}}', '{"lastro_taken": 1}'],
)
def test_what_is_no_record_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "taken.json").write_text(text)

    assert read(tmp_path / "taken.json") == Taken()

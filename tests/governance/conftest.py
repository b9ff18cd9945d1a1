"""Whoever tests reads for the purpose that the contracts of `people` name, in English."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "en")
    monkeypatch.setenv("LASTRO_PURPOSE", "scoring")

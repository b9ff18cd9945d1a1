"""A small workspace with one dataset."""

from __future__ import annotations

import pytest
from tests.workspace.guarded import Guarded
from tests.workspace.lake import Lake


@pytest.fixture
def lake(tmp_path):
    made = Lake(tmp_path / "lake")
    made.configure()
    return made


@pytest.fixture(scope="session")
def first_guarded(tmp_path_factory):
    return Guarded(tmp_path_factory.mktemp("guarded") / "lake")


@pytest.fixture
def guarded(first_guarded, tmp_path, monkeypatch):
    monkeypatch.setenv("LASTRO_ACTOR", "ana")
    monkeypatch.delenv("LASTRO_PURPOSE", raising=False)
    return first_guarded.copied(tmp_path / "lake")

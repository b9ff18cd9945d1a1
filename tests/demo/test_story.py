"""The story: told in both languages at a small size, and loud where it would be a lie."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

import lastro
from lastro.demo.applications import FAULTS
from lastro.demo.stage import Compared, Stage, hold_against
from lastro.demo.story import tell
from lastro.model.errors import ConfigurationError, LastroError
from lastro.model.text import _
from lastro.report.plain import Page

SIZE = 2_000


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace the story left behind, and the story."""
    folder = tmp_path_factory.mktemp("demo") / "lake"
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LASTRO_LANG", "en")
        tell(folder, out=lines.append, applications=SIZE)
    return folder, "\n".join(lines)


@pytest.mark.xdist_group("demo")
def test_the_story_shows_what_was_planted_and_found(told: tuple[Path, str]) -> None:
    _folder, text = told

    for words in (
        "loans_by_state is stale: loans",
        "CPF with wrong check digits",
        "late",
        "uf: distribution of values moved by",
        "2 of 10 columns drifted",
        "auc",
        "The same data",
        "The API still sends them: refused",
        "a verifier that needs no Lastro agrees",
        "were erased since, as certificate",
        "Done in",
    ):
        assert words in text
    assert "\x1b" not in text


@pytest.mark.xdist_group("demo")
def test_the_workspace_it_leaves_is_sound(told: tuple[Path, str]) -> None:
    folder, _text = told
    workspace = lastro.open(folder)

    assert workspace.datasets() == ("loans", "customers", "access", "loans_by_state")
    assert workspace.verify(read_data=True).passed
    assert "approved" in workspace.dataset("loans").tags()
    assert [run.name for run in workspace.runs()] == ["credit-default"] * 3
    assert workspace.dataset("loans").ingest().unchanged
    assert workspace.why("loans_by_state").words() == ("loans",)  # undoing made new versions


@pytest.mark.xdist_group("demo")
def test_whoever_was_erased_is_nowhere(told: tuple[Path, str]) -> None:
    folder, _text = told
    (certificate,) = (folder / ".lastro" / "erasures").glob("*.certificate.json")
    found = lastro.open(folder).verify_certificate(certificate).record

    assert (found["search"]["hits"], found["search"]["rows"]) == (0, 0)
    assert {each["dataset"] for each in found["tables"]} >= {"loans", "customers"}


@pytest.mark.xdist_group("demo")
def test_cleaning_tells_of_the_states_that_were_planted(told: tuple[Path, str]) -> None:
    folder, _text = told
    loans = lastro.open(folder).dataset("loans")
    refused = loans.quarantine().rows(rule="uf_known", version=0)
    written = [json.loads(row["record"])["uf"] for row in refused]
    counts = loans.log()[-1].origin.cleaning

    planted = round(FAULTS["uf_spelling"] * SIZE)
    assert counts["uf"]["changed"] == planted + written.count("Brasil")  # of nowhere, but cleaned like the others
    assert counts["uf"]["missing_before"] == counts["uf"]["missing_after"] == 0
    assert counts["cpf"]["changed"] > 0


@pytest.mark.xdist_group("demo")
def test_the_api_is_gone_when_the_story_ends(told: tuple[Path, str]) -> None:
    folder, _text = told
    address = lastro.open(folder).settings.datasets["customers"].source["url"]
    port = int(address.rpartition(":")[2].partition("/")[0])

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.xdist_group("demo")
def test_the_story_is_told_in_portuguese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "pt_BR")
    lines: list[str] = []

    tell(tmp_path / "lago", out=lines.append, applications=1_000)

    text, english = "\n".join(lines), "The same data, the same parameters, the same metrics."
    assert _(english) in text
    assert english not in text


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(ConfigurationError):
        tell(tmp_path, out=print)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    target = tmp_path / "mine.txt"
    target.write_text("mine")

    with pytest.raises(ConfigurationError):
        tell(target, out=print)


def test_a_difference_ends_the_story() -> None:
    lines: list[str] = []
    stage = Stage(lines.append, Page())

    with pytest.raises(LastroError, match="expected 3 and found 2"):
        hold_against(stage, [Compared("fault", 3, 2)])

    assert "fault" in lines[0]

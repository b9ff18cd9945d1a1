"""Templates as derived datasets: mined from versions, stable as logs grow, and no less guarded than the messages."""

from __future__ import annotations

from pathlib import Path

import pytest

import lastro
from lastro.model.status import Outcome
from lastro.transform.templates.filling import fill

FIRST = "2026-01-31 10:00:00 INFO payment 4711 failed\n2026-01-31 10:00:01 INFO login of ana from 10.0.0.1 ok\n"
LATER = "2026-01-31 10:00:02 INFO login of bruno from 10.0.0.2 ok\n2026-01-31 10:00:03 INFO payment 9 failed\n"
MESSAGES = """\
import lastro

def app_messages(app):
    return lastro.templates(app, "message").rows()
"""
COUNTS = """\
import lastro

def app_templates(app, minimum: int = 1):
    return lastro.templates(app, "message", time="time", minimum=minimum).counts()
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    workspace = lastro.init(tmp_path)
    (tmp_path / "app.log").write_text(FIRST)
    workspace.add("app.log", name="app", options={"zone": "UTC"})
    (tmp_path / "transforms").mkdir()
    (tmp_path / "transforms" / "app_messages.py").write_text(MESSAGES)
    (tmp_path / "transforms" / "app_templates.py").write_text(COUNTS)
    lastro.open(tmp_path).dataset("app").ingest()
    return tmp_path


def build(root: Path) -> dict[str, Outcome]:
    return {step.dataset: step.outcome for step in lastro.open(root).build().steps}


def rows(root: Path, reference: str) -> list[dict]:
    return lastro.open(root).version(reference).to_arrow().to_pylist()


def test_templates_are_built_like_any_dataset(logs: Path) -> None:
    first, again = build(logs), build(logs)

    assert set(first.values()) == {Outcome.MADE}
    assert set(again.values()) == {Outcome.UNCHANGED}
    counts = {row["template_id"]: row["template"] for row in rows(logs, "app_templates")}
    told = rows(logs, "app_messages")
    assert counts == {1: "payment <num> failed", 2: "login of ana from <ip> ok"}
    assert [fill(counts[row["template_id"]], row["parameters"]) for row in told] == [row["message"] for row in told]


def test_numbers_hold_as_the_log_grows(logs: Path) -> None:
    build(logs)
    with (logs / "app.log").open("a") as log:
        log.write(LATER)
    lastro.open(logs).dataset("app").ingest()

    build(logs)

    before, after = rows(logs, "app_messages@0"), rows(logs, "app_messages@1")
    assert [row["template_id"] for row in before] == [1, 2]
    assert [row["template_id"] for row in after] == [1, 2, 2, 1]
    assert [row["parameters"] for row in after] == [["4711"], ["ana", "10.0.0.1"], ["bruno", "10.0.0.2"], ["9"]]
    assert {row["template"]: row["count"] for row in rows(logs, "app_templates")} == {
        "payment <num> failed": 2,
        "login of <*> from <ip> ok": 2,
    }


def test_parts_of_withheld_messages_are_withheld(logs: Path) -> None:
    contract = logs / "contracts" / "app.odcs.yaml"
    contract.write_text(
        contract.read_text().replace("- name: message\n", "- name: message\n        classification: restricted\n")
    )
    lastro.open(logs).dataset("app").ingest(key="restricted")

    build(logs)

    workspace = lastro.open(logs)
    assert workspace.dataset("app_messages").target().withheld == {"message", "parameters"}
    assert workspace.dataset("app_templates").target().withheld == {"template"}
    logged = "".join(path.read_text() for path in (logs / "tables" / "app_templates" / "_delta_log").glob("*.json"))
    assert "payment" not in logged


def test_a_column_that_is_not_there_fails_the_step_alone(logs: Path) -> None:
    (logs / "transforms" / "app_templates.py").write_text(COUNTS.replace('"message"', '"mesage"'))

    steps = {step.dataset: step for step in lastro.open(logs).build().steps}

    assert steps["app_messages"].outcome is Outcome.MADE
    assert steps["app_templates"].outcome is Outcome.FAILED
    assert "mesage" in steps["app_templates"].what


def test_the_rows_of_a_version_are_mined_without_a_build(logs: Path) -> None:
    version = lastro.open(logs).version("app")

    found = lastro.templates(version, "message", time="time").counts()

    assert found["template"].to_pylist() == ["payment <num> failed", "login of ana from <ip> ok"]

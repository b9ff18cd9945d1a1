"""The chapters about a dataset that is made from another: built, found stale, built again, and traced to its source."""

from __future__ import annotations

from lastro.demo.stage import Stage, same
from lastro.model.status import Outcome
from lastro.model.text import _
from lastro.report.blocks import Line
from lastro.report.derived import reasons, why_verdict
from lastro.report.lineage import lineage
from lastro.report.rounds import played_verdict
from lastro.workspace.workspace import Workspace

NAME, UPSTREAM = "loans_by_state", "loans"


def derive(stage: Stage, workspace: Workspace) -> None:
    """One SELECT in a file is a dataset, with versions and a contract."""
    stage.chapter(_("A dataset made from another: one SELECT in a file"), "lastro build")
    stage.show(tuple(Line(f"  {line}") for line in _code(workspace)))
    _build(stage, workspace)


def derive_again(stage: Stage, workspace: Workspace) -> None:
    """What is stale says why, and is built; nothing else is. What it came from is recorded."""
    stage.chapter(_("What is stale, and why?"), f"lastro why {NAME}", "lastro build")
    why = workspace.why(NAME)
    stage.show(reasons((why,)))
    stage.say(why_verdict(why))
    same("stale", expected=(UPSTREAM,), found=why.words())
    _build(stage, workspace)
    stage.chapter(_("Where does it come from?"), f"lastro lineage {NAME}")
    stage.show(lineage(workspace.lineage(NAME)))


def _code(workspace: Workspace) -> list[str]:
    return (workspace.root / "transforms" / f"{NAME}.sql").read_text(encoding="utf-8").splitlines()


def _build(stage: Stage, workspace: Workspace) -> None:
    built = workspace.build()
    stage.say(played_verdict(built))
    same("built", [Outcome.MADE], [step.outcome for step in built.steps])
    counted = sum(row["applications"] for row in workspace.version(NAME).to_arrow().to_pylist())
    same("applications", workspace.version(UPSTREAM).info.rows, counted)

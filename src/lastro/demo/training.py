"""The chapters about what was made of the data: corrected rows, a trained model, undoing, and the proof at the end."""

from __future__ import annotations

import csv
import subprocess
import sys

from lastro.demo.lender import Lender
from lastro.demo.stage import Stage, same
from lastro.model.errors import LastroError
from lastro.model.text import _
from lastro.report.blocks import Code, Tone
from lastro.report.ingested import ingested_verdict
from lastro.report.numbers import number, short_digest
from lastro.workspace.training.replay import ReplayResult
from lastro.workspace.workspace import Workspace

TRAINING_S_MAX = 120


def correct(stage: Stage, workspace: Workspace, lender: Lender) -> None:
    """Somebody looks up the unknown states; the corrected rows go through the contract again."""
    stage.chapter(
        _("Rows that were set aside can be corrected"),
        "lastro quarantine loans --rule uf_known --export states.csv",
        "lastro quarantine loans --replay states.csv",
    )
    loans = workspace.dataset("loans")
    target = workspace.root / "states.csv"
    exported = loans.quarantine().export(target, rule="uf_known")
    with target.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["uf"] = lender.first.states[int(row["id"])]
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    result = loans.quarantine().replay(target)
    stage.say(_("{n} rows exported, their states looked up, and sent again.").format(n=number(exported)))
    stage.say(ingested_verdict(result))
    same("uf_known", lender.first.planted["uf_known"], exported)
    same("uf_known", 0, loans.quarantine().summary().get("uf_known", 0))


def train(stage: Stage, workspace: Workspace) -> str:
    """Tags the version, trains in a process of its own, and gives the run's id."""
    stage.chapter(_("Approve this version and train on it"), "lastro tag loans approved", "python train.py")
    info = workspace.dataset("loans").tag("approved")
    stage.say(
        _("{reference} is approved: {rows} rows, {digest}").format(
            reference=info.reference, rows=number(info.rows), digest=short_digest(info.digest)
        )
    )
    done = subprocess.run(
        [sys.executable, "train.py"],
        cwd=workspace.root,
        capture_output=True,
        text=True,
        timeout=TRAINING_S_MAX,
        check=False,
    )
    if done.returncode:
        raise LastroError(_("the training failed: {reason}").format(reason=done.stderr.strip()[-2000:]))
    stage.show((Code(done.stdout.strip()),))
    run = workspace.runs()[0]
    same("inputs", [info.digest], [read.digest for read in run.inputs])
    return run.id


def undo(stage: Stage, workspace: Workspace) -> None:
    """Goes back to the approved version and forward again; history only grows."""
    stage.chapter(_("Undo, and undo the undoing"), "lastro restore loans@approved")
    loans = workspace.dataset("loans")
    newest = loans.log()[0]
    back = loans.restore("approved")
    difference = loans.diff("approved", "latest", limit=0)
    same("restored", (0, 0, 0), (difference.added, difference.removed, difference.changed))
    again = loans.restore(str(newest.number))
    same("restored", newest.rows, again.rows)
    stage.say(
        _("{back} holds the rows of the approved version, {again} those of {newest}; nothing was lost.").format(
            back=back.reference, again=again.reference, newest=newest.reference
        )
    )


def prove(stage: Stage, workspace: Workspace, run: str) -> None:
    """Reads every byte against its digest, and trains again on the very same data."""
    stage.chapter(_("Is every byte what was committed?"), "lastro verify --read-data")
    report = workspace.verify(read_data=True)
    same("verify", expected=True, found=report.passed)
    stage.say(
        _("{versions} versions of {tables} tables are what was committed.").format(
            versions=number(report.versions), tables=number(len(report.tables))
        )
    )
    stage.chapter(_("Train again, from the very same data"), f"lastro replay {run}")
    result = replayed(stage, workspace, run)
    for pair in result.metrics:
        same(pair.name, pair.before, pair.after)
    stage.say(_("The same data, the same parameters, the same metrics."), tone=Tone.GOOD)


def replayed(stage: Stage, workspace: Workspace, run: str) -> ReplayResult:
    """Trains again, and shows the versions that were read and each metric then and now."""
    result = workspace.replay(run)
    for used in result.inputs:
        stage.say(_("  {reference}: {digest}").format(reference=used.reference, digest=used.digest))
    for pair in result.metrics:
        told = _("  {name}: {before:g} then, {after:g} now")
        stage.say(told.format(name=pair.name, before=pair.before, after=pair.after))
    return result

"""The last chapters: a person asks to be erased, and every version, the model's inputs and the proof say so."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from lastro.demo import database
from lastro.demo.lender import DATABASE, Lender
from lastro.demo.stage import Stage, same
from lastro.demo.training import replayed
from lastro.model.text import _, ngettext
from lastro.report.blocks import Column, Tone, table
from lastro.report.numbers import number
from lastro.workspace.workspace import Workspace

BASIS = "LGPD art. 18, VI"
LEDGER = "ledger-for-the-auditor"
NAMES = ("loans", "customers")
VERIFIER_S_MAX = 60


def erase(stage: Stage, workspace: Workspace, lender: Lender) -> None:
    """Somebody asks to be erased: first from the lender's own system, then from every version here."""
    stage.chapter(_("A person asks to be erased"), f'lastro erase --subject cpf=… --basis "{BASIS}"')
    person = chosen(lender)
    gone = database.forget(lender.folder / DATABASE, person)
    told = ngettext(
        "The lender's own system forgets them first: {n} application.",
        "The lender's own system forgets them first: {n} applications.",
        gone,
    )
    stage.say(told.format(n=number(gone)))
    before = _rows(workspace)
    result = workspace.erase(person, kind="cpf", basis=BASIS)
    _compare(stage, before, _rows(workspace))
    stage.say(_("The certificate is {path}, in English and in Portuguese, too.").format(path=result.certificate))
    same("hits", 0, result.hits)
    same("people", 1, result.people)
    _refused(stage, workspace)
    _proven(stage, workspace, result.certificate)


def replay(stage: Stage, workspace: Workspace, run: str) -> None:
    """The training again: the very same versions, less exactly the erased rows."""
    stage.chapter(_("Train again without them"), f"lastro replay {run}")
    for note in replayed(stage, workspace, run).notes:
        stage.say(f"  {note}")
    stage.say(_("The same versions, less exactly the erased rows, as the certificate says."), tone=Tone.GOOD)


def chosen(lender: Lender) -> str:
    """The customer with the most applications of the first month, the first of them by CPF."""
    known = {item["cpf"] for item in lender.customers.items}
    counted = Counter(row.cpf for row in lender.first.rows if row.cpf in known)
    most = max(counted.values())
    return min(str(cpf) for cpf, times in counted.items() if times == most)


def _rows(workspace: Workspace) -> dict[tuple[str, int], int]:
    """How many rows each version has."""
    return {(name, info.number): info.rows for name in NAMES for info in workspace.dataset(name).log()}


def _compare(stage: Stage, before: dict[tuple[str, int], int], after: dict[tuple[str, int], int]) -> None:
    columns = (
        Column(_("version")),
        Column(_("rows before"), right=True),
        Column(_("erased"), right=True),
        Column(_("rows now"), right=True),
    )
    rows = [
        (f"{name}@{version}", number(count), number(count - after[name, version]), number(after[name, version]))
        for (name, version), count in sorted(before.items())
    ]
    stage.show((table(columns, rows),))
    same("versions", before.keys(), after.keys())
    same("every version lost rows", expected=True, found=all(after[key] < before[key] for key in before))


def _refused(stage: Stage, workspace: Workspace) -> None:
    """The API still has the person; here, they do not come in again."""
    stage.chapter(_("They do not come back"), "lastro ingest customers")
    result = workspace.dataset("customers").ingest()
    kept = result.rows_total
    stage.say(_("The API still sends them: refused. {n} customers are kept.").format(n=number(kept)))
    same("erased", 1, result.refused.get("erased", 0))


def _proven(stage: Stage, workspace: Workspace, certificate: str) -> None:
    """Certificate, tables and ledger are held against each other; the last by a program that needs no Lastro."""
    stage.chapter(
        _("What an auditor can check"),
        f"lastro erase --verify {certificate}",
        "lastro verify --read-data",
        f"lastro ledger export {LEDGER}",
        f"python {LEDGER}/verify.py {LEDGER} --key {workspace.ledger.key}",
    )
    found = workspace.verify_certificate(workspace.root / certificate)
    report = workspace.verify(read_data=True)
    same("verify", expected=True, found=report.passed)
    folder = workspace.root / LEDGER
    events = workspace.ledger.export(folder)
    same("verifier", 0, _verifier(folder, str(workspace.ledger.key)))
    told = _(
        "The certificate of {request} is genuine, {versions} versions are what was committed less the erased rows, and "
        "a verifier that needs no Lastro agrees with {n} events of the ledger."
    )
    stage.say(told.format(request=found.id, versions=number(report.versions), n=number(events)), tone=Tone.GOOD)


def _verifier(folder: Path, key: str) -> int:
    """How the stand-alone verifier ends: 0 if nothing was changed."""
    command = [sys.executable, "-I", str(folder / "verify.py"), str(folder), "--key", key]
    return subprocess.run(command, capture_output=True, timeout=VERIFIER_S_MAX, check=False).returncode

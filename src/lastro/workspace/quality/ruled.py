"""Rules that a batch or a stored version breaks become incidents, each rule its own.

Rules:

1. An ingestion says of each rule that it judged whether its batch keeps it. One that made a version, or found nothing
   new, ends every incident of a batch's rules that it did not break: of rules that are gone, too.
2. A check of the newest version says the same of stored rows. Service levels are left to `late`. A check that could not
   be made is a trouble of its own, and says nothing of rules.
3. What is told are counts: no value, and not the number of a rule that is made of values which are withheld.
4. Incidents never fail an ingestion: what befalls them is a note.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from lastro.alert.event import Event, Kind, key_of
from lastro.alert.incident import VERSION, Change, Incidents, rule_findings
from lastro.alert.incident import Finding as Trouble
from lastro.alert.incident_file import IncidentFile
from lastro.alert.trouble import blind_of, broken_of
from lastro.model.check import Category, CheckReport
from lastro.model.errors import DataRefused, LastroError
from lastro.model.finding import Finding, Verdict
from lastro.model.text import _
from lastro.report.checks import checks_verdict, rule_sentence
from lastro.workspace.monitoring.watch import INCIDENTS

if TYPE_CHECKING:
    from lastro.pipeline.result import IngestResult
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace


def judged(dataset: Dataset, doing: Callable[[], IngestResult]) -> IngestResult:
    """What an ingestion came to, with the incidents of the rules that it broke, or breaks no longer (rules 1 and 4).

    Raises what the ingestion raises.
    """
    try:
        result = doing()
    except DataRefused as error:
        for note in _refused(dataset, error):
            error.add_note(note)  # the refusal is the one to be told; this one rides along
        raise
    notes = _recorded(dataset.workspace, dataset.name, (), kept=None, stored=False)
    return replace(result, notes=(*result.notes, *notes)) if notes else result


def looked(dataset: Dataset, result: IngestResult) -> IngestResult:
    """The result with what monitors saw that look at each ingestion; what they saw is an incident (rule 4)."""
    workspace = dataset.workspace
    if result.unchanged or not any(
        monitor.at_ingestion and monitor.dataset == dataset.name for monitor in workspace.settings.monitors.values()
    ):
        return result
    from lastro.report.looks import monitor_step
    from lastro.workspace.monitoring.looking import after_ingestion
    from lastro.workspace.monitoring.watch import take

    looks = tuple(map(monitor_step, after_ingestion(dataset)))
    try:
        notes = take(workspace)
    except LastroError as error:  # the version is there, whatever befalls the incidents
        notes = (_unrecorded(error),)
    return replace(result, looks=looks, notes=(*result.notes, *notes))


def checked(dataset: Dataset, report: CheckReport, version: int) -> tuple[str, ...]:
    """Makes incidents of what a check of all rules said of the newest version (rule 2), or of that there was none;
    gives notes.
    """
    workspace = dataset.workspace
    key = key_of(dataset.name, Kind.BLIND)
    if report.error:
        event = blind_of(
            dataset.name,
            "",
            workspace.clock(),
            what=checks_verdict([report]),
            do=f"lastro check {dataset.name}",
            code=str(report.error.get("code", "")),
        )
        return _changed(workspace, lambda _known: (Trouble(key, event),))
    findings = [each.finding for each in report.rules if each.category is not Category.SERVICE_LEVEL]
    broken = [finding for finding in findings if finding.verdict is Verdict.FAILED]
    now, do = workspace.clock(), f"lastro check {report.dataset} --failures"
    events = [
        _event(report.dataset, finding, now=now, subject=report.reference, do=do, numbers={VERSION: float(version)})
        for finding in broken
    ]
    return _changed(
        workspace,
        lambda known: (Trouble(key, None), *rule_findings(known, dataset.name, events, kept=None, stored=True)),
    )


def _refused(dataset: Dataset, error: DataRefused) -> tuple[str, ...]:
    now, verb = dataset.workspace.clock(), "build" if dataset.entry.derived else "ingest"
    do = f"lastro {verb} {dataset.name}"
    failed = [finding for finding in error.findings if finding.verdict is Verdict.FAILED]
    events = [_event(dataset.name, each, now=now, subject=dataset.name, do=do, where=error.where) for each in failed]
    kept = {finding.rule for finding in error.findings if finding.verdict is not Verdict.FAILED}
    return _recorded(dataset.workspace, dataset.name, events, kept=kept, stored=False)


def _recorded(
    workspace: Workspace, dataset: str, broken: Sequence[Event], *, kept: Collection[str] | None, stored: bool
) -> tuple[str, ...]:
    return _changed(workspace, lambda known: rule_findings(known, dataset, broken, kept=kept, stored=stored))


def _changed(workspace: Workspace, find: Callable[[Incidents], Sequence[Trouble]]) -> tuple[str, ...]:
    """Changes incidents by what was found, if that changes any; gives a note if that cannot be recorded (rule 4)."""
    file, now = IncidentFile(workspace.root / INCIDENTS), workspace.clock()

    def decide(known: Incidents) -> tuple[Change, ...]:
        return known.look(find(known), now)

    try:
        if decide(file.read()):
            file.change(decide)
    except LastroError as error:  # what was ingested is there, or refused, whatever befalls the incidents
        return (_unrecorded(error),)
    return ()


def _unrecorded(error: LastroError) -> str:
    told = _("incidents could not be recorded: {what} ({where}); {do}")
    return told.format(what=error.what, where=error.where, do=error.do)


def _event(
    dataset: str,
    finding: Finding,
    *,
    now: datetime,
    subject: str,
    do: str,
    where: str = "",
    numbers: Mapping[str, float] | None = None,
) -> Event:
    counts = {"refused": float(finding.rows_refused), "rows": float(finding.rows_total)}
    if finding.measured is not None and math.isfinite(finding.measured):
        counts["measured"] = finding.measured
    what = rule_sentence(subject, finding)
    return broken_of(
        dataset,
        finding.rule,
        now,
        what=f"{what} ({where})" if where else what,
        do=do,
        code=DataRefused.code,
        numbers={**counts, **(numbers or {})},
    )

"""The chapters that take data in: the first month's three sources, and what the second month brings."""

from __future__ import annotations

from collections.abc import Mapping

from lastro.demo.applications import CAMPAIGN_STATE, DRIFTED, MONTHS, Month
from lastro.demo.lender import Lender
from lastro.demo.stage import Compared, Stage, hold_against, same
from lastro.drift.result import Verdict
from lastro.model.text import _
from lastro.pipeline.result import IngestResult
from lastro.report.difference import difference, difference_verdict
from lastro.report.drift import drift as drifted
from lastro.report.drift import drift_verdict
from lastro.report.ingested import ingested_verdict, refusals
from lastro.workspace.workspace import Workspace

COUNTED, REPAIRED = "income_missing", "uf_spelling"
"""The two faults that keep their row: one is only counted, the other is repaired on the way in."""


def ingest_all(stage: Stage, workspace: Workspace, lender: Lender) -> None:
    """The first month: what each source gave, what was refused and why, and that nothing planted was missed."""
    stage.chapter(_("First month: loan applications from SQLite"), "lastro ingest loans")
    loans = workspace.dataset("loans").ingest()
    stage.say(ingested_verdict(loans))
    hold_against(stage, faults(workspace, lender.first, loans))

    stage.chapter(_("Customers from a paged HTTP API"), "lastro ingest customers")
    people = workspace.dataset("customers").ingest()
    _tell(stage, people)
    for rule, planted in lender.customers.planted.items():
        same(rule, planted, refused(people).get(rule, 0))

    stage.chapter(_("Access logs, one of them compressed"), "lastro ingest access")
    requests = workspace.dataset("access").ingest()
    _tell(stage, requests)
    same("malformed", lender.broken[0], requests.refused.get("malformed", 0))


def next_month(stage: Stage, workspace: Workspace, lender: Lender) -> None:
    """The second month: changed, new and late rows by upsert; the same again makes no version."""
    lender.next_month()
    stage.chapter(_("The next month arrives: new, changed and late applications"), "lastro ingest loans")
    loans = workspace.dataset("loans").ingest()
    stage.say(ingested_verdict(loans))
    hold_against(
        stage,
        [
            *faults(workspace, lender.second, loans),
            Compared(_("applications of the first month that came late"), lender.second.late, late(workspace, lender)),
        ],
    )
    requests = workspace.dataset("access").ingest()
    _tell(stage, requests)
    same("malformed", lender.broken[1], requests.refused.get("malformed", 0))

    stage.chapter(_("The same again"), "lastro ingest loans")
    again = workspace.dataset("loans").ingest()
    stage.say(ingested_verdict(again))
    same("unchanged", expected=True, found=again.unchanged)


def compare(stage: Stage, workspace: Workspace, lender: Lender) -> None:
    """What the second month changed, by key and by cell."""
    stage.chapter(_("What changed since the approved version?"), "lastro diff loans approved latest")
    found = workspace.dataset("loans").diff("approved", "latest", limit=2)
    stage.show(difference(found))
    stage.say(difference_verdict(found))
    same("changed", lender.second.changed, found.changed)
    same("removed", 0, found.removed)


def drift(stage: Stage, workspace: Workspace) -> None:
    """What of the second month is not as in the data that the model was trained on, and which rows explain it."""
    since = MONTHS[1].date().isoformat()
    stage.chapter(
        _("Is the new month like the one the model was trained on?"),
        f"lastro drift loans --reference approved --time applied_at --since {since} --by uf",
    )
    found = workspace.dataset("loans").drift("approved", time="applied_at", since=since, by="uf")
    compared = found.comparison
    stage.show(drifted(compared.drift, slices=compared.slices, by_column=compared.by_column))
    stage.say(drift_verdict(compared.drift))
    moved = [column.name for column in compared.drift.columns if column.verdict is Verdict.DRIFTED]
    same("drifted", list(DRIFTED), moved)
    same("uf", CAMPAIGN_STATE, compared.by_column["income"][0].slice)


def _tell(stage: Stage, result: IngestResult) -> None:
    """What a batch came to: the verdict, and what was refused by which rule, with bars."""
    stage.say(ingested_verdict(result))
    broken = {rule: rows for rule, rows in result.refused.items() if rows}
    stage.show(refusals(broken, result.counts.read if result.counts else 0))


def faults(workspace: Workspace, month: Month, result: IngestResult) -> list[Compared]:
    """Each planted fault of a month with how many were found of it."""
    found = {**refused(result), REPAIRED: repaired(workspace, month)}
    return [Compared(words, month.planted[name], found.get(name, 0)) for name, words in in_words().items()]


def in_words() -> Mapping[str, str]:
    """Each fault as a person would say it, with what becomes of the row."""
    return {
        "income_missing": _("income missing (kept, counted)"),
        "uf_spelling": _("state spelt in another way (repaired)"),
        "uf_known": _("no such state (set aside)"),
        "amount_usual": _("amount beyond anything the lender offers (set aside)"),
        "cpf_valid": _("CPF with wrong check digits (set aside)"),
        "birth_date.type": _("birth date that does not exist (set aside)"),
        "primary_key": _("application that stands twice (set aside)"),
    }


def refused(result: IngestResult) -> dict[str, int]:
    """How many rows broke each rule, those that were only counted included."""
    return {finding.rule: finding.rows_refused for finding in result.findings} | dict(result.refused)


def repaired(workspace: Workspace, month: Month) -> int:
    """How many rows that came with a misspelt state now have the right one."""
    rows = workspace.version("loans").to_arrow("id", "uf")
    stored = dict(zip(rows.column("id").to_pylist(), rows.column("uf").to_pylist(), strict=True))
    return sum(row.uf != month.states[row.id] == stored.get(row.id) for row in month.rows)


def late(workspace: Workspace, lender: Lender) -> int:
    """How many stored applications were made in the first month and arrived in the second."""
    newest = max(row.id for row in lender.first.rows)
    rows = workspace.version("loans").to_arrow("id", "applied_at", where=f"id > {newest}")
    return sum(moment.replace(tzinfo=None) < MONTHS[1] for moment in rows.column("applied_at").to_pylist())

"""`lastro status`: how every dataset stands now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.status import DatasetStatus, Outcome
from lastro.model.text import _, ngettext
from lastro.report import status as report
from lastro.report.numbers import number
from lastro.report.troubles import leading


@click.command(
    "status",
    cls=Verb,
    help=help_text(
        "status",
        _("Ends with 1 if a dataset is later than its contract promises: fit for a health check. Writes nothing."),
    ),
)
@click.argument("names", metavar=_("[NAME]..."), nargs=-1)
def command(names: tuple[str, ...]) -> Answer:
    """Freshness against the contract's service levels, open quarantine, last round."""
    workspace = lastro.open()
    found = workspace.status(*names)
    late = _names(found, lambda one: not one.passed)
    incidents = sum(one.incidents or 0 for one in found)
    return Answer(
        values={"passed": not late, "incidents": incidents, "datasets": [one.to_dict() for one in found]},
        blocks=lambda: report.status(found) if found else (),
        verdict=_verdict(found, late, incidents),
        next=_next(found, incidents),
        exit_code=1 if late else 0,
        schema="lastro.status/2",
    )


def _verdict(found: Sequence[DatasetStatus], late: Sequence[str], incidents: int) -> str:
    failed, stale = _names(found, _failed), _names(found, lambda one: bool(one.stale))
    aside = {one.dataset: one.quarantined for one in found if one.quarantined}
    sentence = ngettext("{n} dataset, {late} late", "{n} datasets, {late} late", len(found))
    told = sentence.format(n=number(len(found)), late=number(len(late)))
    if incidents:
        count = ngettext("{n} incident is open", "{n} incidents are open", incidents).format(n=number(incidents))
        told = f"{told}; {count}"
    return leading(told, failed=failed, late=late, stale=stale, aside=aside)


def _next(found: Sequence[DatasetStatus], incidents: int) -> str:
    """The command for what the verdict says first."""
    for troubled, verb in ((_failed, "why"), (lambda one: not one.passed, "build")):
        for one in filter(troubled, found):
            return f"lastro ingest {one.dataset}" if one.stale is None else f"lastro {verb} {one.dataset}"
    if any(one.stale for one in found):
        return "lastro build"
    if incidents:
        return "lastro incidents"
    aside = next((one.dataset for one in found if one.quarantined), "")
    return f"lastro quarantine {aside}" if aside else "lastro log"


def _failed(one: DatasetStatus) -> bool:
    return one.last is not None and one.last.outcome is Outcome.FAILED


def _names(found: Sequence[DatasetStatus], troubled: Callable[[DatasetStatus], bool]) -> tuple[str, ...]:
    return tuple(one.dataset for one in found if troubled(one))

"""`lastro status`: how every dataset stands now."""

from __future__ import annotations

from collections.abc import Sequence

import click

import lastro
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.status import DatasetStatus
from lastro.model.text import _, ngettext
from lastro.report import status as report
from lastro.report.numbers import number


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
    found = lastro.open().status(*names)
    late = [one for one in found if not one.passed]
    sentence = ngettext("{n} dataset, {late} late", "{n} datasets, {late} late", len(found))
    return Answer(
        values={"passed": not late, "datasets": [one.to_dict() for one in found]},
        blocks=lambda: report.status(found) if found else (),
        verdict=sentence.format(n=number(len(found)), late=number(len(late))),
        next=_next(found),
        exit_code=1 if late else 0,
    )


def _next(found: Sequence[DatasetStatus]) -> str:
    for one in found:
        if not one.passed:
            return f"lastro ingest {one.dataset}" if one.stale is None else f"lastro build {one.dataset}"
    aside = next((one.dataset for one in found if one.quarantined), "")
    if aside:
        return f"lastro quarantine {aside}"
    return "lastro build" if any(one.stale for one in found) else "lastro log"

"""`lastro history`: a metric over a dataset's versions."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.text import _
from lastro.report.history import history, history_verdict
from lastro.workspace.quality.metric import Metric


@click.command(
    "history",
    cls=Verb,
    help=help_text(
        "history",
        _(
            "METRIC is rows, or of a column: missing (the share of missing values), mean (of a text column, of its "
            "length), or share (of the present values, those that are --value). A value is an anomaly if it is further "
            "from what those before it let expect – by level, trend and weekday – than the budget of false alarms "
            "allows. Reads no rows. Exit code 0, whatever was found."
        ),
    ),
)
@click.argument("name", metavar=_("NAME"))
@click.argument(
    "metric", metavar="[METRIC]", type=click.Choice([each.value for each in Metric]), default=Metric.ROWS.value
)
@click.option("--column", metavar=_("COLUMN"), help=_("The column that the metric is of."))
@click.option("--value", metavar="V", help=_("The value whose share is followed."))
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help=_("False alarms that a month may have, on average.  [default: 0.25]"),
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    metavar="N",
    help=_("Show at most N values, the newest."),
)
@click.pass_obj
def command(
    settings: Settings, name: str, metric: str, column: str | None, value: str | None, budget: float | None, limit: int
) -> Answer:
    """Shows a metric over versions, with anomalies marked."""
    with working(name, settings):
        found = lastro.open().dataset(name).history(metric, column=column, value=value, budget=budget)
    of = column if value is None else f"{column} = {value}"
    told = f"{metric} ({of})" if column else metric
    return Answer(
        values=found.to_dict(),
        blocks=lambda: history([info.number for info in found.versions][-limit:], found.values[-limit:]),
        verdict=history_verdict(name, told, found.values),
        next=f"lastro log {name}",
    )

"""`lastro dp`: differentially private answers."""

from __future__ import annotations

from typing import Any

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import purpose_option
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _
from lastro.report import private_answer as report


def _numbers(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in (text or "").split(",") if part.strip())
    except ValueError as error:
        raise click.BadParameter(_("numbers with commas between belong here")) from error


def _texts(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


@click.command(
    "dp",
    cls=Verb,
    help=help_text(
        "dp",
        _(
            "VERSION is NAME, or NAME@REF. The noise is as large as it takes for the answer to tell little of whether "
            "any one person is in the data: the smaller epsilon, the less. Bounds, bins and values must not be taken "
            "from the data. What an answer costs is taken from the budget of the contract (`privacyBudget`) before it "
            "is computed; the same question of the same version costs nothing again. Needs OpenDP."
        ),
    ),
)
@click.argument("reference", metavar=_("VERSION"))
@click.option("--count", is_flag=True, help=_("How many persons, or rows if no subject is named."))
@click.option("--sum", "summed", metavar=_("COLUMN"), help=_("The sum of a column."))
@click.option("--mean", metavar=_("COLUMN"), help=_("The mean of a column."))
@click.option("--histogram", metavar=_("COLUMN"), help=_("How often values of a column are."))
@click.option("--lower", type=float, metavar="N", help=_("What no value counts below, of a sum or mean."))
@click.option("--upper", type=float, metavar="N", help=_("What no value counts above, of a sum or mean."))
@click.option("--bins", callback=_numbers, metavar=_("EDGES"), help=_("Where bins begin and end: 0,20,40,60."))
@click.option("--values", callback=_texts, metavar=_("VALUES"), help=_("Which values are counted: SP,RJ,BA."))
@click.option("--epsilon", type=float, required=True, metavar="N", help=_("What the answer may cost, such as 0.5."))
@click.option(
    "--contributions",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help=_("How many rows of one subject count."),
)
@purpose_option()
@click.pass_obj
def command(  # every parameter is an option that a person writes
    settings: Settings,
    /,
    reference: str,
    count: bool,
    bins: tuple[float, ...],
    **asked: Any,  # Any: the values of the other options
) -> Answer:
    """Answers one question."""
    names = {"sum": asked["summed"], "mean": asked["mean"], "histogram": asked["histogram"]}
    chosen = [(name, column) for name, column in names.items() if column is not None]
    chosen += [("count", "")] if count else []
    if len(chosen) != 1:
        raise UsageError(_("one thing can be asked at a time"), do=_("say --count, --sum, --mean or --histogram"))
    ((statistic, column),) = chosen
    name = reference.partition("@")[0]
    question = {key: asked[key] for key in ("lower", "upper", "values", "epsilon", "contributions")}
    with working(name, settings):
        found = lastro.open().dp(reference, statistic, column=column, edges=bins, **question)
    return Answer(values=found.to_dict(), blocks=lambda: report.private_answer(found), verdict=report.verdict(found))

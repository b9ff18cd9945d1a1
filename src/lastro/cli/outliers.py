"""`lastro outliers`: what is far from everything else in a version."""

from __future__ import annotations

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import share
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _
from lastro.report import outliers as report
from lastro.workspace.dataset import Dataset


@click.command(
    "outliers",
    cls=Verb,
    help=help_text(
        "outliers",
        _(
            "VERSION is NAME, or NAME@REF with a number, tag, date or digest. An outlier is beyond the column's "
            "fences, which know skewness, and more than 3.5 deviations from its median. With --rows, rows are ranked "
            "by how far out they are in all columns together; with --against, new rows are tested, and those that are "
            "called unlike are so but for the budget's share. Keys and columns that the contract classifies are left "
            "out. No row's value is shown."
        ),
    ),
)
@click.argument("reference", metavar=_("VERSION"))
@click.option("--column", "columns", multiple=True, metavar=_("COLUMN"), help=_("Look only at this; may be repeated."))
@click.option("--rows", "of_rows", is_flag=True, help=_("Show the rows that are least like others."))
@click.option(
    "--against", metavar="REF", help=_("Test the rows that came since this version, which is taken for good.")
)
@click.option(
    "--budget", type=share, metavar=_("SHARE"), help=_("How many of the called rows may be wrong, such as 10%.")
)
@click.option("--forest", is_flag=True, help=_("Look at combinations of columns, too; needs scikit-learn."))
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help=_("Show at most N rows, the most unusual first."),
)
@click.pass_obj
def command(
    settings: Settings,
    reference: str,
    columns: tuple[str, ...],
    of_rows: bool,
    against: str | None,
    budget: float | None,
    forest: bool,
    limit: int,
) -> Answer:
    """Shows outliers of columns, or of rows."""
    name, _at, selector = reference.partition("@")
    dataset = lastro.open().dataset(name)
    if of_rows:
        with working(name, settings):
            return _rows(dataset, selector, columns, against=against, budget=budget, forest=forest, limit=limit)
    if against is not None or budget is not None or forest:
        raise UsageError(_("--against, --budget and --forest are about rows"), do=_("add --rows"))
    with working(name, settings):
        found = dataset.outliers(selector or "latest", columns=columns)
    return Answer(
        values=found.to_dict(),
        blocks=lambda: report.columns(found.columns, found.types, found.left_out),
        verdict=report.columns_verdict(found.info.reference, found.columns),
        next=f"lastro outliers {name} --rows",
    )


def _rows(
    dataset: Dataset,
    selector: str,
    columns: tuple[str, ...],
    *,
    against: str | None,
    budget: float | None,
    forest: bool,
    limit: int,
) -> Answer:
    found = dataset.outlying_rows(
        selector or "latest", columns=columns, against=against, budget=budget, forest=forest, limit=limit
    )
    good = found.against.reference if found.against else None
    return Answer(
        values=found.to_dict(),
        blocks=lambda: report.rows(found.found, found.left_out),
        verdict=report.rows_verdict(found.info.reference, found.found, good),
        next=f"lastro read {found.info.reference} -o {dataset.name}.parquet",
        schema="lastro.outliers.rows/1",
    )

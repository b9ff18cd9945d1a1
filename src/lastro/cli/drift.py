"""`lastro drift`: how production rows differ from a reference, and whether that is worth an alarm."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import share
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import DataRefused, UsageError
from lastro.model.text import _
from lastro.report import drift as report
from lastro.report.together import together, with_together
from lastro.workspace.configuration import write_new
from lastro.workspace.monitoring.drifted import DriftReport, settings_of, trained_on
from lastro.workspace.workspace import Workspace


def margin_of(text: str) -> tuple[str, float]:
    """`income=5%` as a column and a share; the column's name may hold an equals sign. Raises `click.BadParameter`."""
    name, equals, written = text.rpartition("=")
    if not name or not equals:
        raise click.BadParameter(_("{value!r} is no column's margin; write COLUMN=5%").format(value=text))
    return name, share(written)


@click.command(
    "drift",
    cls=Verb,
    help=help_text(
        "drift",
        _(
            "REF is a number, tag, date or digest. With --run, the reference is the version that the run read. All "
            "rows of the current version are compared, or those that came --since a date or a version, or within a "
            "--window; with --time, those whose column lies there. A column drifted if its change, less what chance "
            "may do to it, is larger than the margin. With --together, samples are also compared by whole rows, texts "
            "and vectors. Exit code 1 says that something drifted, or that a side has no rows."
        ),
    ),
)
@click.argument("name", metavar=_("[NAME]"), required=False)
@click.option("--reference", metavar="REF", help=_("Compare with this version."))
@click.option("--run", "run_id", metavar=_("RUN"), help=_("Compare with the version that this run read."))
@click.option("--current", metavar="REF", default="latest", show_default=True, help=_("The version that is compared."))
@click.option("--since", metavar="REF", help=_("Only rows that came after this date or version."))
@click.option("--window", metavar=_("PERIOD"), help=_("Only rows that came within this time, such as 7d."))
@click.option("--time", metavar=_("COLUMN"), help=_("The column that says when a row happened."))
@click.option("--column", "columns", multiple=True, metavar=_("COLUMN"), help=_("Compare only this; may be repeated."))
@click.option("--by", metavar=_("COLUMN"), help=_("Show which of this column's values explain the change."))
@click.option(
    "--together", is_flag=True, help=_("Compare samples of rows as wholes, texts and vectors, too; needs scikit-learn.")
)
@click.option("--margin", type=share, metavar=_("SHARE"), help=_("How much of the rows may move, such as 5%."))
@click.option(
    "--margin-of",
    "margins",
    type=margin_of,
    multiple=True,
    metavar=_("COLUMN=SHARE"),
    help=_("The same for one column; may be repeated."),
)
@click.option(
    "--margin-rates", type=share, metavar=_("SHARE"), help=_("How much the share of missing or new values may change.")
)
@click.option(
    "--margin-together", type=share, metavar=_("SHARE"), help=_("With --together, how much of the rows may be others.")
)
@click.option(
    "--sample",
    "sample_rows",
    type=click.IntRange(min=2),
    metavar="N",
    help=_("With --together, how many rows of either side."),
)
@click.option("--looks", type=click.IntRange(min=1), metavar="N", help=_("How many windows share the budget."))
@click.option(
    "--budget", "alpha", type=share, metavar=_("SHARE"), help=_("The chance of any false alarm, in all looks.")
)
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help=_("Write the report into this new file, too.")
)
@click.pass_obj
def command(
    settings: Settings,
    /,
    name: str | None,
    reference: str | None,
    run_id: str | None,
    html: Path | None,
    margins: tuple[tuple[str, float], ...],
    **asked: Any,  # Any: the options of the window, and of the budget
) -> Answer:
    """Compares a window with a reference."""
    workspace = lastro.open()
    name, reference = _reference(workspace, name, reference, run_id)
    settled = ("alpha", "looks", "margin", "margin_rates", "together", "margin_together", "sample_rows")
    budget = {each: asked.pop(each) for each in settled}
    if not budget["together"] and (budget["margin_together"] is not None or budget["sample_rows"] is not None):
        raise UsageError(
            _("--margin-together and --sample say how --together compares"), do=_("add --together, or leave them out")
        )
    chosen = settings_of(**budget, margins=dict(margins))
    with working(name, settings):
        found = workspace.dataset(name).drift(reference, settings=chosen, **asked)
    if html is not None:
        write_new(html, _page(found))
    window = "".join(f" --{each} {shlex.quote(asked[each])}" for each in ("since", "window", "time") if asked[each])
    return _answer(f"{name} --reference {reference}{window}", found, html)


def _reference(workspace: Workspace, name: str | None, reference: str | None, run_id: str | None) -> tuple[str, str]:
    """The dataset and the reference's selector. Raises `UsageError`, `UnknownName`."""
    if (reference is None) == (run_id is None) or (name is None and run_id is None):
        raise UsageError(
            _("what is compared with what?"),
            do=_("lastro drift NAME --reference REF, or lastro drift --run RUN"),
        )
    if run_id is not None:
        return trained_on(workspace, run_id, name)
    return name or "", reference or ""


def _answer(question: str, found: DriftReport, html: Path | None) -> Answer:
    """The answer to a question, which is what follows `lastro drift`."""
    compared = found.comparison
    verdict = with_together(report.drift_verdict(compared.drift), compared.together)
    current = compared.window.version.reference
    if found.passed or compared.by is not None or not compared.drift.current:
        following = f"lastro profile {current}"
    else:
        following = f"lastro drift {question} --by {_('COLUMN')}"
    return Answer(
        values={**found.to_dict(), "html": html},
        blocks=lambda: (
            *report.drift(compared.drift, slices=compared.slices, by_column=compared.by_column),
            *together(compared.together),
            *report.left_out(compared.left_out),
        ),
        verdict=verdict if html is None else _("{verdict}; written to {path}").format(verdict=verdict, path=html),
        next=following,
        exit_code=0 if found.passed else DataRefused.exit_code,
    )


def _page(found: DriftReport) -> str:
    compared = found.comparison
    title = _("Drift from {reference} to {current}").format(
        reference=compared.reference.reference, current=compared.window.version.reference
    )
    return report.drift_html(
        compared.drift,
        title,
        slices=compared.slices,
        by_column=compared.by_column,
        apart=compared.left_out,
        beside=together(compared.together),
        answer=with_together(report.drift_verdict(compared.drift), compared.together),
    )

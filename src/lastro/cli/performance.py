"""`lastro performance`: how good a model's predictions still are, before and after the labels arrive."""

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
from lastro.report import performance as report
from lastro.workspace.configuration import write_new
from lastro.workspace.monitoring.drifted import Asked
from lastro.workspace.monitoring.performing import PerformanceReport, tolerance_of


def class_of(text: str) -> tuple[str, str]:
    """`approved=p_approved` as a class and a column; the class may hold an equals sign. Raises `click.BadParameter`."""
    name, equals, column = text.rpartition("=")
    if not name or not equals or not column:
        raise click.BadParameter(_("{value!r} is no class's score; write CLASS=COLUMN").format(value=text))
    return name, column


@click.command(
    "performance",
    cls=Verb,
    help=help_text(
        "performance",
        _(
            "Rows whose label has come tell what was realised. Of rows that wait for theirs, what is expected is told: "
            "of classes from scores, which the reference calibrates (CBPE); of numbers by a model of the error, which "
            "learns from the reference (DLE) and needs scikit-learn. Both follow other rows; neither sees that the "
            "same rows get other labels. Exit code 1 says that a metric is surely worse by more than the margin, or "
            "that nothing could be judged."
        ),
    ),
)
@click.argument("name", metavar=_("NAME"))
@click.option("--reference", required=True, metavar="REF", help=_("Compare with this version, whose labels are known."))
@click.option("--prediction", required=True, metavar=_("COLUMN"), help=_("What the model said."))
@click.option("--label", required=True, metavar=_("COLUMN"), help=_("What came true; NULL until it is known."))
@click.option("--score", metavar=_("COLUMN"), help=_("The probability of the positive class, 0 to 1."))
@click.option(
    "--score-of",
    "scores",
    type=class_of,
    multiple=True,
    metavar=_("CLASS=COLUMN"),
    help=_("The probability of this class; may be repeated."),
)
@click.option("--current", metavar="REF", default="latest", show_default=True, help=_("The version that is judged."))
@click.option("--since", metavar="REF", help=_("Only rows that came after this date or version."))
@click.option("--window", metavar=_("PERIOD"), help=_("Only rows that came within this time, such as 7d."))
@click.option("--time", metavar=_("COLUMN"), help=_("The column that says when a row happened."))
@click.option("--by-period", "period", metavar=_("PERIOD"), help=_("Show each such part of the window, too."))
@click.option("--task", metavar=_("TASK"), help=_("classification or regression, where the types do not tell."))
@click.option("--metric", "metrics", multiple=True, metavar=_("METRIC"), help=_("Judge by this; may be repeated."))
@click.option(
    "--feature",
    "features",
    multiple=True,
    metavar=_("COLUMN"),
    help=_("Learn a regression's errors from this; may be repeated."),
)
@click.option("--margin", type=share, metavar=_("SHARE"), help=_("How much worse is no matter, such as 5%."))
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
    name: str,
    html: Path | None,
    score: str | None,
    scores: tuple[tuple[str, str], ...],
    **asked: Any,  # Any: the options of the window, of the columns and of the budget
) -> Answer:
    """Judges predictions."""
    if score is not None and scores:
        raise UsageError(_("--score and --score-of both name scores"), do=_("give one of them"))
    dataset = lastro.open().dataset(name)
    tolerance = tolerance_of(**{each: asked.pop(each) for each in ("alpha", "looks", "margin")})
    window = {each: asked.pop(each) for each in ("reference", "current", "since", "window", "time", "period")}
    with working(name, settings):
        found = dataset.performance(Asked(**window), score=dict(scores) or score, tolerance=tolerance, **asked)
    if html is not None:
        write_new(html, _page(found))
    options = "".join(f" --{each} {shlex.quote(window[each])}" for each in ("since", "window", "time") if window[each])
    return _answer(f"{name} --reference {window['reference']}{options}", found, html)


def _answer(question: str, found: PerformanceReport, html: Path | None) -> Answer:
    """The answer to a question, which is what follows `lastro drift` when it is asked of the same rows."""
    verdict = report.performance_verdict(found.found)
    return Answer(
        values={**found.to_dict(), "html": html},
        blocks=lambda: report.performance(found.found),
        verdict=verdict if html is None else _("{verdict}; written to {path}").format(verdict=verdict, path=html),
        next=f"lastro drift {question}",
        exit_code=0 if found.passed else DataRefused.exit_code,
    )


def _page(found: PerformanceReport) -> str:
    title = _("Performance of {current} against {reference}").format(
        reference=found.reference.reference, current=found.window.version.reference
    )
    return report.performance_html(found.found, title)

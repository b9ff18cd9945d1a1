"""`lastro anonymise`: a version in which nobody stands out, as a dataset of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import purpose_option, share
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _
from lastro.privacy.anonymity.outcome import Anonymised
from lastro.report import anonymity as report
from lastro.workspace.configuration import write_new

_NEW = click.Path(path_type=Path, dir_okay=False)


def _names(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _trees(_ctx: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> Mapping[str, Path]:
    pairs = [text.partition("=") for text in texts]
    for column, equals, path in pairs:
        if not (column and equals and path):
            raise click.BadParameter(_("write COLUMN=FILE.csv"))
    return {column: Path(path) for column, _equals, path in pairs}


@click.command(
    "anonymise",
    cls=Verb,
    help=help_text(
        "anonymise",
        _(
            "VERSION is NAME, or NAME@REF. Quasi-identifiers are made coarser until each row looks like at least k-1 "
            "others: first the best level for each column, then finer again wherever that breaks nothing. What is not "
            "said here the contract says: the columns' classes and `anonymity`. Identifiers, the subject's column and "
            "columns that nobody classified are left out. The rows are called anonymised only if the contract's "
            "thresholds hold, or those given where it has none, and else pseudonymised."
        ),
    ),
)
@click.argument("reference", metavar=_("VERSION"))
@click.option("--quasi", callback=_names, metavar=_("COLUMNS"), help=_("The quasi-identifiers, with commas between."))
@click.option("--sensitive", callback=_names, metavar=_("COLUMNS"), help=_("The sensitive columns."))
@click.option("--keep", callback=_names, metavar=_("COLUMNS"), help=_("Columns to keep though nobody classified them."))
@click.option("--k", type=click.IntRange(min=1), metavar="N", help=_("How many rows look alike at least."))
@click.option(
    "--l", "diverse", type=click.IntRange(min=1), metavar="N", help=_("How many sensitive values they have at least.")
)
@click.option("--entropy", is_flag=True, help=_("Count sensitive values by entropy: frequent ones weigh less."))
@click.option(
    "--t",
    type=click.FloatRange(min=0, max=1),
    metavar=_("DISTANCE"),
    help=_("How far their sensitive values may be from those of all rows, such as 0.2."),
)
@click.option("--suppress", type=share, metavar=_("SHARE"), help=_("How many rows may be left out, such as 2%."))
@click.option(
    "--hierarchy",
    "hierarchies",
    callback=_trees,
    multiple=True,
    metavar=_("COLUMN=FILE"),
    help=_("A file of lines such as `SP;Sudeste;Brasil`; may be repeated."),
)
@click.option("--population", metavar=_("VERSION"), help=_("A version with a row for each person that there is."))
@click.option("--full-domain", is_flag=True, help=_("Give each column one level, and recode nothing locally."))
@click.option("--to", metavar=_("NAME"), help=_("The new dataset; NAME_k5 and the like if it is not named."))
@click.option("--measure", is_flag=True, help=_("Only tell the risk of the version as it stands."))
@click.option(
    "--report", "path", type=_NEW, metavar=_("FILE"), help=_("Write the risk report here, too: .html, .md or .json.")
)
@purpose_option()
@click.pass_obj
def command(  # every parameter is an option that a person writes
    settings: Settings,
    /,
    reference: str,
    measure: bool,
    path: Path | None,
    **asked: Any,  # Any: the values of the other options
) -> Answer:
    """Makes the dataset, or measures the version."""
    writes = _writer(path)
    workspace = lastro.open()
    name = reference.partition("@")[0]
    if measure:
        with working(name, settings):
            measures = workspace.risk(
                reference, quasi=asked["quasi"], sensitive=asked["sensitive"], population=asked["population"]
            )
        return Answer(
            values=measures.to_dict(),
            blocks=lambda: report.measures(measures),
            verdict=report.measures_verdict(measures),
            next=f"lastro anonymise {reference} --k 5",
            schema="lastro.anonymise.measure/1",
        )
    with working(name, settings):
        found = workspace.anonymise(
            reference,
            hierarchies=asked["hierarchies"],
            to=asked["to"],
            k=asked["k"],
            l=asked["diverse"],
            t=asked["t"],
            suppress=asked["suppress"],
            entropy=asked["entropy"],
            quasi=asked["quasi"],
            sensitive=asked["sensitive"],
            keep=asked["keep"],
            population=asked["population"],
            recode=not asked["full_domain"],
        )
    verdict = report.anonymity_verdict(found)
    if path is not None:
        write_new(path, writes(found))
        verdict = _("{verdict}; written to {path}").format(verdict=verdict, path=path)
    return Answer(
        values=found.to_dict(),
        blocks=lambda: report.anonymity(found),
        verdict=verdict,
        next=f"lastro log {found.target.partition('@')[0]}",
    )


def _writer(path: Path | None) -> Any:  # Any: a function from the result to text
    """What writes the report in the form that the file's name tells. Raises `UsageError`."""
    forms = {".html": report.anonymity_html, ".md": report.anonymity_markdown, ".json": _json}
    if path is None:
        return _json
    if path.suffix.lower() not in forms:
        raise UsageError(
            _("the form of {path} is not known").format(path=path.name),
            do=_("end its name with one of {endings}").format(endings=", ".join(forms)),
        )
    return forms[path.suffix.lower()]


def _json(found: Anonymised) -> str:
    from lastro.report.json_values import answer_json

    return answer_json("lastro.risk-report/1", found.to_dict(), ok=True) + "\n"

"""`lastro quarantine`: the rows that rules refused – shown, exported, replayed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import purpose_option
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _, ngettext
from lastro.report.ingested import ingested, ingested_verdict
from lastro.report.numbers import number
from lastro.report.refused import quarantine

if TYPE_CHECKING:
    from lastro.pipeline.quarantine import Quarantine


@click.command(
    "quarantine",
    cls=Verb,
    help=help_text(
        "quarantine",
        _(
            "Export the rows, correct the file, and replay it: corrected rows go through the contract again. What is "
            "shown and exported are people's data."
        ),
    ),
)
@click.argument("name", metavar=_("NAME"))
@click.option("--rule", metavar=_("RULE"), help=_("Only rows that broke this rule."))
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help=_("Show at most N rows."),
)
@click.option(
    "--export",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar=_("FILE"),
    help=_("Write the rows to the new FILE (.csv or .jsonl) to be corrected."),
)
@click.option(
    "--replay",
    "corrected",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar=_("FILE"),
    help=_("Take the corrected rows of FILE in."),
)
@click.option(
    "--reveal", is_flag=True, help=_("Show and export values in the places of their tokens; takes a purpose.")
)
@purpose_option()
@click.pass_obj
def command(
    settings: Settings,
    name: str,
    rule: str | None,
    limit: int,
    target: Path | None,
    corrected: Path | None,
    reveal: bool,
) -> Answer:
    """Shows, exports or replays."""
    if target is not None and corrected is not None:
        raise UsageError(
            _("--export and --replay exclude each other"), do=_("export first, correct the file, then replay it")
        )
    if corrected is not None and rule is not None:
        raise UsageError(
            _("--replay takes whole files; --rule cannot choose among their rows"),
            do=_("leave --rule out, or export with --rule first"),
        )
    rows = lastro.open().dataset(name).quarantine()
    if target is not None:
        return _export(rows, name, target, rule, reveal=reveal)
    if corrected is not None:
        return _replay(rows, name, corrected, settings)
    return _show(rows, name, rule, limit, reveal=reveal)


def _show(rows: Quarantine, name: str, rule: str | None, limit: int, *, reveal: bool) -> Answer:
    every = rows.rows(rule=rule)
    shown = rows.rows(rule=rule, limit=limit, reveal=True) if reveal else every[:limit]
    summary = {key: count for key, count in rows.summary().items() if rule is None or key == rule}
    return Answer(
        values={"dataset": name, "open": len(every), "summary": summary, "rows": shown},
        blocks=lambda: quarantine(summary, shown, len(every)),
        verdict=_open(name, len(every), rule),
        next=_next(name, rule) if every else f"lastro log {name}",
    )


def _next(name: str, rule: str | None) -> str:
    """The export of what was shown. Its file is not called like the dataset, since the source may be."""
    chosen = f" --rule {shlex.quote(rule)}" if rule is not None else ""
    return f"lastro quarantine {name}{chosen} --export {name}-aside.csv"


def _open(name: str, count: int, rule: str | None) -> str:
    if rule is None:
        sentence = ngettext("{n} row of {name} is set aside", "{n} rows of {name} are set aside", count)
    else:
        sentence = ngettext(
            "{n} row of {name} is set aside by the rule {rule}",
            "{n} rows of {name} are set aside by the rule {rule}",
            count,
        )
    return sentence.format(n=number(count), name=name, rule=rule)


def _export(rows: Quarantine, name: str, target: Path, rule: str | None, *, reveal: bool) -> Answer:
    if target.exists():
        raise UsageError(
            _("there is a file of this name already; it may hold corrections, or be a source"),
            where=str(target),
            do=_("name another file, or remove this one first"),
        )
    count = rows.export(target, rule=rule, reveal=reveal)
    sentence = ngettext("{n} row of {name} is in {path}", "{n} rows of {name} are in {path}", count)
    return Answer(
        values={"dataset": name, "exported": count, "file": target},
        verdict=sentence.format(n=number(count), name=name, path=target),
        next=f"lastro quarantine {name}" + (f" --replay {shlex.quote(str(target))}" if count else ""),
        schema="lastro.quarantine.export/1",
    )


def _replay(rows: Quarantine, name: str, corrected: Path, settings: Settings) -> Answer:
    with working(name, settings) as told:
        result = rows.replay(corrected, progress=told)
    return Answer(
        values={"dataset": name, "result": result.to_dict()},
        blocks=lambda: ingested(result),
        verdict=ingested_verdict(result),
        next=f"lastro quarantine {name}",
        schema="lastro.quarantine.replay/1",
        exit_code=0 if result.passed else 1,
    )

"""`lastro check`: what is stored, or lives at a server, is held against its contract.

Reports are written anew by every run of a pipeline, so that a report is replaced; any other file is left as it is.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import purpose_option
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.contract.servers import names_file
from lastro.model.check import CheckReport
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, RuleViolated, UsageError, WriteFailed
from lastro.model.text import _
from lastro.report.checks import checks, checks_verdict, finished
from lastro.report.html import to_page
from lastro.report.junit import junit

_FILE = click.Path(dir_okay=False, path_type=Path)
JUNIT = b'<testsuites name="lastro check"'
PAGE = b'<main class="lastro"'
"""What a report holds near its beginning, and nothing else does."""
_BEGINNING = 64 * 1024


@click.command(
    "check",
    cls=Verb,
    help=help_text(
        "check",
        _(
            "Without NAME, the newest version of every dataset that has a contract is checked. Nothing is changed. "
            "Exit code 1 says that a rule failed. The rows of --failures are people's data; values that the contract "
            "classifies are withheld. With --server, NAME may be a contract's file: its data is checked where it "
            "lives, and nothing is ingested."
        ),
    ),
)
@click.argument("names", metavar=_("[NAME[@VERSION]]..."), nargs=-1)
@click.option(
    "--server",
    metavar=_("SERVER"),
    help=_("Check the data at this server of the contract, which NAME or its file gives."),
)
@click.option("--clean", is_flag=True, help=_("With --server: judge the rules after the contract's cleaning."))
@click.option("--rule", "rules", multiple=True, metavar=_("RULE"), help=_("Only this rule; may be repeated."))
@click.option(
    "--dimension",
    "dimensions",
    multiple=True,
    metavar=_("DIMENSION"),
    help=_("Only rules about this, such as completeness; may be repeated."),
)
@click.option("--failures", is_flag=True, help=_("Show rows that break rules, too."))
@click.option(
    "--limit",
    type=click.IntRange(min=0, max=10_000),
    default=10,
    show_default=True,
    metavar="N",
    help=_("Of each dataset, show at most N rows."),
)
@click.option("--junit", "junit_file", type=_FILE, metavar=_("FILE"), help=_("Write the results as JUnit's XML."))
@click.option("--html", "html_file", type=_FILE, metavar=_("FILE"), help=_("Write the report as a page."))
@purpose_option()
@click.pass_obj
def command(
    settings: Settings,
    /,
    names: tuple[str, ...],
    server: str | None,
    limit: int,
    *,
    clean: bool,
    failures: bool,
    junit_file: Path | None,
    html_file: Path | None,
    **asked: tuple[str, ...],
) -> Answer:
    """Every rule of the contracts, on stored versions or at a server."""
    _refuse_mixed(names, server, chosen=any(asked.values()), clean=clean)
    for file, mark in ((junit_file, JUNIT), (html_file, PAGE)):
        if file is not None:
            _refuse_another(file, mark)
    shown = limit if failures else None
    with working(_("checking"), settings):
        if server is None:
            reports = lastro.open().check(*names, failures=shown, **asked)
        else:
            reports = lastro.check(names[0], server=server, failures=shown, clean=clean, **asked)
    verdict = checks_verdict(reports) if reports else _("no dataset has a contract yet")
    if junit_file is not None:
        _write(junit_file, junit(reports))
    if html_file is not None:
        _write(html_file, to_page(f"{verdict} ({finished(reports)})", checks(reports)))
    return Answer(
        values={"passed": all(report.passed for report in reports), "runs": [each.to_dict() for each in reports]},
        blocks=lambda: checks(reports),
        verdict=_written(verdict, junit_file, html_file),
        next=_next(reports, shown=failures) if server is None else _next_there(names[0], reports, shown=failures),
        exit_code=_exit_code(reports),
    )


def _refuse_mixed(names: Sequence[str], server: str | None, *, chosen: bool, clean: bool) -> None:
    """Raises `UsageError` for what does not go together."""
    if server is None and names and names_file(names[0]):
        raise UsageError(
            _("{name} is a contract's file, and its data is not stored here").format(name=names[0]),
            do=_("name one of its servers with --server, or the dataset that it is the contract of"),
        )
    if server is None and clean:
        raise UsageError(_("stored rows are clean"), do=_("use --clean with --server"))
    if server is not None and len(names) != 1:
        raise UsageError(_("--server is about one contract"), do=_("name one contract's file, or one dataset"))
    if not names and chosen:
        raise UsageError(
            _("--rule and --dimension choose among the rules of named datasets"), do=_("name the datasets to check")
        )


def _exit_code(reports: Sequence[CheckReport]) -> int:
    """1 if a rule failed; else the highest code of a check that could not be made."""
    if any(not report.passed and not report.error for report in reports):
        return RuleViolated.exit_code
    return max((int(report.error.get("exit_code", 0)) for report in reports), default=0)


def _next(reports: Sequence[CheckReport], *, shown: bool) -> str:
    for report in reports:
        if not report.passed and not report.error:
            return f"lastro log {report.dataset}" if shown else f"lastro check {report.reference} --failures"
    for report in reports:
        if report.error:
            return f"lastro check {report.reference}"
    return f"lastro log {reports[0].dataset}" if len(reports) == 1 else "lastro log"


def _refuse_another(path: Path, mark: bytes) -> None:
    """Raises `ConfigurationError` if something is there that is no report, `WriteFailed` if that cannot be told."""
    if not path.name:
        raise UsageError(_("the report has no name"), do=_("write the name of a file"))
    try:
        if not path.exists() or (path.is_file() and _begins_as_report(path, mark)):
            return
    except OSError as error:
        raise _unwritten(path, error) from error
    raise ConfigurationError(
        _("{path} is there already, and it is no such report").format(path=path),
        do=_("choose another name, or remove it first"),
    )


def _begins_as_report(path: Path, mark: bytes) -> bool:
    with path.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
    return not beginning or mark in beginning


def _next_there(name: str, reports: Sequence[CheckReport], *, shown: bool) -> str:
    failed = [report for report in reports if not report.passed and not report.error]
    again = f"lastro check {shlex.quote(name)} --server {shlex.quote(reports[0].server)}"
    if failed and not shown:
        return f"{again} --failures"
    return "" if all(report.passed for report in reports) or failed else again


def _write(path: Path, text: str) -> None:
    try:
        write_durably(path.resolve(), text.encode("utf-8", "replace"))
    except OSError as error:
        raise _unwritten(path, error) from error


def _written(verdict: str, *files: Path | None) -> str:
    written = ", ".join(str(file) for file in files if file is not None)
    return _("{verdict}; written to {path}").format(verdict=verdict, path=written) if written else verdict


def _unwritten(path: Path, error: OSError) -> WriteFailed:
    return WriteFailed(
        _("the report cannot be written: {reason}").format(reason=error.strerror or type(error).__name__),
        where=str(path),
        do=_("choose a file in a folder that exists and may be written to"),
    )

"""`lastro subject`: what is kept about a person, and what they ask for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Family, Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _, ngettext
from lastro.report import subjects as report
from lastro.report.json_values import answer_json
from lastro.report.numbers import number

if TYPE_CHECKING:
    from lastro.workspace.audit.documents import Document

_DATE = click.DateTime(formats=["%Y-%m-%d"])
_READ_MAX = 1 << 24
_RECEIPTS: dict[str, Callable[[Document], str]] = {
    ".md": lambda document: document.to_markdown(),
    ".html": lambda document: document.to_html(),
    ".json": lambda document: answer_json("lastro.subject.rectify/1", document.values, ok=True) + "\n",
}
command = Family(
    "subject",
    help=help_text(
        "subject",
        _(
            "A person is named by KIND=VALUE, such as cpf=529.982.247-25, or by a token. What is written on a command "
            "line can be seen by others of this machine: KIND=- reads the value from standard input."
        ),
    ),
)


def meant(who: str) -> str:
    """Who is meant; a value of `-` comes from standard input. Raises `UsageError`."""
    kind, equals, value = who.partition("=")
    if not equals or value != "-":
        return who
    if sys.stdin.isatty():
        click.echo(_("value: "), nl=False, err=True)
    text = sys.stdin.readline(_READ_MAX)
    if not text.strip():
        raise UsageError(_("the value is empty"), do=_("write the value to standard input"))
    return f"{kind}={text.rstrip(chr(10))}"


@command.command(
    "find",
    cls=Verb,
    short_help=_("Tell where a person stands, and in how many rows; no value."),
    help="\n\n".join(
        [
            _("Tell where a person stands, and in how many rows; no value."),
            _(
                "Every retained version of every dataset whose contract names its subject is searched, and what is set "
                "aside."
            ),
        ]
    ),
)
@click.argument("who", metavar=_("WHO"))
@click.pass_obj
def find(settings: Settings, who: str) -> Answer:
    """Finds a person."""
    from lastro.workspace.rights.subjects import values

    workspace = lastro.open()
    with working(_("searching"), settings):
        found = workspace.subject_find(meant(who))
    return Answer(
        values=values(found),
        blocks=lambda: report.sought(found),
        verdict=report.sought_verdict(found),
        next=f"lastro subject export {found.kind}=… --to {_('FOLDER')}" if found.is_anywhere else "",
    )


@command.command(
    "export",
    cls=Verb,
    short_help=_("Write everything about a person into a new folder (GDPR 15, 20; LGPD 18 I, II, V)."),
    help="\n\n".join(
        [
            _("Write everything about a person into a new folder (GDPR 15, 20; LGPD 18 I, II, V)."),
            _(
                "Rows as JSON lines and CSV with the person's own identifiers, a document in English and Portuguese, "
                "and a manifest. The folder lies outside the workspace and of git, and only its owner can read it."
            ),
        ]
    ),
)
@click.argument("who", metavar=_("WHO"))
@click.option(
    "--to", required=True, type=click.Path(path_type=Path), metavar=_("FOLDER"), help=_("Where to write; made anew.")
)
@click.option("--basis", default="", metavar=_("TEXT"), help=_('The article, such as "LGPD art. 18, II".'))
@click.option("--request", metavar="ID", help=_("The registered request that this answers."))
@click.option("--all-versions", is_flag=True, help=_("Rows of every retained version, each with its versions."))
@click.pass_obj
def export(settings: Settings, who: str, to: Path, basis: str, request: str | None, *, all_versions: bool) -> Answer:
    """Exports a person's data."""
    workspace = lastro.open()
    with working(_("exporting"), settings):
        done = workspace.subject_export(meant(who), to=to, basis=basis, request=request, all_versions=all_versions)
    rows = ngettext("{n} row", "{n} rows", done.rows).format(n=number(done.rows))
    said = (
        _("{rows} written to {path}") if done.sought.is_anywhere else _("nothing about this person; said so in {path}")
    )
    return Answer(
        values=done.to_dict(),
        blocks=lambda: report.exported(done.sought, done.request, done.others),
        verdict=said.format(rows=rows, path=to),
        next="lastro subject requests",
    )


@command.command(
    "rectify",
    cls=Verb,
    short_help=_("Put values of a person's rows right, and list whom to tell (GDPR 16, 19; LGPD 18 III, §6)."),
    help="\n\n".join(
        [
            _("Put values of a person's rows right, and list whom to tell (GDPR 16, 19; LGPD 18 III, §6)."),
            _(
                "The newest version gets the value, by a new version; what stands as a token is put right in the "
                "vault, for every version. Earlier versions keep the old value of all else."
            ),
        ]
    ),
)
@click.argument("who", metavar=_("WHO"))
@click.option("--dataset", required=True, metavar=_("NAME"), help=_("The dataset to correct."))
@click.option(
    "--set",
    "settings_",
    required=True,
    multiple=True,
    metavar=_("COLUMN=VALUE"),
    help=_("The right value, nothing for a missing one, - to read it from standard input; may be repeated."),
)
@click.option("--basis", default="", metavar=_("TEXT"), help=_('The article, such as "LGPD art. 18, III".'))
@click.option("--request", metavar="ID", help=_("The registered request that this answers."))
@click.option(
    "--receipt",
    "receipts",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar=_("FILE"),
    help=_("Write the receipt into this new .md, .html or .json file; may be repeated."),
)
@click.pass_obj
def rectify(
    settings: Settings,
    who: str,
    dataset: str,
    settings_: tuple[str, ...],
    basis: str,
    request: str | None,
    receipts: tuple[Path, ...],
) -> Answer:
    """Corrects a person's rows."""
    from lastro.workspace.configuration import write_new
    from lastro.workspace.rights.rectifying import receipt, values

    for path in receipts:
        if path.suffix not in _RECEIPTS or path.exists():
            raise UsageError(_("a receipt is a new .md, .html or .json file"), where=str(path), do=_("name another"))
    workspace = lastro.open()
    person, wanted = meant(who), dict(map(_setting, settings_))
    with working(_("correcting"), settings):
        done = workspace.subject_rectify(person, dataset=dataset, values=wanted, basis=basis, request=request)
    document = receipt(done)
    for path in receipts:
        write_new(path, _RECEIPTS[path.suffix](document))
    derived = f"lastro build {done.derived[0]}" if done.derived else ""
    return Answer(
        values=values(done),
        blocks=lambda: document.blocks,
        verdict=document.verdict,
        next=derived or f"lastro check {dataset}",
    )


def _setting(text: str) -> tuple[str, str | None]:
    """A column and its new value; None where there is none."""
    column, equals, value = text.partition("=")
    if not column or not equals:
        raise UsageError(_("this says of no column what its value is"), do=_("write --set COLUMN=VALUE"))
    if value == "-":
        value = sys.stdin.readline(_READ_MAX).rstrip("\n")
    return column, value or None


@command.command(
    "requests",
    cls=Verb,
    short_help=_("List the requests of persons and their last days; overdue ones first."),
    help="\n\n".join(
        [
            _("List the requests of persons and their last days; overdue ones first."),
            _(
                "The register holds no name and no value: whose a request is, your letters say. Exit code 1 says that "
                "one is overdue."
            ),
        ]
    ),
)
@click.option("--add", "right", metavar=_("RIGHT"), help=_("Enter a request: access, rectification, erasure, …"))
@click.option("--received", type=_DATE, metavar=_("DATE"), help=_("With --add: the day on which it came; else today."))
@click.option("--basis", default="", metavar=_("TEXT"), help=_('With --add: the article, such as "GDPR art. 15".'))
@click.option("--close", metavar="ID", help=_("Say that a request was answered, outside of Lastro."))
@click.option("--outcome", default="", metavar=_("TEXT"), help=_('With --close: how, such as "refused: no proof".'))
def requests(right: str | None, received: datetime | None, basis: str, close: str | None, outcome: str) -> Answer:
    """Lists, enters and closes requests."""
    workspace = lastro.open()
    if (right is None and (received or basis)) or (close is None and outcome) or (right and close):
        raise UsageError(
            _("these options do not go together"),
            do=_("use --add with --received and --basis, or --close with --outcome"),
        )
    if right is not None:
        workspace.enter_request(right, received=received.date() if received else None, basis=basis)
    if close is not None:
        workspace.close_request(close, outcome=outcome)
    found = workspace.subject_requests()
    still = ngettext("{n} request is open", "{n} requests are open", found.open).format(n=number(found.open))
    return Answer(
        values=found.to_dict(),
        blocks=lambda: report.requests(found.requests, found.today),
        verdict=_("{open}, {overdue} overdue").format(open=still, overdue=number(found.overdue)),
        next=f"lastro subject export {_('KIND')}=… --request ID --to {_('FOLDER')}" if found.open else "",
        exit_code=1 if found.overdue else 0,
    )

"""`lastro report`: the documents that laws ask for, and descriptions that others read, made of what happened."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Family, Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _

if TYPE_CHECKING:
    from lastro.workspace.audit.documents import Document
    from lastro.workspace.workspace import Workspace

_NEW = click.Path(path_type=Path, dir_okay=False)
_FORMS = (".md", ".html", ".json")
command = Family(
    "report",
    help=help_text(
        "report",
        _(
            "What is told is what happened: only the organisation, its judgements and legal bases are typed by people, "
            "in lastro.yaml and in contracts. Documents are drafts to be reviewed with counsel. They are written in "
            "the language of LASTRO_LANG, English or Brazilian Portuguese."
        ),
    ),
)

Made = Callable[["Workspace"], "Document"]


def _output(function: Callable[..., Answer]) -> Callable[..., Answer]:
    return click.option(
        *("--output", "--out", "-o", "out"),
        type=_NEW,
        metavar=_("FILE"),
        help=_("Write the document into this new file; its ending says how: .md, .html or .json."),
    )(function)


def _answer(settings: Settings, made: Made, out: Path | None, *, next_: str) -> Answer:
    """Makes the document, writes it if it is to be kept, and shows it."""
    _check(out)
    with working(_("gathering"), settings):
        found = made(lastro.open())
    verdict = found.verdict
    if out is not None:
        _write(found, out)
        verdict = _("{verdict}; written to {path}").format(verdict=verdict, path=out)
    return Answer(
        values={"kind": found.kind, "title": found.title, **found.values, "out": out},
        blocks=lambda: found.blocks if out is None else (),
        verdict=verdict,
        next=next_,
    )


def _check(out: Path | None) -> None:
    if out is not None and out.suffix not in _FORMS:
        raise UsageError(
            _("{name} does not say how to write it").format(name=out.name),
            do=_("let its name end in one of {keys}").format(keys=", ".join(_FORMS)),
        )


def _write(found: Document, out: Path) -> None:
    from lastro.report.json_values import answer_json
    from lastro.workspace.configuration import write_new

    match out.suffix:
        case ".md":
            text = found.to_markdown()
        case ".html":
            text = found.to_html()
        case _:
            values = {"kind": found.kind, "title": found.title, "verdict": found.verdict, **found.values}
            text = answer_json(f"lastro.report.{found.kind}/1", values, ok=True) + "\n"
    write_new(out, text)


def _about(kind: str, line: str, *more: str) -> click.Command:
    """The command of a document about datasets."""

    @click.command(kind, cls=Verb, short_help=line, help="\n\n".join([line, *more]))
    @click.argument("names", nargs=-1, metavar=_("[NAME]..."))
    @_output
    @click.pass_obj
    def about(settings: Settings, names: tuple[str, ...], out: Path | None) -> Answer:
        return _answer(settings, lambda workspace: workspace.report(kind, *names), out, next_="lastro ledger verify")

    about.__doc__ = line
    return about


_OF_ALL = _("Without a NAME, all datasets are in it.")
for each in (
    _about(
        "data-map",
        _("Show every column of every dataset: class, protection, use and origin."),
        _("Classes and protections are the contracts', use is what the ledger recorded; no data is read."),
        _OF_ALL,
    ),
    _about("ropa", _("Write the record of processing activities: GDPR art. 30, LGPD art. 37."), _OF_ALL),
    _about("dpia", _("Write a draft of the data protection impact assessment: GDPR art. 35."), _OF_ALL),
    _about("ripd", _("Write a draft of the impact report of Brazil's law: LGPD art. 38."), _OF_ALL),
    _about("access", _("Write who read, exported or revealed what, for which purpose, and who was refused."), _OF_ALL),
    _about(
        "control",
        _("Write the register of measures, each with its proof: GDPR art. 24, 25, 32; LGPD art. 46, 49, 50."),
        _("Stored versions are compared with what was committed, and the ledger is read again; no row is read."),
        _OF_ALL,
    ),
):
    command.add_command(each)


@command.command(
    "incident",
    cls=Verb,
    short_help=_("Write what an actor could have taken, and whom to tell by when: GDPR art. 33, LGPD art. 48."),
    help="\n\n".join(
        [
            _("Write what an actor could have taken, and whom to tell by when: GDPR art. 33, LGPD art. 48."),
            _OF_ALL,
        ]
    ),
)
@click.argument("names", nargs=-1, metavar=_("[NAME]..."))
@click.option("--actor", "actors", multiple=True, metavar=_("NAME"), help=_("Whose doings; may be repeated."))
@click.option("--since", metavar=_("MOMENT"), help=_("Only what was done from then on, in UTC."))
@click.option("--until", metavar=_("MOMENT"), help=_("Only what was done up to then, in UTC."))
@click.option("--known", metavar=_("MOMENT"), help=_("Since when the incident is known, in UTC; now, if not said."))
@_output
@click.pass_obj
def incident(
    settings: Settings,
    names: tuple[str, ...],
    actors: tuple[str, ...],
    since: str | None,
    until: str | None,
    known: str | None,
    out: Path | None,
) -> Answer:
    """Writes the dossier of an incident."""
    from lastro.model.interval import parse_moment

    first, last, aware = (None if text is None else parse_moment(text) for text in (since, until, known))
    return _answer(
        settings,
        lambda workspace: workspace.incident_report(*names, actors=actors, since=first, until=last, known=aware),
        out,
        next_="lastro ledger verify",
    )


@command.command(
    "datasheet",
    cls=Verb,
    short_help=_("Write the datasheet of a version: EU AI Act art. 10 and annex IV."),
    help="\n\n".join(
        [
            _("Write the datasheet of a version: EU AI Act art. 10 and annex IV."),
            _("VERSION is NAME, or NAME@REF with a number, tag, date or digest."),
        ]
    ),
)
@click.argument("reference", metavar=_("VERSION"))
@_output
@click.pass_obj
def datasheet(settings: Settings, reference: str, out: Path | None) -> Answer:
    """Writes a datasheet."""
    name = reference.partition("@")[0]
    return _answer(
        settings, lambda workspace: workspace.datasheet(reference), out, next_=f"lastro log {shlex.quote(name)}"
    )


@command.command(
    "croissant",
    cls=Verb,
    short_help=_("Describe a version as Croissant 1.1, so that other libraries load the same rows."),
    help="\n\n".join(
        [
            _("Describe a version as Croissant 1.1, so that other libraries load the same rows."),
            _("VERSION is NAME, or NAME@REF with a number, tag, date or digest."),
        ]
    ),
)
@click.argument("reference", metavar=_("VERSION"))
@click.option(
    *("--output", "--out", "-o", "out"),
    type=_NEW,
    metavar=_("FILE"),
    help=_("Write into this new file, in the workspace's folder or one above it; printed, if not said."),
)
def croissant(reference: str, out: Path | None) -> Answer:
    """Writes a Croissant description."""
    from lastro.workspace.configuration import write_new

    folder = None if out is None else out.absolute().parent
    found = lastro.open().croissant(reference, folder=folder)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if out is not None:
        write_new(out, text)
    verdict = _("{name} is described").format(name=reference)
    values: dict[str, Any] = {"croissant": found, "out": out}  # Any: JSON values
    return Answer(
        values=values,
        verdict=_("{verdict}; written to {path}").format(verdict=verdict, path=out),
        next=f"lastro report datasheet {shlex.quote(reference)}",
        text=text if out is None else "",
    )

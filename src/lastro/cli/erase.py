"""`lastro erase`: a person's right, and its proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import UsageError
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Column, Line, table
from lastro.report.numbers import number

if TYPE_CHECKING:
    from lastro.workspace.rights.erasing import ErasureResult


@click.command(
    "erase",
    cls=Verb,
    help=help_text(
        "erase",
        _(
            "The rows leave all versions, quarantines and derived datasets; every version stays readable, and has its "
            "name. The vault forgets the person, who does not come in again. What a contract's legal hold covers is "
            "refused, with exit code 4. The certificate is written into .lastro/erasures."
        ),
        _("--verify proves a certificate; --resume finishes what was cut off."),
    ),
)
@click.option(
    "--subject",
    "subjects",
    multiple=True,
    metavar=_("KIND=VALUE"),
    help=_("Whom: cpf=123.456.789-09; cpf=- reads it from standard input."),
)
@click.option("--token", "tokens", multiple=True, metavar=_("TOKEN"), help=_("Whom, by a token of the vault."))
@click.option(
    "--file", "file", type=click.Path(path_type=Path), metavar=_("FILE"), help=_("Many: one identifier a line.")
)
@click.option("--kind", metavar=_("KIND"), help=_("What the identifiers of the file are."))
@click.option("--basis", default="", metavar=_("TEXT"), help=_("The legal basis: 'LGPD art. 18, VI'."))
@click.option("--except-held", is_flag=True, help=_("Leave out what a legal duty keeps."))
@click.option("--dry-run", is_flag=True, help=_("Say what would go, and change nothing."))
@click.option("--request", metavar="ID", help=_("The registered request that this answers."))
@click.option("--resume", is_flag=True, help=_("Finish erasures that were cut off."))
@click.option("--verify", "certificate", type=click.Path(path_type=Path), metavar=_("FILE"), help=_("A certificate."))
@click.pass_obj
def command(
    settings: Settings,
    /,
    *,
    subjects: tuple[str, ...],
    tokens: tuple[str, ...],
    certificate: Path | None,
    resume: bool,
    **options: object,
) -> Answer:
    """Erases people, or proves that they were."""
    if certificate is not None:
        return _verified(certificate)
    if resume:
        return _resumed()
    kind, named = _named(subjects, tokens, options)
    with working(_("erasing"), settings):
        result = lastro.open().erase(
            *named,
            kind=kind,
            basis=str(options["basis"]),
            except_held=bool(options["except_held"]),
            dry_run=bool(options["dry_run"]),
            request=str(options["request"]) if options["request"] else None,
        )
    return Answer(
        values=result.to_dict(),
        blocks=lambda: _report(result),
        verdict=_verdict(result),
        next=f"lastro erase --verify {result.certificate}" if result.done else "",
    )


def _named(
    subjects: tuple[str, ...], tokens: tuple[str, ...], options: dict[str, object]
) -> tuple[str | None, list[str]]:
    """The kind of the identifiers, and all of them."""
    from lastro.cli.subject import meant

    kind = str(options["kind"]) if options["kind"] else None
    named = list(tokens)
    for each in subjects:
        of, sign, value = meant(each).partition("=")
        if not sign or (kind is not None and of != kind):
            raise UsageError(
                _("a subject is a kind and a value, all of one kind"), do=_("write --subject cpf=123.456.789-09")
            )
        kind = of
        named.append(value)
    if isinstance(options["file"], Path):
        try:
            named += options["file"].read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                _("the file of identifiers cannot be read"), where=str(options["file"]), do=_("one identifier a line")
            ) from error
    if not any(each.strip() for each in named):
        raise UsageError(_("it is not said who is to be erased"), do=_("write --subject cpf=123.456.789-09"))
    return kind, named


def _resumed() -> Answer:
    results = lastro.open().resume_erasures()
    count = len(results)
    return Answer(
        values={"erasures": [result.to_dict() for result in results]},
        schema="lastro.erase.resume/1",
        blocks=lambda: tuple(block for result in results for block in _report(result)),
        verdict=ngettext("{count} erasure was finished", "{count} erasures were finished", count).format(count=count)
        if results
        else _("no erasure was cut off"),
    )


def _verified(path: Path) -> Answer:
    found = lastro.open().verify_certificate(path)
    return Answer(
        values={"certificate": dict(found.record), "passed": True},
        schema="lastro.erase.certificate/1",
        verdict=_("the certificate of erasure {request} is genuine, and the tables say the same").format(
            request=found.id
        ),
        next="lastro verify --read-data",
    )


def _report(result: ErasureResult) -> Blocks:
    columns = (
        Column(_("dataset")),
        Column(_("rows"), right=True),
        Column(_("files"), right=True),
        Column(_("versions"), right=True),
    )
    rows = [(each.dataset, number(each.rows), number(each.files), number(len(each.versions))) for each in result.tables]
    blocks: Blocks = (table(columns, rows),) if rows else ()
    if result.kept:
        blocks += (Line(_("kept by a legal duty: {datasets}").format(datasets=", ".join(result.kept))),)
    if result.done:
        blocks += (Line(_("found in the bytes of the workspace: {count}").format(count=result.hits)),)
        blocks += tuple(Line(f"  {path}") for path in result.paths[:10])
    return blocks


def _verdict(result: ErasureResult) -> str:
    people = ngettext("{count} person", "{count} people", result.people).format(count=result.people)
    stored = sum(each.rows for each in result.tables)
    rows = ngettext("{count} stored row", "{count} stored rows", stored).format(count=number(stored))
    if not result.done:
        return _("{people} would be erased: {rows}; nothing was changed").format(people=people, rows=rows)
    return _("{people} erased: {rows}; certificate {path}").format(people=people, rows=rows, path=result.certificate)

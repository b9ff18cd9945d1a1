"""`lastro ledger`: who did what with which data, and the proof of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.progress import working
from lastro.cli.verb import Family, Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import Corrupted, UsageError
from lastro.model.text import _, ngettext
from lastro.report import ledger as report
from lastro.report.numbers import number
from lastro.workspace.configuration import write_new

if TYPE_CHECKING:
    from lastro.workspace.audit.ledger import WorkspaceLedger
    from lastro.workspace.audit.timestamping import Stamped

_NEW = click.Path(path_type=Path, dir_okay=False)
_SHOWN = 50
command = Family(
    "ledger",
    help=help_text(
        "ledger",
        _(
            "Every commit, reading, tag and removal is an event in a Merkle tree under signed checkpoints. What is "
            "changed afterwards is found by whoever holds the public key and a checkpoint."
        ),
    ),
)


@command.command(
    "show",
    cls=Verb,
    short_help=_("List events, the newest first."),
    help="\n\n".join([_("List events, the newest first."), _("With --json all that match are given.")]),
)
@click.option("--dataset", metavar=_("NAME"), help=_("Only what was done with this dataset."))
@click.option("--actor", metavar=_("NAME"), help=_("Only what this actor did."))
@click.option("--action", metavar=_("ACTION"), help=_("Only events of this kind, such as read or commit."))
@click.option("--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help=_("How many to list."))
def show(dataset: str | None, actor: str | None, action: str | None, limit: int) -> Answer:
    """Lists events."""
    found = list(lastro.open().ledger.events(dataset=dataset, actor=actor, action=action))
    newest = found[::-1][:limit]
    counted = ngettext("{n} event", "{n} events", len(found)).format(n=number(len(found)))
    return Answer(
        values={"events": [report.event_values(place, event) for place, event in found]},
        blocks=lambda: report.events(newest) if newest else (),
        verdict=counted,
        next=f"lastro ledger prove {newest[0][0]}" if newest else "lastro ingest",
    )


def _certificate(told: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    readable = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option("--certificate", type=readable, metavar=_("FILE"), help=told)


def _stamps(anchors: tuple[Path, ...], certificate: Path) -> tuple[Stamped, ...]:
    """The time-stamps beside the anchors, proven."""
    from lastro.workspace.audit.timestamping import certificates_of, stamps

    held = certificates_of(certificate)
    found = tuple(stamped for each in anchors for stamped in stamps(each, held))
    if not found:
        raise UsageError(
            _("no time-stamp lies beside the anchors"),
            do=_("name them with --anchor; lastro ledger anchor --tsa URL asks for one"),
        )
    return found


@command.command(
    "verify",
    cls=Verb,
    short_help=_("Read the whole ledger again and tell what was changed."),
    help="\n\n".join(
        [
            _("Read the whole ledger again and tell what was changed."),
            _(
                "Without an --anchor, a ledger whose newest events are gone together with their checkpoints cannot be "
                "told from an earlier one. Exit code 3 says that something was changed."
            ),
        ]
    ),
)
@click.option(
    "--anchor",
    "anchors",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar=_("FILE"),
    help=_("A file of checkpoints that was kept elsewhere; may be repeated."),
)
@click.option("--git", "in_git", is_flag=True, help=_("Take the checkpoints in git's tags for anchors, too."))
@_certificate(_("Prove the time-stamps beside the anchors under this root certificate (PEM)."))
@click.pass_obj
def verify(settings: Settings, anchors: tuple[Path, ...], in_git: bool, certificate: Path | None) -> Answer:
    """Audits the ledger."""
    from lastro.workspace.audit.anchoring import notes_of, of_git

    ledger = lastro.open().ledger
    with working(_("verifying"), settings):
        held = [note for each in anchors for note in notes_of(each)] + (of_git(ledger) if in_git else [])
        found = () if certificate is None else _stamps(anchors, certificate)
        audit = report.with_stamps(ledger.verify(anchors=held), [each.fault for each in found if each.fault])
    values = {**report.audit_values(audit), "key": str(ledger.key), "anchors": len(held)}
    return Answer(
        values={**values, "stamps": [report.stamp_values(each.size, each.stamp) for each in found]},
        blocks=lambda: (*report.stamps([(each.size, each.stamp) for each in found]), *report.faults(audit)),
        verdict=report.audit_verdict(audit),
        next="lastro ledger anchor --git" if audit.passed and not held else "",
        exit_code=0 if audit.passed else Corrupted.exit_code,
    )


@command.command(
    "prove",
    cls=Verb,
    short_help=_("Write the proof that an event is in the ledger."),
    help="\n\n".join(
        [
            _("Write the proof that an event is in the ledger."),
            _("NUMBER is the event's, from 0, as `lastro ledger show` lists it. The verifier of an export checks it."),
        ]
    ),
)
@click.argument("place", type=click.IntRange(min=0, max=(1 << 63) - 1), metavar=_("NUMBER"))
@click.option("--output", "--out", "-o", "out", type=_NEW, metavar=_("FILE"), help=_("Write into this new file."))
def prove(place: int, out: Path | None) -> Answer:
    """Proves an event."""
    from lastro.ledger.export import proof_text, proof_values

    ledger = lastro.open().ledger
    proof = ledger.prove(place)
    if out is not None:
        write_new(out, proof_text(proof))
    verdict = _("event {number} is in the ledger").format(number=number(place))
    return Answer(
        values={"proof": proof_values(proof), "key": str(ledger.key), "out": out},
        blocks=lambda: report.proof(proof),
        verdict=_("{verdict}; written to {path}").format(verdict=verdict, path=out),
        next=f"lastro ledger export {_('FOLDER')}",
        text=proof_text(proof) if out is None else "",
    )


@command.command(
    "checkpoint",
    cls=Verb,
    short_help=_("Print the newest checkpoint, to be kept elsewhere."),
    help="\n\n".join(
        [
            _("Print the newest checkpoint, to be kept elsewhere."),
            _("Whoever holds it can prove that nothing that it covers was changed or removed since."),
        ]
    ),
)
@click.option("--output", "--out", "-o", "out", type=_NEW, metavar=_("FILE"), help=_("Write into this new file."))
def checkpoint(out: Path | None) -> Answer:
    """Gives the newest checkpoint."""
    ledger = lastro.open().ledger
    note = ledger.checkpoint()
    if out is not None:
        write_new(out, note)
    verdict = _("signed with the key {key}").format(key=ledger.key)
    return Answer(
        values={"checkpoint": note, "key": str(ledger.key), "out": out},
        blocks=lambda: report.note(note),
        verdict=_("{verdict}; written to {path}").format(verdict=verdict, path=out),
        next=f"lastro ledger verify --anchor {shlex.quote(str(out))}",
        text=note if out is None else "",
    )


@command.command(
    "export",
    cls=Verb,
    short_help=_("Write the ledger and a program that checks it without Lastro."),
    help="\n\n".join(
        [
            _("Write the ledger and a program that checks it without Lastro."),
            _("FOLDER is made anew. `verify.py` in it needs Python and the library cryptography, nothing else."),
        ]
    ),
)
@click.argument("folder", type=click.Path(path_type=Path), metavar=_("FOLDER"))
def export(folder: Path) -> Answer:
    """Exports the ledger."""
    ledger = lastro.open().ledger
    count = ledger.export(folder)
    events = ngettext("{n} event", "{n} events", count).format(n=number(count))
    return Answer(
        values={"folder": folder, "events": count, "key": str(ledger.key)},
        verdict=_("{events} written to {path}").format(events=events, path=folder),
        next=f"python {shlex.quote(str(folder / 'verify.py'))} {shlex.quote(str(folder))} --key {ledger.key}",
    )


@command.command(
    "anchor",
    cls=Verb,
    short_help=_("Keep the newest checkpoint elsewhere: in a file, or in git."),
    help="\n\n".join(
        [
            _("Keep the newest checkpoint elsewhere: in a file, or in git."),
            _(
                "A file is appended to. In git it is an annotated tag in the repository that the workspace lies in, "
                "and protects once the tag is pushed; Lastro asks no network."
            ),
            _(
                "With --tsa, a time-stamp authority (RFC 3161) signs that the checkpoint was there, and its answer is "
                "kept beside the file, as FILE.SIZE.tsr. It gets a digest, nothing else."
            ),
        ]
    ),
)
@click.option("--file", "path", type=_NEW, metavar=_("FILE"), help=_("Append it to this file."))
@click.option("--git", "in_git", is_flag=True, help=_("Make a tag lastro/ledger/SIZE that holds it."))
@click.option("--tsa", metavar="URL", help=_("Have it stamped by this time-stamp authority; needs --file."))
@_certificate(_("Prove what the authority answers under this root certificate (PEM) before it is kept."))
def anchor(path: Path | None, in_git: bool, tsa: str | None, certificate: Path | None) -> Answer:
    """Anchors the ledger."""
    from lastro.workspace.audit.anchoring import into_file, into_git

    if (path is None) is not in_git:
        raise UsageError(_("say where the checkpoint is to be kept"), do=_("write --file FILE, or --git"))
    if tsa is None and certificate is not None:
        raise UsageError(_("a certificate proves a time-stamp, and none is asked for"), do=_("write --tsa URL, too"))
    ledger = lastro.open().ledger
    if tsa is not None:
        return _stamped(ledger, path, tsa, certificate)
    note, place = (into_file(ledger, path), str(path)) if path is not None else into_git(ledger)
    return Answer(
        values={"checkpoint": note, "place": place, "key": str(ledger.key)},
        blocks=lambda: report.note(note),
        verdict=_("the checkpoint is in {place}").format(place=place),
        next=f"git push origin {place}" if in_git else f"lastro ledger verify --anchor {shlex.quote(place)}",
    )


def _stamped(ledger: WorkspaceLedger, path: Path | None, url: str, certificate: Path | None) -> Answer:
    """Anchors the ledger with a time-stamp."""
    from lastro.workspace.audit.timestamping import certificates_of, stamp

    if path is None:
        raise UsageError(_("a time-stamp is kept beside a file"), do=_("write --file FILE"))
    held = None if certificate is None else certificates_of(certificate)
    note, found = stamp(ledger, path, url, certificates=held)
    told = _("the checkpoint is in {place}; what the authority signed is in {path}, not proven yet")
    proven = _("the checkpoint is in {place}; what the authority signed is in {path}, and proven")
    stamped = report.stamp_values(found.size, found.stamp)
    return Answer(
        values={"checkpoint": note, "place": str(path), "key": str(ledger.key), "stamp": stamped},
        blocks=lambda: (*report.note(note), *report.stamps([(found.size, found.stamp)])),
        verdict=(told if held is None else proven).format(place=path, path=found.path),
        next=f"lastro ledger verify --anchor {shlex.quote(str(path))} --certificate {_('FILE')}",
    )


@command.command(
    "rotate",
    cls=Verb,
    short_help=_("Make a new key that signs from now on."),
    help="\n\n".join(
        [
            _("Make a new key that signs from now on."),
            _("The old key signs that it is replaced, and is gone; what it signed stays provable by the first key."),
        ]
    ),
)
def rotate() -> Answer:
    """Rotates the key."""
    ledger = lastro.open().ledger
    new = ledger.rotate()
    return Answer(
        values={"key": str(ledger.key), "signs": str(new)},
        verdict=_("a new key signs: {key}").format(key=new),
        next="lastro ledger verify",
    )


@command.command(
    "touched",
    cls=Verb,
    short_help=_("List what somebody, or a key, touched: columns, versions, when, what for."),
    help="\n\n".join(
        [
            _("List what somebody, or a key, touched: columns, versions, when, what for."),
            _("A key is one of the ledger, by the eight digits after its name, or one that events name."),
        ]
    ),
)
@click.option("--actor", metavar=_("NAME"), help=_("Who did it."))
@click.option("--key", metavar=_("KEY"), help=_("With which key."))
@click.option("--since", metavar=_("DATE"), help=_("Only from then on, a date or moment in UTC."))
def touched(actor: str | None, key: str | None, since: str | None) -> Answer:
    """Shows a blast radius."""
    from lastro.model.interval import parse_moment

    if actor is None and key is None:
        raise UsageError(_("nobody is named"), do=_("write --actor NAME, or --key KEY"))
    start = None if since is None else parse_moment(since)
    found = lastro.open().ledger.touched(actor=actor, key=key, since=start)
    sentence = ngettext("{n} version was touched", "{n} versions were touched", len(found))
    return Answer(
        values={"touched": [each.to_dict() for each in found]},
        blocks=lambda: report.touched(found) if found else (),
        verdict=sentence.format(n=number(len(found))),
        next="lastro ledger show" + (f" --actor {shlex.quote(actor)}" if actor else ""),
    )

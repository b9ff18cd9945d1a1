"""Erasing people from a workspace: what there is to look through, the request's course, and its certificate.

Rules:

1. Looked through are all datasets with a table, the derived and those without contract among them, and all quarantines.
2. Who is not in the vault yet is put there first: the request then names nobody, and the person is blocked afterwards.
3. Where access control is on, whoever erases must be given the action `erase` on every dataset that loses rows.
4. What is given names a person. A value that only stands in persons' rows, an e-mail address that two share, is
   refused: it would take the rows of all of them, or leave the person's others.
5. One erasure at a time. A request that a crash left is finished by `resume`, and by whoever is about to change tables
   (`finish_first`): a batch, a build, a correction, a restored version, what retention, `gc` and `repair` do. There, an
   erasure that still cannot be finished, or is under way elsewhere, stops nobody; `lastro erase --resume` tells of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model import clock
from lastro.model.durable import write_durably
from lastro.model.errors import Corrupted, LastroError, NotPermitted, UnknownName, UsageError
from lastro.model.text import _, speaking
from lastro.workspace.rights import subject_requests

if TYPE_CHECKING:
    from lastro.governance.certificate import Certificate
    from lastro.governance.erase import Place, Request
    from lastro.governance.sought import Sought
    from lastro.model.personal import Hold
    from lastro.store.erasure.erasing import Erased
    from lastro.workspace.workspace import Workspace

FOLDER = ".lastro/erasures"
_LANGUAGES = {"en": "en", "pt_BR": "pt-BR"}
_LINE = "lastro:line"
"""The vault's kind of lines of a source that could not be taken apart."""
_FEW = 20
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class ErasedTable:
    """What one table lost, or would lose: its rows in files, and the versions with how many of theirs."""

    dataset: str
    rows: int
    files: int
    versions: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """An erasure, or what would be one: `request` and `certificate` are empty then. `unknown` people were nowhere."""

    request: str
    certificate: str
    people: int
    unknown: int
    tables: tuple[ErasedTable, ...]
    kept: tuple[str, ...]
    hits: int
    paths: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """False if it was only told what would go."""
        return bool(self.certificate)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The result as plain values."""
        return {**asdict(self), "done": self.done}


def erase(
    workspace: Workspace,
    subjects: Sequence[str],
    *,
    kind: str | None,
    basis: str,
    except_held: bool = False,
    dry_run: bool = False,
    request: str | None = None,
) -> ErasureResult:
    """Erases people, by identifiers of a kind or by tokens. `request` is the id of their request in the register;
    without one, one that came today is entered.

    Raises `UnknownName` if nobody of them is anywhere, `NotPermitted` for a legal hold, `UsageError`, `StoreError`.
    """
    if not basis.strip():
        raise UsageError(
            _("an erasure has a legal basis"),
            do=_("say which: --basis 'LGPD art. 18, VI'"),
            state=_("nothing was erased"),
        )
    with _alone(workspace):
        _resume(workspace)
        return _erase(workspace, subjects, kind, basis.strip(), request, except_held=except_held, dry_run=dry_run)


def _erase(
    workspace: Workspace,
    subjects: Sequence[str],
    kind: str | None,
    basis: str,
    request: str | None,
    *,
    except_held: bool,
    dry_run: bool,
) -> ErasureResult:
    from lastro.governance import erase as law

    places = tuple(places_of(workspace))
    kind = kind or _only_kind(places)
    named = [text for each in subjects if (text := each.strip())]
    looked = _looked(workspace, places, kind, named)
    held = law.check_holds(places, looked.found, workspace.clock().date())
    _permit(workspace, looked.found)
    if dry_run:
        return _told(looked, held)
    if held and not except_held:
        raise law.refused(held)
    asked = subject_requests.taken_up(workspace, request, "erasure", basis)
    now = workspace.clock()
    wish = law.Request(
        id=f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        at=clock.to_text(now),
        basis=basis,
        kind=kind,
        subjects=tuple(dict.fromkeys(_tokens(workspace, kind, looked.known))),
        left_out=tuple(sorted(held)),
    )
    law.write(workspace.root / FOLDER, wish)
    done = replace(_carry_out(workspace, wish, places, looked.sought), unknown=looked.unknown)
    subject_requests.answer(workspace, asked.id, f"erased: {wish.id}")
    return done


def resume(workspace: Workspace) -> tuple[ErasureResult, ...]:
    """Finishes what a crash left. Raises as `erase` does, and `Locked` while another erasure is under way."""
    if not _are_open(workspace):
        return ()
    with _alone(workspace):
        return _resume(workspace)


def finish_first(workspace: Workspace) -> None:
    """Finishes what a crash left, if that is possible now (rule 5)."""
    if _are_open(workspace):
        # Swallows what stands in the way of an old request: what is about to be done has nothing to do with it.
        with suppress(LastroError), _alone(workspace, waiting=False):
            _resume(workspace)


def _resume(workspace: Workspace) -> tuple[ErasureResult, ...]:
    from lastro.governance import erase as law

    return tuple(
        _carry_out(workspace, request, tuple(places_of(workspace)), None)
        for request in law.open_requests(workspace.root / FOLDER)
    )


def _are_open(workspace: Workspace) -> bool:
    from lastro.governance.erase import ENDING

    return next((workspace.root / FOLDER).glob(f"*{ENDING}"), None) is not None


@contextmanager
def _alone(workspace: Workspace, *, waiting: bool = True) -> Iterator[None]:
    """Within, nobody else erases here. Raises `Locked`."""
    from lastro.store.lock import held

    patience_s = _PATIENCE_S if waiting else 0
    with held(workspace.root / FOLDER / "alone.lock", dataset="lastro erase", timeout_s=patience_s) as sign:
        sign()
        yield


def forgotten(workspace: Workspace) -> int:
    """How many persons the vault forgot, by the certificates that are kept here. What is no certificate counts none."""
    from lastro.governance import certificate as certificates

    count = 0
    for path in sorted((workspace.root / FOLDER).glob("*.certificate.json")):
        with suppress(Corrupted):
            record = certificates.read(path).record
            count += int(record["people"]) if record.get("forgotten") else 0
    return count


def verify(workspace: Workspace, path: Path) -> Certificate:
    """The certificate in a file, its signature checked against the ledger's key, its generations against the tables.

    Raises `NotPermitted` if it is not genuine or the tables say otherwise, `Corrupted`.
    """
    from lastro.governance import certificate as certificates

    found = certificates.read(path)
    signer = next((key for key in workspace.ledger.keys if str(key) == found.key), None)
    if signer is None or not certificates.is_genuine(found, signer.key):
        raise NotPermitted(
            _("the certificate was not signed with this workspace's key, or was changed since"),
            where=str(path),
            do=_("verify it where it was made; lastro ledger verify proves the key"),
        )
    for each in found.record["tables"]:
        known = workspace.table(each["dataset"]).log.generations.known().generations
        digests = {generation.number: generation.digest for generation in known}
        if any(digests.get(one["number"]) != one["digest"] for one in each["generations"]):
            raise NotPermitted(
                _("{dataset} does not have the erasure that the certificate names").format(dataset=each["dataset"]),
                where=str(path),
                do=_("see what is damaged: lastro verify"),
            )
    return found


def places_of(workspace: Workspace) -> Iterator[Place]:
    """Everything in which somebody may be found (rule 1)."""
    from lastro.governance.erase import Place
    from lastro.store.table import tables

    known = set(workspace.datasets())
    for name in tables(workspace.root, quarantine=True):
        dataset = name.removesuffix(".quarantine")
        personal = None
        if dataset in known and workspace.dataset(dataset).has_contract():
            personal = workspace.dataset(dataset).contract().personal
        yield Place(dataset, workspace.table(name), personal, is_quarantine=name != dataset)


@dataclass(frozen=True, slots=True)
class _Looked:
    sought: Sought
    known: tuple[str, ...]
    """Identifiers or tokens of those who are somewhere."""
    unknown: int
    found: tuple[Erased, ...]


def _looked(workspace: Workspace, places: Sequence[Place], kind: str, named: Sequence[str]) -> _Looked:
    from lastro.governance import erase as law

    _refuse_what_names_nobody(workspace, kind, named)
    sought = _sought(workspace, kind, named)
    found = law.found(places, sought)
    known = [each for each in named if workspace.vault.find(kind, each) is not None]
    rest = [each for each in named if each not in set(known)]
    # Of whom the vault does not know, the rows tell who is there: of a few, one by one.
    alone = rest if found else []
    if found and len(rest) <= _FEW:
        alone = [each for each in rest if law.found(places, _sought(workspace, kind, [each]), afresh=True)]
    if not known and not alone:
        raise UnknownName(
            _("nobody is known by this {kind}").format(kind=kind),
            do=_("see which kinds contracts name: {kinds}").format(kinds=", ".join(_kinds(places)) or "-"),
            state=_("nothing was erased"),
        )
    return _Looked(sought, (*known, *alone), len(rest) - len(alone), found)


def _refuse_what_names_nobody(workspace: Workspace, kind: str, named: Sequence[str]) -> None:
    """Raises `UsageError` for a value that belongs to persons and names none (rule 4)."""
    vault = workspace.vault
    tokens = [token for each in named if (token := vault.find(kind, each)) is not None]
    for token, entry in vault.reveal(tokens).items():
        if entry.is_subject or not (owners := vault.owners(token)):
            continue
        kinds = dict.fromkeys(each.kind for each in vault.reveal(owners).values())
        raise UsageError(
            _("a value of the kind {kind} names nobody: it stands in rows of {count} persons").format(
                kind=entry.kind, count=len(owners)
            ),
            do=_("say who is to be erased by what names them: {kinds}").format(kinds=", ".join(kinds)),
            state=_("nothing was erased"),
        )


def _sought(workspace: Workspace, kind: str, named: Sequence[str]) -> Sought:
    """Everything that these people are found by."""
    from lastro.governance.sought import SHORTEST, Sought, spellings
    from lastro.privacy.token import TOKEN

    vault, tokens, values = workspace.vault, dict[str, set[str]](), set[str]()
    for each in named:
        token = vault.find(kind, each)
        entries = vault.entries(token) if token is not None else ()
        for entry in entries:
            # Their own name is looked for even where it stands in others' rows: as a guarantor's, say.
            if entry.token == token or set(vault.owners(entry.token)) <= {token}:
                tokens.setdefault(entry.kind, set()).add(entry.token)
            if entry.token == token and entry.kind == kind:
                values.add(entry.value)
        if not TOKEN.fullmatch(each):
            values.add(each)
    written = {spelling for value in values for spelling in spellings(kind, value) if len(spelling) >= SHORTEST}
    for entry in vault.of_kind(_LINE) if written else ():
        if any(spelling in entry.value for spelling in written):
            tokens.setdefault(_LINE, set()).add(entry.token)
    return Sought(kind, {name: frozenset(found) for name, found in tokens.items()}, frozenset(values))


def _carry_out(workspace: Workspace, request: Request, places: Sequence[Place], sought: Sought | None) -> ErasureResult:
    """Everything from the request on; done again after a crash, it goes on."""
    from lastro.governance import certificate as certificates
    from lastro.governance import erase as law

    folder = workspace.root / FOLDER
    sought = sought or _sought(workspace, request.kind, request.subjects)
    own = sought.tokens.get(request.kind, frozenset()) | {*request.subjects}
    sought = replace(sought, tokens={**sought.tokens, request.kind: own})
    _take_out(workspace, places, sought, request)
    if not request.left_out:
        workspace.vault.forget(*request.subjects, *sought.tokens.get(_LINE, ()))
    # An ingestion that began before they were blocked may have brought rows, even to a table that was not there yet:
    # what it committed goes now.
    known = {place.table.dataset for place in places}
    places = (*places, *(place for place in places_of(workspace) if place.table.dataset not in known))
    _take_out(workspace, places, sought, request)
    _note(workspace, places, request)
    certificate = _certified(workspace, places, request, sought)
    path = folder / f"{request.id}.certificate.json"
    write_durably(path, certificate.encode())
    for language, name in _LANGUAGES.items():
        with speaking(language):
            write_durably(folder / f"{request.id}.certificate.{name}.md", certificates.readable(certificate).encode())
    law.close(folder, request)
    record = certificate.record
    return ErasureResult(
        request.id,
        str(path.relative_to(workspace.root)),
        len(request.subjects),
        0,
        tuple(
            ErasedTable(
                each["dataset"],
                each["rows"],
                len(each["files"]),
                tuple((version["number"], version["rows"]) for version in each["versions"]),
            )
            for each in record["tables"]
        ),
        request.left_out,
        record["search"]["hits"],
        tuple(record["search"]["files"]),
    )


def _take_out(workspace: Workspace, places: Sequence[Place], sought: Sought, request: Request) -> None:
    """Out of the tables, and of what is recorded beside them: while the vault still tells the identifiers, at first."""
    from lastro.governance import erase as law
    from lastro.governance.certificate import of_request
    from lastro.governance.sought import scrubber
    from lastro.workspace.rights import beside

    law.take_out(places, sought, request)
    personal = {place.dataset for place in places if place.personal is not None and place.personal.is_personal}
    lost = {place.dataset for place in places if of_request(place.table, request.id)}
    beside.take_out(workspace, scrubber(sought), lost | personal - set(request.left_out))


def _note(workspace: Workspace, places: Sequence[Place], request: Request) -> None:
    """Ledger and catalogue, after the tables."""
    from lastro.governance.certificate import of_request
    from lastro.workspace.indexing import rebuild

    for place in places:
        for each in of_request(place.table, request.id):
            workspace.ledger.erased(
                place.table.dataset,
                rows=sum(file.rows for file in each.files),
                request=request.id,
                basis=request.basis,
                generation=(each.number, each.digest),
            )
    rebuild(workspace, wipe=True)


def _certified(workspace: Workspace, places: Sequence[Place], request: Request, sought: Sought) -> Certificate:
    from lastro.governance import certificate as certificates
    from lastro.governance import erase as law

    own = f"{FOLDER}/{request.id}{law.ENDING}"
    hits = {path: count for path, count in law.hits(workspace.root, sought.needles).items() if path != own}
    left_out = set(request.left_out)
    searched = [place for place in places if place.dataset not in left_out]
    rows = sum(sum(each.files.values()) for each in law.found(searched, sought, afresh=True))
    tables = [
        certificates.of_table(place.table.dataset, place.table, generations)
        for place in places
        if (generations := certificates.of_request(place.table, request.id))
    ]
    record = {
        "lastro_erasure": certificates.FORMAT,
        "request": request.id,
        "basis": request.basis,
        "asked": request.at,
        "done": clock.to_text(workspace.clock()),
        "people": len(request.subjects),
        "kind": request.kind,
        "tables": tables,
        "kept": [
            _kept(place.dataset, place.personal.hold)
            for place in places
            if place.dataset in left_out and not place.is_quarantine and place.personal and place.personal.hold
        ],
        "forgotten": not left_out,
        "models": _models(workspace, tables),
        "backups_until": _backups_until(workspace),
        "exports": sum(1 for _event in workspace.ledger.events(action="export")),
        "search": {
            "hits": sum(hits.values()),
            "files": sorted(law.nameless(hits, sought)),
            "identifiers": bool(sought.values),
            "rows": rows,
        },
    }
    key, signature = workspace.ledger.sign(certificates.signed_bytes(record))
    return certificates.Certificate(record, key, signature)


def _kept(dataset: str, hold: Hold) -> dict[str, str]:
    return {"dataset": dataset, "basis": hold.basis, "until": hold.until.isoformat() if hold.until else "-"}


def _backups_until(workspace: Workspace) -> str | None:
    """The day on which the last backup of the vault expires whose key is here; None if there is none."""
    from lastro.privacy.backup import epochs

    found = epochs(workspace.root / ".lastro" / "keys")
    return str(found[-1].expires) if found else None


def _models(workspace: Workspace, tables: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:  # Any: JSON values
    """The runs that read a version which held the rows."""
    lost = {(each["dataset"], version["number"]) for each in tables for version in each["versions"]}
    return [
        {"run": run.id, "name": run.name, "inputs": inputs}
        for run in workspace.runs()
        if (inputs := [used.reference for used in run.inputs if (used.dataset, used.number) in lost])
    ]


def _permit(workspace: Workspace, found: Sequence[Erased]) -> None:
    """Raises `NotPermitted` where access control is on and no policy gives the right to erase from one of them."""
    from lastro.model.access import Act
    from lastro.workspace.access.admission import require
    from lastro.workspace.rights.subjects import PURPOSE

    try:
        for name in sorted({each.dataset.removesuffix(".quarantine") for each in found} & set(workspace.datasets())):
            require(workspace.dataset(name), Act.ERASE, purpose=PURPOSE)
    except NotPermitted as error:
        error.state = _("nothing was erased")
        raise


def _tokens(workspace: Workspace, kind: str, named: Sequence[str]) -> Iterator[str]:
    """The people's tokens; whoever has none is given one (rule 2)."""
    from lastro.privacy.token import TOKEN

    values = [each for each in named if not TOKEN.fullmatch(each)]
    yield from (each for each in named if TOKEN.fullmatch(each))
    yield from dict.fromkeys(workspace.vault.tokens(kind, values, is_subject=True)) if values else ()


def _told(looked: _Looked, held: dict[str, Hold]) -> ErasureResult:
    tables = tuple(
        ErasedTable(each.dataset, sum(each.files.values()), len(each.files), tuple(sorted(each.rows.items())))
        for each in looked.found
    )
    return ErasureResult("", "", len(looked.known), looked.unknown, tables, tuple(sorted(held)), 0)


def _kinds(places: Sequence[Place]) -> tuple[str, ...]:
    found = [place.personal.subject.kind for place in places if place.personal and place.personal.subject]
    return tuple(dict.fromkeys(found))


def _only_kind(places: Sequence[Place]) -> str:
    kinds = _kinds(places)
    if len(kinds) == 1:
        return kinds[0]
    raise UsageError(
        _("it is not said what the identifier is"),
        do=_("name its kind, one of: {kinds}").format(kinds=", ".join(kinds) or "-"),
        state=_("nothing was erased"),
    )

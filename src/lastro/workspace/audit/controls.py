"""The controls of a workspace: which technical and organisational measures are in place, and what shows it.

Rules:

1. A control is in place if what is recorded shows it, and not if anything it is about lacks it. Disks, backups of the
   folder, who somebody is: what Lastro cannot see is unknown, whatever people wrote.
2. What no library can promise is said beside the control that comes nearest to it (`limit`), in place or not.
3. Evidence is what can be looked up again: events of the ledger, digests of contracts, policies and files, days.
4. What a dataset has to have counts over those that contracts call personal; while no contract does, it is unknown.
5. Nothing is changed, no row is read, and no value is told. What cannot be looked at is unknown, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from lastro.model import clock, digest
from lastro.model.control import Control, Evidence, Register, State
from lastro.model.errors import LastroError
from lastro.model.personal import PersonalClass
from lastro.model.text import _, ngettext
from lastro.workspace.access import doctor
from lastro.workspace.access.doctor import Examination, Level
from lastro.workspace.audit.dossier import dossier

if TYPE_CHECKING:
    from lastro.ledger.event import Event
    from lastro.model.dossier import Dossier, Holding
    from lastro.workspace.workspace import Workspace

KEYS_TURNED = timedelta(days=730)
"""How old a key may be: the originator's usage period of symmetric data keys in NIST SP 800-57 part 1, table 1."""
_SHOWN = 8
_BARE = (PersonalClass.IDENTIFIER, PersonalClass.SENSITIVE)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What all controls are judged by."""

    workspace: Workspace
    dossier: Dossier
    examined: Examination

    @property
    def people(self) -> tuple[Holding, ...]:
        """The datasets that hold values of natural persons, or may: their contracts cannot be read."""
        return tuple(each for each in self.dossier.holdings if each.fault or each.personal.is_personal)

    def lacking(self, has: Callable[[Holding], object]) -> list[str]:
        """Those of them that lack something."""
        return [each.name for each in self.people if each.fault or not has(each)]

    def last(self, action: str, *, about: Callable[[Event], bool] = lambda _event: True) -> tuple[int, Event] | None:
        """The last event of a kind."""
        found = (each for each in self.workspace.ledger.events(action=action) if about(each[1]))
        return max(found, key=lambda each: each[0], default=None)


_Check = Callable[[_Facts], Iterator[Control]]


def controls(workspace: Workspace, *, names: Sequence[str] = ()) -> Register:
    """The register, of these datasets or all. Raises `UnknownName`, `Corrupted` if the ledger cannot be read."""
    facts = _Facts(workspace, dossier(workspace, names), doctor.examine(workspace))
    checks: tuple[_Check, ...] = (
        _responsible,
        _purposes,
        _classes,
        _protection,
        _access,
        _retention,
        _vault,
        _keys,
        _backups,
        _files,
        _outside,
        _integrity,
        _ledger,
        _rights,
        _incidents,
        _rules,
    )
    found = tuple(control for check in checks for control in _tried(check, facts))
    return Register(facts.dossier, found, facts.examined.promises, facts.examined.cannot)


def _tried(check: _Check, facts: _Facts) -> tuple[Control, ...]:
    try:
        return tuple(check(facts))
    except LastroError as error:
        key = check.__name__.strip("_")
        return (Control(key, _("cannot be looked at"), "", State.UNKNOWN, (Evidence(error.what),), do=error.do),)


def _state(is_there: bool) -> State:  # noqa: FBT001 – the one thing that it is about
    return State.IN_PLACE if is_there else State.MISSING


def _of_people(facts: _Facts, lacking: Collection[str]) -> State:
    """The state of what every dataset with personal values has to have (rule 4)."""
    return State.UNKNOWN if not facts.people else _state(not lacking)


def _contracts(facts: _Facts, lacking: Collection[str], *, lacks: str) -> tuple[Evidence, ...]:
    """The contracts that say it, by their digests, and the datasets that lack it."""
    if not facts.people:
        return (Evidence(_("no contract calls a dataset personal")),)
    saying = [each for each in facts.people if each.name not in lacking]
    told = _("{name}: contract {version}")
    found = [
        Evidence(told.format(name=each.name, version=each.contract_version), digest=each.contract_digest)
        for each in saying
    ]
    return (*found, *([Evidence(lacks.format(names=_listed(lacking)))] if lacking else ()))


def _event(what: str, found: tuple[int, Event] | None, *, none: str) -> Evidence:
    if found is None:
        return Evidence(none)
    number, event = found
    return Evidence(what, event=number, digest=event.digest, at=event.moment)


def _listed(names: Collection[str]) -> str:
    return ", ".join(list(names)[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _responsible(facts: _Facts) -> Iterator[Control]:
    one = facts.dossier.organisation
    named = (
        ("organisation.name", one.name),
        ("organisation.contact", one.contact),
        ("organisation.officer.name", one.officer),
        ("organisation.officer.contact", one.officer_contact),
    )
    lacking = [where for where, said in named if not said]
    yield Control(
        "responsible",
        _("controller and data protection officer are named"),
        "GDPR 24, 30(1)(a), 37; LGPD 37, 41, 50",
        _state(not lacking),
        (Evidence(_("lastro.yaml lacks {names}").format(names=_listed(lacking)) if lacking else one.name),),
        do=_("write it into lastro.yaml: organisation") if lacking else "",
    )


def _purposes(facts: _Facts) -> Iterator[Control]:
    lacking = facts.lacking(lambda each: each.personal.purposes)
    yield Control(
        "purposes",
        _("personal data is read for named purposes with a legal basis, and refused for others"),
        "GDPR 5(1)(b), 6, 25(2); LGPD 6 I, 7, 46 §2",
        _of_people(facts, lacking),
        _contracts(facts, lacking, lacks=_("{names}: no purpose is named")),
        limit=_("Whoever reads the files by other means is asked for no purpose."),
        do=_("say `purposes` in the contract") if lacking or not facts.people else "",
    )
    if any(purpose.consent for each in facts.people for purpose in each.personal.purposes):
        bad = [each for each in facts.examined.of(Level.BAD) if each.check == "consent"]
        where = facts.workspace.settings.consents
        newest = facts.workspace.table(where.dataset).head() if where is not None else None
        found = Evidence(newest.reference, digest=newest.digest, at=newest.committed) if newest is not None else None
        yield Control(
            "consent",
            _("where consent is the basis, only rows of those who consented are read"),
            "GDPR 7, 21; LGPD 8, 18 IX",
            _state(not bad),
            tuple(Evidence(each.what) for each in bad) or ((found,) if found is not None else ()),
            do=bad[0].do if bad else "",
        )


def _classes(facts: _Facts) -> Iterator[Control]:
    held = facts.dossier.holdings
    columns = sum(len(each.columns) for each in held)
    open_ = sum(len(each.unclassified) for each in held)
    faults = [each for each in held if each.fault]
    settled = sum(one.is_settled for each in held for one in each.personal.classes)
    told = ngettext("{classed} of {n} column has a class", "{classed} of {n} columns have a class", columns)
    confirmed = ngettext(
        "{n} class was said or confirmed by a person", "{n} classes were said or confirmed by a person", settled
    )
    first = next((each.name for each in held if each.unclassified), _("NAME"))
    whole = columns > 0 and not open_ and settled == columns
    yield Control(
        "classification",
        _("every column has a class that a person confirmed; a new one is restricted until then"),
        "GDPR 4(1), 9, 25; LGPD 5 I–II, 46 §2",
        _state(whole and not faults),
        (
            Evidence(told.format(classed=columns - open_, n=columns)),
            Evidence(confirmed.format(n=settled)),
            *(Evidence(f"{each.name}: {each.fault}") for each in faults),
        ),
        do="" if whole else f"lastro classify {first}",
    )


def _protection(facts: _Facts) -> Iterator[Control]:
    said = [(each, one) for each in facts.people for one in each.personal.classes if one.of in _BARE]
    bare = [f"{each.name}.{one.column}" for each, one in said if each.personal.protection(one.column) is None]
    methods = [
        Evidence(f"{each.name}.{one.column}: {found.method.value}", digest=each.contract_digest)
        for each, one in said
        if (found := each.personal.protection(one.column)) is not None
    ]
    unknown = [f"{each.name}.{name}" for each in facts.dossier.holdings for name in each.unclassified]
    lacking = [
        Evidence(told.format(columns=_listed(names)))
        for told, names in ((_("not protected: {columns}"), bare), (_("not classified: {columns}"), unknown))
        if names
    ]
    state = State.MISSING if bare else State.UNKNOWN if unknown or not said else State.IN_PLACE
    yield Control(
        "protection",
        _("identifiers and sensitive values are protected before they are written"),
        "GDPR 25, 32(1)(a); LGPD 13 §4, 46",
        state,
        (*methods, *lacking) or (Evidence(_("no contract names an identifier or a sensitive column")),),
        limit=_("What no contract protects is plain Parquet, for whoever reads the folder."),
        do="" if state is State.IN_PLACE else _("say `protection` in the contract"),
    )


def _access(facts: _Facts) -> Iterator[Control]:
    from lastro.workspace.access import admission

    workspace = facts.workspace
    is_on = admission.is_on(workspace)
    files = sorted((workspace.root / admission.FOLDER).glob(f"*{admission.ENDING}"))
    rules = len(admission.policies(workspace).rules) if is_on else 0
    counted = ngettext("{n} policy", "{n} policies", rules).format(n=rules)
    texts = {path.name: admission.text_of(path) for path in files}
    yield Control(
        "access",
        _("whoever reads through Lastro gets only what a policy gives"),
        "GDPR 25(2), 32(1)(b), 32(4); LGPD 46, 47, 49",
        _state(is_on),
        (Evidence(counted, digest=digest.of_value(texts)) if is_on else Evidence(_("there is no access control")),),
        limit=_("Guidance and a log: whoever owns the files can read and change them by other means."),
        do="" if is_on else _("write policies/people.cedar, or access: in lastro.yaml"),
    )
    yield _examples(workspace)


def _examples(workspace: Workspace) -> Control:
    """Whether policies are tested (GDPR 32(1)(d))."""
    try:
        tested = workspace.test_policies()
        failed = sum(not each.passed for each in tested)
        told = ngettext("{n} example, {failed} failed", "{n} examples, {failed} failed", len(tested))
        state, evidence = _state(not failed), Evidence(told.format(n=len(tested), failed=failed))
    except LastroError as error:
        state, evidence = State.MISSING, Evidence(error.what)
    return Control(
        "access-tested",
        _("examples say what policies should give, and hold"),
        "GDPR 32(1)(d); LGPD 50 §2 I",
        state,
        (evidence,),
        do="" if state is State.IN_PLACE else "lastro policy test",
    )


def _retention(facts: _Facts) -> Iterator[Control]:
    lacking = facts.lacking(lambda each: each.retention)
    last = facts.last("erase", about=lambda event: event.about.get("because") == "retention")
    yield Control(
        "retention",
        _("a contract says how long personal data is kept"),
        "GDPR 5(1)(e), 30(1)(f); LGPD 15, 16",
        _of_people(facts, lacking),
        (
            *_contracts(facts, lacking, lacks=_("{names}: kept for ever")),
            _event(_("rows past their time were removed last"), last, none=_("nothing was removed for its age yet")),
        ),
        limit=_("Rows past their time go when somebody runs `lastro retain --apply`."),
        do=_("say `retention` in the contract: slaProperties") if lacking or not facts.people else "lastro retain",
    )


def _vault(facts: _Facts) -> Iterator[Control]:
    vault = facts.workspace.vault
    entries = sum(vault.held().entries.values())
    kind = facts.workspace.settings.root_key.removeprefix("secret://").partition(":")[0].partition("/")[0]
    counted = ngettext("{n} value in the vault", "{n} values in the vault", entries).format(n=f"{entries:,}")
    yield Control(
        "pseudonymisation",
        _("identifiers are kept apart, each sealed with AES-256-GCM"),
        "GDPR 4(5), 25, 32(1)(a); LGPD 13 §4, 46",
        _state(entries > 0),
        (Evidence(counted),),
        limit=_("Equal values have equal tokens: rows can be joined and counted. Pseudonymised is not anonymised."),
        do="" if entries else _("protect identifiers by `token` in the contract"),
    )
    yield Control(
        "root-key",
        _("the root key lies elsewhere than what it protects"),
        "GDPR 32(1)(a); LGPD 46",
        _state(kind != "file"),
        (Evidence(_("it is taken from: {kind}").format(kind=kind)),),
        limit=_("Who may read it there, and whether a copy of it is kept, Lastro cannot know."),
        do="" if kind != "file" else _("name another place in lastro.yaml: keys.root"),
    )


def _keys(facts: _Facts) -> Iterator[Control]:
    vault, now = facts.workspace.vault, facts.dossier.made
    newest: dict[str, tuple[int, str]] = {}
    for each in vault.ring.states() if vault.exists else ():
        if not each.destroyed:
            newest[each.purpose] = max(newest.get(each.purpose, (0, "")), (each.number, each.made))
    old = [purpose for purpose, (_number, made) in newest.items() if now - clock.from_text(made) > KEYS_TURNED]
    told = _("key {purpose} {number} is {n} days old")
    ages = [
        Evidence(
            told.format(purpose=purpose, number=number, n=(now - clock.from_text(made)).days), at=clock.from_text(made)
        )
        for purpose, (number, made) in newest.items()
    ]
    turned = facts.last("vault", about=lambda event: event.about.get("keys") in {"root", "record", "lookup"})
    yield Control(
        "key-rotation",
        _("no key of the vault is older than two years (NIST SP 800-57)"),
        "GDPR 32(1)(a); LGPD 46",
        _state(not old) if newest else State.MISSING,
        (*ages, _event(_("keys were turned last"), turned, none=_("no key was turned yet"))),
        limit=_("How old the root key is, Lastro knows only if it was turned here."),
        do="lastro keys rotate" if old else "" if newest else _("protect identifiers by `token` in the contract"),
    )


def _backups(facts: _Facts) -> Iterator[Control]:
    from lastro.privacy import backup

    today = facts.dossier.made.date()
    readable = [each for each in backup.epochs(facts.workspace.keys.folder) if each.expires >= today]
    made = facts.last("vault", about=lambda event: event.about.get("keys") == "backup")
    restored = facts.last("vault", about=lambda event: event.about.get("keys") == "restore")
    until = [
        Evidence(_("backups of {month} can be read until {day}").format(month=each.name, day=each.expires))
        for each in readable
    ]
    yield Control(
        "vault-backup",
        _("the vault is backed up under keys that are destroyed when they expire"),
        "GDPR 32(1)(b)–(c), 5(1)(e); LGPD 46, 49",
        _state(bool(readable) and made is not None),
        (*until, _event(_("the last backup was made"), made, none=_("no backup of the vault was made"))),
        limit=_("Where the backup lies, and whether it is still there, Lastro cannot know."),
        do="" if readable else _("lastro vault backup FOLDER, elsewhere"),
    )
    yield Control(
        "restore-tested",
        _("a backup of the vault was brought back"),
        "GDPR 32(1)(c)–(d); LGPD 49, 50 §2 I",
        _state(restored is not None),
        (_event(_("brought back last"), restored, none=_("no backup was brought back here yet")),),
        limit=_("A test in another workspace is in that one's ledger."),
        do="" if restored else "lastro vault restore",
    )


def _files(facts: _Facts) -> Iterator[Control]:
    """What the doctor finds of modes, tables and git."""
    for key, what, checks in (
        ("modes", _("state, keys and tables are open to their owner's account alone"), ("modes", "tables")),
        ("git", _("git publishes neither data nor keys"), ("git",)),
        ("libraries", _("the libraries are those that were proven"), ("libraries",)),
    ):
        found = [each for each in facts.examined.symptoms if each.check in checks]
        bad = [each for each in found if each.level is not Level.GOOD]
        if found:
            yield Control(
                key,
                what,
                "GDPR 32(1)(b); LGPD 46, 49",
                _state(not bad),
                tuple(Evidence(each.what) for each in bad or found),
                do=bad[0].do if bad else "",
            )


def _outside(_facts: _Facts) -> Iterator[Control]:
    """What has to be, and Lastro cannot see (rule 1)."""
    written = _("judgements.security in lastro.yaml is where people say it")
    for key, what, articles, limit in (
        (
            "disk-encryption",
            _("the disks that hold the workspace are encrypted"),
            "GDPR 32(1)(a); LGPD 46",
            _("Tables are plain Parquet, but for what contracts protect."),
        ),
        (
            "folder-backup",
            _("the folder is copied elsewhere, and bringing it back is tried"),
            "GDPR 32(1)(b)–(d); LGPD 46, 49",
            _("Lastro makes no backups but the vault's."),
        ),
        (
            "identity",
            _("whoever acts is who he says he is"),
            "GDPR 32(1)(b), 32(4); LGPD 46, 47",
            _("LASTRO_ACTOR is believed; it is the account's owner who keeps others from it."),
        ),
        (
            "people",
            _("whoever works with the data is instructed, and bound to secrecy"),
            "GDPR 29, 32(4); LGPD 47, 50",
            _("Nothing of it is recorded here."),
        ),
    ):
        yield Control(key, what, articles, State.UNKNOWN, (), limit, written)


def _integrity(facts: _Facts) -> Iterator[Control]:
    found = facts.workspace.verify()
    damaged = len(found.damage) + len(found.records)
    told = ngettext("{n} version compared", "{n} versions compared", found.versions).format(n=found.versions)
    bad = ngettext("{n} file is damaged", "{n} files are damaged", damaged).format(n=damaged)
    yield Control(
        "integrity",
        _("what is stored is what was committed"),
        "GDPR 5(1)(f), 32(1)(b); LGPD 46, 49",
        _state(found.passed),
        (Evidence(bad if damaged else told, at=facts.dossier.made),),
        limit=_("Sizes and manifests were compared for this document; that files were hashed is recorded nowhere."),
        do="lastro verify" if damaged else "lastro verify --read-data",
    )


def _ledger(facts: _Facts) -> Iterator[Control]:
    head, made = facts.dossier.head, facts.dossier.made
    audit = facts.workspace.ledger.verify() if head is not None else None
    passed = audit is not None and audit.passed
    told = _("{n} events under the root {root}")
    held = told.format(n=f"{head.size:,}", root=head.root) if head is not None else _("the ledger is empty")
    yield Control(
        "ledger",
        _("what is done with data is in a signed ledger, as it was signed"),
        "GDPR 5(2), 24, 30; LGPD 6 X, 37, 50 §2 II",
        _state(passed),
        (
            Evidence(held, at=made),
            *(Evidence(each.what, event=each.number) for each in (audit.faults if audit else ())),
        ),
        limit=_("The owner of the files can begin another ledger: only a checkpoint kept elsewhere tells."),
        do="" if passed else "lastro ledger verify",
    )
    reads = facts.workspace.settings.ledger_reads
    last = facts.last("read")
    yield Control(
        "readings",
        _("who reads which columns for which purpose is recorded before rows are handed out"),
        "GDPR 5(2), 30, 32(1)(d); LGPD 6 X, 37",
        _state(reads),
        (
            _event(_("the last reading"), last, none=_("nothing was read yet"))
            if reads
            else Evidence(_("lastro.yaml: ledger.reads is false")),
        ),
        limit=_("Who reads the files by other means is in no ledger."),
        do="" if reads else _("take `ledger: {reads: false}` out of lastro.yaml"),
    )
    yield _anchored(facts)


def _anchored(facts: _Facts) -> Control:
    """Whether checkpoints that can be read here hold against the ledger."""
    from lastro.workspace.audit.anchoring import places

    found = places(facts.workspace.ledger)
    notes = [note for each in found for note in each.notes]
    faults = facts.workspace.ledger.verify(anchors=notes).faults if notes else ()
    told = _("{size} events, in {place}")
    gone = _("{size} events, in {place}, which cannot be read from here")
    stamped = _("{size} events, in {place}, with a time-stamp beside it")
    evidence = [
        Evidence(
            (gone if not each.notes else stamped if each.is_stamped else told).format(size=each.size, place=each.place)
        )
        for each in found
    ]
    return Control(
        "anchor",
        _("a checkpoint of the ledger is kept elsewhere, and the ledger holds against it"),
        "GDPR 5(2), 24; LGPD 6 X, 50",
        _state(bool(notes) and not faults) if notes or not found else State.UNKNOWN,
        (*evidence, *(Evidence(each.what) for each in faults)) or (Evidence(_("no checkpoint was handed out")),),
        limit=_(
            "Whether whoever changes the ledger reaches the place, too, Lastro cannot know; a tag protects once pushed."
        ),
        do="" if notes and not faults else "lastro ledger verify --git" if faults else "lastro ledger anchor --git",
    )


def _rights(facts: _Facts) -> Iterator[Control]:
    from lastro.workspace.rights import erasing, subject_requests

    lacking = facts.lacking(lambda each: each.personal.subject)
    erased = facts.last("erase", about=lambda event: "request" in event.about)
    certificates = sorted((facts.workspace.root / erasing.FOLDER).glob("*.certificate.json"))
    counted = ngettext("{n} certificate of an erasure", "{n} certificates of erasures", len(certificates))
    yield Control(
        "erasure",
        _("people can be found, and erased from every version, with a signed certificate"),
        "GDPR 15–19; LGPD 16, 18 II–VI",
        _of_people(facts, lacking),
        (
            *_contracts(facts, lacking, lacks=_("{names}: no subject is named, nobody can be found")),
            Evidence(counted.format(n=len(certificates))),
            _event(_("the last erasure"), erased, none=_("nobody was erased yet")),
        ),
        limit=_("Exports, backups of the disk and what models learned are not reached."),
        do=_("name the subject in the contract") if lacking or not facts.people else "",
    )
    requests = subject_requests.listed(facts.workspace)
    entered = ngettext("{n} request", "{n} requests", len(requests.requests)).format(n=len(requests.requests))
    late = ngettext("{n} is overdue", "{n} are overdue", requests.overdue).format(n=requests.overdue)
    yield Control(
        "requests",
        _("requests of people are answered in time"),
        "GDPR 12(3); LGPD 18 §5, 19",
        State.UNKNOWN if not requests.requests else _state(not requests.overdue),
        (Evidence(f"{entered}; {late}", at=facts.dossier.made),),
        limit=_("Requests that nobody entered are unknown."),
        do="lastro subject requests" if requests.overdue else "",
    )


def _incidents(facts: _Facts) -> Iterator[Control]:
    targets, now = len(facts.workspace.settings.alerts), facts.dossier.made
    found = facts.workspace.incidents(everything=True)
    open_ = [each for each in found if each.state(now).value not in {"resolved", "muted"}]
    told = ngettext("{n} target of alerts", "{n} targets of alerts", targets).format(n=targets)
    counted = ngettext("{n} incident, {open} open", "{n} incidents, {open} open", len(found))
    yield Control(
        "incidents",
        _("troubles are told to somebody, and what was done about them is kept"),
        "GDPR 32(1)(b), 33(5); LGPD 48, 50 §2 I",
        _state(targets > 0),
        (Evidence(told), Evidence(counted.format(n=len(found), open=len(open_)), at=now)),
        limit=_("These are troubles of data. A breach outside of Lastro is not seen: lastro report incident."),
        do="" if targets else _("write whom to tell into lastro.yaml: alerts"),
    )


def _rules(facts: _Facts) -> Iterator[Control]:
    lacking = facts.lacking(lambda each: each.rules)
    aside = sum(each.quarantined for each in facts.people)
    told = ngettext("{n} refused row waits in quarantines", "{n} refused rows wait in quarantines", aside)
    yield Control(
        "accuracy",
        _("personal data is held to rules on arrival"),
        "GDPR 5(1)(d), 32(1)(b); LGPD 6 V",
        _of_people(facts, lacking),
        (*_contracts(facts, lacking, lacks=_("{names}: no rule")), Evidence(told.format(n=f"{aside:,}"))),
        do="lastro suggest" if lacking else "",
    )

"""The doctor: what this workspace promises, what it cannot, and what is to be put right.

Rules:

1. Lastro is a library here: whoever owns the files can read and change them. Access control is guidance and a log then,
   and said to be; damage and later edits are found, and what is encrypted stays so without its key.
2. A symptom is `good`, a `note` – somebody should know it, or decide – or `bad`: a promise is broken or about to be.
   Only a bad one makes an examination fail.
3. Nothing is changed, no row is read, and no value is told.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.errors import LastroError
from lastro.model.text import _, ngettext

if TYPE_CHECKING:
    from lastro.contract import Contract
    from lastro.workspace.workspace import Workspace

FREE_BYTES_MIN = 1 << 30
DELTALAKE = "1.6.3"
_OTHERS = 0o077
_SHOWN = 8


class Level(StrEnum):
    """How grave a symptom is (rule 2)."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Symptom:
    """What one check found, and what to do about it."""

    check: str
    level: Level
    what: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything that was found, the gravest first, and what is promised and what cannot be."""

    symptoms: tuple[Symptom, ...]
    promises: tuple[str, ...]
    cannot: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True if nothing is bad."""
        return not self.of(Level.BAD)

    def of(self, level: Level) -> tuple[Symptom, ...]:
        """The symptoms of one level."""
        return tuple(each for each in self.symptoms if each.level is level)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The examination as plain values."""
        symptoms = [{**asdict(each), "level": each.level.value} for each in self.symptoms]
        return {
            "mode": "embedded",
            "passed": self.passed,
            "symptoms": symptoms,
            "promises": list(self.promises),
            "cannot": list(self.cannot),
        }

    def __repr__(self) -> str:
        return f"<examination: {len(self.of(Level.BAD))} bad, {len(self.of(Level.NOTE))} notes>"


def examine(workspace: Workspace) -> Examination:
    """What `Workspace.doctor` gives."""
    checks: tuple[Callable[[Workspace], Iterator[Symptom]], ...] = (
        _access,
        _modes,
        _readable_tables,
        _datasets,
        _consents,
        _vault,
        _ledger,
        _git,
        _disk,
        _libraries,
    )
    found = [symptom for check in checks for symptom in _tried(check, workspace)]
    order = (Level.BAD, Level.NOTE, Level.GOOD)
    return Examination(tuple(sorted(found, key=lambda each: order.index(each.level))), promises(), cannot())


def promises() -> tuple[str, ...]:
    """What holds while Lastro is a library on somebody's machine."""
    return (
        _("a version that was acknowledged survives kill -9 and a power cut"),
        _("accidental damage is found; so are later edits, by whoever holds a checkpoint of the ledger"),
        _("the vault cannot be read without its keys"),
        _("who read which columns of which version for which purpose is in the ledger before rows are handed out"),
    )


def cannot() -> tuple[str, ...]:
    """What no library can promise."""
    return (
        _("whoever owns the files can read them without Lastro: access control is guidance and a log here"),
        _("whoever acts says who he is: LASTRO_ACTOR is believed"),
        _("Lastro makes no backups; copy the folder, and keep a checkpoint of the ledger elsewhere"),
    )


def _tried(check: Callable[[Workspace], Iterator[Symptom]], workspace: Workspace) -> tuple[Symptom, ...]:
    try:
        return tuple(check(workspace))
    except LastroError as error:
        return (_bad(check.__name__.strip("_"), error.what, error.do),)


def _good(check: str, what: str) -> Symptom:
    return Symptom(check, Level.GOOD, what)


def _note(check: str, what: str, do: str) -> Symptom:
    return Symptom(check, Level.NOTE, what, do)


def _bad(check: str, what: str, do: str) -> Symptom:
    return Symptom(check, Level.BAD, what, do)


def _access(workspace: Workspace) -> Iterator[Symptom]:
    from lastro.workspace.access import admission
    from lastro.workspace.access.policing import TESTS

    if not admission.is_on(workspace):
        yield _note(
            "access",
            _("there is no access control: everybody reads everything"),
            _("write policies/people.cedar, or access: in lastro.yaml"),
        )
        return
    rules = len(admission.policies(workspace).rules)
    sentence = ngettext("{n} policy can be read", "{n} policies can be read", rules)
    yield _good("access", sentence.format(n=rules))
    if rules and not any((workspace.root / admission.FOLDER).glob(f"*{TESTS}")):
        yield _note("access", _("no example says what the policies should give"), _("write policies/people.test.yaml"))


def _modes(workspace: Workspace) -> Iterator[Symptom]:
    """The folder of state, the keys and the vault are its owner's alone."""
    state = workspace.root / ".lastro"
    keys = sorted((state / "keys").glob("*")) if (state / "keys").is_dir() else []
    vault = sorted(state.glob("vault.sqlite*"))
    private = [*(path for path in keys if path.suffix != ".pub"), *vault]
    open_ones = [path for path in (state, *private) if path.lstat().st_mode & _OTHERS]
    for path in open_ones:
        mode = "700" if path.is_dir() else "600"
        name = path.relative_to(workspace.root)
        yield _bad("modes", _("others may open {path}").format(path=name), f"chmod {mode} {name}")
    foreign = [path for path in (workspace.root, state, *keys) if path.lstat().st_uid != os.geteuid()]
    for path in foreign:
        what = _("{path} belongs to another account").format(path=path.relative_to(workspace.root))
        yield _note("modes", what, _("use Lastro as the account that owns the workspace"))
    if not open_ones:
        yield _good("modes", _("state, keys and vault are open to their owner alone"))


def _readable_tables(workspace: Workspace) -> Iterator[Symptom]:
    """Personal values that other accounts of the machine can read."""
    tables = workspace.root / "tables"
    people = [name for name, contract in _contracts(workspace) if contract.personal.is_personal]
    if not tables.is_dir() or not people:
        return
    reachable = all(path.stat().st_mode & stat.S_IXOTH for path in tables.resolve().parents)
    if reachable and tables.stat().st_mode & stat.S_IXOTH:
        yield _bad(
            "tables",
            _("every account of this machine can read the tables, and {names} hold personal data").format(
                names=_listed(people)
            ),
            "chmod 700 tables",
        )
    else:
        yield _good("tables", _("no other account reaches the tables"))


def _datasets(workspace: Workspace) -> Iterator[Symptom]:
    from lastro.model.personal import PersonalClass

    contracts = list(_contracts(workspace))
    unclassified = {
        name: count
        for name, contract in contracts
        if (count := sum(contract.personal.of(each) is None for each in contract.plan().schema.names))
    }
    if unclassified:
        count = sum(unclassified.values())
        sentence = ngettext(
            "{n} column is not classified yet, in {names}", "{n} columns are not classified yet, in {names}", count
        )
        yield _note(
            "classes",
            sentence.format(n=count, names=_listed(list(unclassified))),
            _("say the class of each in the contract: personal"),
        )
    elif contracts:
        yield _good("classes", _("every column is classified"))
    people = [(name, contract) for name, contract in contracts if contract.personal.is_personal]
    lacks = (
        ("basis", _("{names} hold personal data without purposes and their basis: read for any"), _no_purposes),
        ("subject", _("{names} hold personal data, but name no subject: nobody can be found in them"), _no_subject),
        ("retention", _("{names} hold personal data without a retention: kept for ever"), _no_retention),
    )
    for check, what, lacking in lacks:
        names = [name for name, contract in people if lacking(contract)]
        if names:
            yield _note(check, what.format(names=_listed(names)), _("say it in the contract"))
    sensitive = [name for name, contract in people if contract.personal.columns(PersonalClass.SENSITIVE)]
    unprotected = [
        name
        for name, contract in people
        if name in sensitive
        and any(not contract.personal.protection(each) for each in contract.personal.columns(PersonalClass.SENSITIVE))
    ]
    if unprotected:
        what = _("{names} hold sensitive columns that nothing protects").format(names=_listed(unprotected))
        yield _note(
            "protection",
            what,
            _("say in the contract how they are protected: token, hash, mask, generalise, redact or drop"),
        )


def _no_purposes(contract: Contract) -> bool:
    return not contract.personal.purposes


def _no_subject(contract: Contract) -> bool:
    return contract.personal.subject is None


def _no_retention(contract: Contract) -> bool:
    levels = contract.document.get("slaProperties") or []
    return not any(str(each.get("property", "")).casefold() == "retention" for each in levels)


def _consents(workspace: Workspace) -> Iterator[Symptom]:
    """Purposes that rest on consent, and nobody's."""
    needing = [
        name for name, contract in _contracts(workspace) if any(each.consent for each in contract.personal.purposes)
    ]
    where = workspace.settings.consents
    if needing and (where is None or workspace.table(where.dataset).head() is None):
        what = _("{names} may be read with consent only, and nothing says who consented: nobody reads them for that")
        yield _bad(
            "consent", what.format(names=_listed(needing)), _("name the consents in lastro.yaml, and ingest them")
        )
    elif needing:
        yield _good("consent", _("consents are there"))
    if where is not None and (count := workspace.dataset(where.dataset).quarantine().count()):
        sentence = ngettext(
            "{n} row of {name} is set aside: who withdrew in it is not heard",
            "{n} rows of {name} are set aside: who withdrew in them is not heard",
            count,
        )
        yield _bad("consent", sentence.format(n=count, name=where.dataset), f"lastro quarantine {where.dataset}")


def _vault(workspace: Workspace) -> Iterator[Symptom]:
    """An older vault in the place of the newest knows people again who were erased."""
    from lastro.workspace.rights.erasing import forgotten

    certified = forgotten(workspace)
    missing = certified - workspace.vault.forgotten()
    if missing > 0:
        sentence = ngettext(
            "{n} person was erased whom the vault knows again: it is an older one",
            "{n} people were erased whom the vault knows again: it is an older one",
            missing,
        )
        do = _("bring the newest vault back: lastro vault restore; else erase them again")
        yield _bad("vault", sentence.format(n=missing), do)
    elif certified:
        yield _good("vault", _("the vault knows nobody who was erased"))


def _ledger(workspace: Workspace) -> Iterator[Symptom]:
    ledger = workspace.ledger
    if not workspace.settings.ledger_reads:
        yield _note("ledger", _("who reads is not recorded"), _("take `ledger: {reads: false}` out of lastro.yaml"))
    if not ledger.exists():
        return
    audit = ledger.verify()
    if not audit.passed:
        yield _bad("ledger", _("the ledger is not as it was signed"), "lastro ledger verify")
        return
    sentence = ngettext(
        "{n} event of the ledger is as it was signed", "{n} events of the ledger are as they were signed", audit.events
    )
    yield _good("ledger", sentence.format(n=f"{audit.events:,}"))
    if not ledger.anchored():
        yield _note("anchor", _("no checkpoint is known to be kept elsewhere"), "lastro ledger anchor --git")


def _git(workspace: Workspace) -> Iterator[Symptom]:
    """State and data that a commit would publish."""
    if _asked_git(workspace.root, "rev-parse", "--is-inside-work-tree") is None:
        return
    tracked = _asked_git(workspace.root, "ls-files", "--", ".lastro", "tables")
    if tracked:
        yield _bad("git", _("git keeps files of .lastro or tables"), "git rm -r --cached .lastro tables")
        return
    bare = [name for name in (".lastro", "tables") if _asked_git(workspace.root, "check-ignore", "-q", name) is None]
    for name in bare:
        yield _bad("git", _("git does not ignore {name}").format(name=name), f"echo /{name}/ >> .gitignore")
    if not bare:
        yield _good("git", _("git ignores state and data"))


def _asked_git(root: Path, *arguments: str) -> str | None:
    """What git says; None if it says no, or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _disk(workspace: Workspace) -> Iterator[Symptom]:
    usage = shutil.disk_usage(workspace.root)
    if usage.free < FREE_BYTES_MIN:
        yield _bad("disk", _("less than 1 GiB is free"), _("make room: lastro gc --apply"))
    else:
        yield _good("disk", _("{share:.0%} of the disk is free").format(share=usage.free / usage.total))


def _libraries(workspace: Workspace) -> Iterator[Symptom]:
    from lastro.workspace.access import admission

    version = metadata.version("deltalake")
    if version != DELTALAKE:
        what = _("deltalake is {version}, and {expected} was proven").format(version=version, expected=DELTALAKE)
        yield _bad("libraries", what, f"pip install deltalake=={DELTALAKE}")
    if admission.is_on(workspace):
        try:
            metadata.version("cedarpy")
        except metadata.PackageNotFoundError:
            yield _bad(
                "libraries", _("{library} is not installed").format(library="cedarpy"), "pip install 'lastro[policy]'"
            )


def _contracts(workspace: Workspace) -> Iterator[tuple[str, Contract]]:
    for name in workspace.datasets():
        dataset = workspace.dataset(name)
        if dataset.has_contract():
            yield name, dataset.contract()


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")

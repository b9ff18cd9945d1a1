"""The gate: every way in which values leave a dataset asks here first.

Rules:

1. Access control is on where there is a folder `policies`, or `access:` stands in `lastro.yaml`. Then nothing is read
   that no rule gives (`lastro.policy.decide`); else reading is as free as the files are. A folder that was there and is
   gone opens nothing: `.lastro/policies.seen` tells that it was, until a person removes that, too.
2. Whether it is on or not: personal values whose contract lists purposes are read for one of them only
   (`lastro.policy.basis`), without the rows of those who did not consent, or objected (`lastro.policy.consent`); and so
   is what is made of them (`inherited`).
3. The purpose is the one that is named, else the active run's, else `LASTRO_PURPOSE`.
4. Today's policies, contract and consents hold for every version, however old. A column that the contract does not know
   any more is not classified.
5. Statistics are of all rows and hand out values: who does not read a column of every row in the clear is told no more
   of it than how much is missing. Without a basis that holds for restricted columns, whoever asks.
6. Building and ingesting hand nobody values: they go on unless a policy forbids them.
7. Who opened a version holds what was decided then; it goes along into worker processes.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.access import Access, Act, Asked, Principal, Reach, Resource
from lastro.model.errors import ConfigurationError, NotPermitted
from lastro.model.personal import Personal, Purpose
from lastro.model.text import _
from lastro.policy import basis
from lastro.workspace.access.handed import FREE, NAMED, Pass
from lastro.workspace.access.inherited import purposes
from lastro.workspace.audit.ledger import actor

if TYPE_CHECKING:
    from lastro.contract import Contract
    from lastro.model.version import VersionInfo
    from lastro.policy.cedar import Policies, Spoken
    from lastro.policy.consent import Consented
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace

FOLDER, ENDING = "policies", ".cedar"
SEEN = ".lastro/policies.seen"
_FILE_MAX = 4 << 20


def principal(workspace: Workspace, *, name: str | None = None) -> Principal:
    """Who acts, or somebody of that name, with the roles that `lastro.yaml` gives."""
    who = unicodedata.normalize("NFC", actor() if name is None else name)
    people = workspace.settings.people
    roles = {} if people is None else {unicodedata.normalize("NFC", key): each for key, each in people.roles.items()}
    return Principal(who, tuple(unicodedata.normalize("NFC", each) for each in roles.get(who, ())))


def purpose_of(named: str | None) -> str:
    """The purpose that holds now (rule 3). Raises `UsageError` if it is no name."""
    from lastro.workspace.training.run import active

    run = active()
    said = named or NAMED.get() or (run.purpose if run is not None else "") or os.environ.get(basis.VARIABLE, "")
    return basis.checked(said)


def is_on(workspace: Workspace) -> bool:
    """Whether access control is on (rule 1). Raises `ConfigurationError` for a folder of policies that is gone."""
    if _files(workspace.root) is not None:
        return True
    if (workspace.root / SEEN).exists():
        raise ConfigurationError(
            _("there were policies here, and they are gone"),
            where=FOLDER,
            do=_("bring the folder back; if nobody is to be kept from anything, remove {path}").format(path=SEEN),
            state=_("until then nobody reads anything"),
        )
    return workspace.settings.people is not None


def policies(workspace: Workspace) -> Policies:
    """The policies of the workspace. Raises `ConfigurationError`, `MissingExtra`."""
    files = _files(workspace.root) or ()
    found = _read(tuple((path, _identity(path)) for path in files))
    known = set(workspace.datasets())
    for each in found.spoken:
        if each.dataset not in known:
            raise each.is_missing()
    return found


def admit(
    dataset: Dataset,
    info: VersionInfo,
    *,
    act: Act = Act.READ,
    purpose: str | None = None,
    who: Principal | None = None,
) -> Pass:
    """What somebody may read of a version now. Raises `NotPermitted`, `ConfigurationError`, `ContractError`,
    `MissingExtra`.
    """
    workspace = dataset.workspace
    if act is Act.BUILD:
        return _building(dataset)
    name, contract = purpose_of(purpose), _contract(dataset)
    settled = basis.settled(dataset.name, purposes(dataset, info, contract), name)
    name = settled.name if settled is not None else name
    asked = Asked(who or principal(workspace), act, name, settled.basis if settled is not None else "")
    access = _decided(dataset, info, asked) if is_on(workspace) else None
    if access is not None:
        _note_seen(workspace.root)
    personal = contract.personal if contract is not None else Personal()
    consented = _consented(dataset, info, personal, settled, name)
    return Pass(name, access, consented)


def hidden(dataset: Dataset, names: Sequence[str], *, rows: bool = False) -> frozenset[str]:
    """The columns of whose values nothing may be told to whoever asks now (rule 5).

    With `rows` single rows are to be shown, for which there must be a basis, and no consent that could be lacking.
    """
    workspace = dataset.workspace
    is_settled = _is_settled(dataset, purposes(dataset, dataset.table.head(), _contract(dataset)))
    if is_settled and not is_on(workspace):
        return frozenset()
    if rows and not is_settled:
        return frozenset(names)
    asked_for = resource(dataset, names)
    found = frozenset[str]()
    if not is_settled:
        found = frozenset(each.name for each in asked_for.columns if each.restricted)
    if not is_on(workspace):
        return found
    from lastro.policy.decide import decide

    asked = Asked(principal(workspace), Act.READ, purpose_of(None))
    access = decide(asked, asked_for, policies(workspace))
    return found | {each.column for each in access.columns if each.reach is not Reach.CLEAR or each.rows}


def refuse_forbidden(dataset: Dataset, act: Act) -> None:
    """Raises `NotPermitted` if a policy forbids an action that hands nobody values (rule 6)."""
    workspace = dataset.workspace
    if not is_on(workspace):
        return
    from lastro.policy.decide import is_forbidden

    asked = Asked(principal(workspace), act, purpose_of(None))
    forbidding = is_forbidden(asked, resource(dataset, ()), policies(workspace))
    if forbidding:
        raise NotPermitted(
            _("{name} may not {action} {dataset}").format(name=asked.principal.name, action=act, dataset=dataset.name),
            where=_("forbidden: {reasons}").format(reasons=", ".join(forbidding)),
            do=_("see why: lastro policy explain {dataset}").format(dataset=dataset.name),
        )


def require(dataset: Dataset, act: Act, *, purpose: str = "") -> None:
    """Raises `NotPermitted` unless a policy permits an action on a dataset as a whole, such as to erase from it, where
    access control is on; a refusal is in the ledger.
    """
    workspace = dataset.workspace
    if not is_on(workspace):
        return
    from lastro.policy.decide import is_permitted

    asked = Asked(principal(workspace), act, purpose)
    if not is_permitted(asked, resource(dataset, ()), policies(workspace)):
        if (head := dataset.table.head()) is not None:
            workspace.ledger.refused(head, act)
        raise NotPermitted(
            _("{name} may not {action} {dataset}").format(name=asked.principal.name, action=act, dataset=dataset.name),
            where=_("no policy permits it"),
            do=_("see why: lastro policy explain {dataset}").format(dataset=dataset.name),
        )


def resource(dataset: Dataset, names: Sequence[str]) -> Resource:
    """What policies know of these columns of a dataset. Raises `ContractError`."""
    from lastro.contract import access
    from lastro.model.access import ColumnFacts
    from lastro.workspace.privacy.protection import withheld

    if not dataset.has_contract():
        return Resource(dataset.name, tuple(ColumnFacts(name) for name in names))
    found = withheld(dataset.workspace, dataset.name)
    return access.resource(dataset.contract(), names, withheld=found, own=dataset.entry.history.columns)


def _building(dataset: Dataset) -> Pass:
    refuse_forbidden(dataset, Act.BUILD)
    return FREE


def _decided(dataset: Dataset, info: VersionInfo, asked: Asked) -> Access:
    from lastro.policy.decide import decide

    found = policies(dataset.workspace)
    _refuse_missing(dataset, [each for each in found.spoken if each.dataset == dataset.name and each.column])
    return decide(asked, resource(dataset, info.schema.names), found)


def _refuse_missing(dataset: Dataset, spoken: Sequence[Spoken]) -> None:
    """Raises `ConfigurationError` for a column that neither the contract nor any version has."""
    if not spoken:
        return
    from lastro.policy.rule import folded

    names = set(dataset.contract().plan().schema.names) if dataset.has_contract() else set[str]()
    known = {folded(name) for name in (*names, *dataset.entry.history.columns)}
    if any(each.column not in known for each in spoken):
        known |= {folded(name) for info in dataset.table.history() for name in info.schema.names}
    for each in spoken:
        if each.column not in known:
            raise each.is_missing()


def _contract(dataset: Dataset) -> Contract | None:
    """The contract, where it may say something that a reading has to heed; it is not read in vain."""
    if is_on(dataset.workspace) or dataset.workspace.settings.consents is not None or _speaks_of_purposes(dataset):
        return dataset.contract() if dataset.has_contract() else None
    return None


def _speaks_of_purposes(dataset: Dataset) -> bool:
    """False only if the file's text cannot hold the word, however it is written."""
    try:
        text = (dataset.workspace.root / dataset.entry.contract).read_bytes()
    except OSError:
        return False
    return b"purposes" in text or b"\\" in text


def _is_settled(dataset: Dataset, listed: Sequence[Purpose] | None) -> bool:
    try:
        settled = basis.settled(dataset.name, listed, purpose_of(None))
    except NotPermitted:
        return False
    return settled is None or not settled.consent


def _consented(
    dataset: Dataset, info: VersionInfo, personal: Personal, settled: Purpose | None, purpose: str
) -> Consented | None:
    """Whose rows are read; None if everybody's."""
    from lastro.policy.consent import Consented, consented
    from lastro.privacy.canonical import form_of

    where, allows = dataset.workspace.settings.consents, settled is not None and settled.consent
    if not allows and (where is None or not purpose or where.dataset == dataset.name):
        return None
    subject = _subject(info, personal)
    if personal.subject is None and not allows:
        return None
    if where is None or (subject is None and allows):
        raise _cannot_tell(info, purpose, has_consents=where is not None)
    table = dataset.workspace.table(where.dataset)
    head = table.head()
    if head is None:
        if not allows:
            return None
        raise _cannot_tell(info, purpose, has_consents=False)
    rows = _rows(dataset.workspace, head, where.columns)
    form = form_of(personal.subject.kind if personal.subject else "")
    subjects = consented(rows, where, purpose=purpose, at=dataset.workspace.clock(), allows=allows, form=form)
    if subject is None:
        # An older version, of which nobody can say whose rows are those of the people who objected.
        if len(subjects):
            raise _cannot_leave_out(info, purpose)
        return None
    return Consented(subject, subjects, not allows, f"{head.reference} {head.digest}", form)


def _subject(info: VersionInfo, personal: Personal) -> str | None:
    if personal.subject is None:
        return None
    wanted = personal.subject.column.casefold()
    return next((name for name in info.schema.names if name.casefold() == wanted), None)


def _rows(workspace: Workspace, head: VersionInfo, columns: Sequence[str]) -> Any:  # Any: a pyarrow.Table
    """The rows of the consents, which nobody is handed."""
    from lastro.workspace.version import Version

    return Version(head, workspace.table(head.dataset), workspace.engine()).to_arrow(*columns)


def _cannot_leave_out(info: VersionInfo, purpose: str) -> NotPermitted:
    return NotPermitted(
        _(
            "rows of people who object to {purpose} cannot be left out of {reference} (GDPR art. 21, LGPD art. 18)"
        ).format(purpose=purpose, reference=info.reference),
        where=_("{reference} has no column of its subject").format(reference=info.reference),
        do=_("read a version that has it"),
        state=_("nothing was read"),
    )


def _cannot_tell(info: VersionInfo, purpose: str, *, has_consents: bool) -> NotPermitted:
    lacking = _("{reference} has no column of its subject") if has_consents else _("nothing says who consented")
    do = (
        _("name its subject in the contract")
        if has_consents
        else _("name the consents in lastro.yaml, and ingest them")
    )
    return NotPermitted(
        _("{dataset} is read for {purpose} with consent only (GDPR art. 7, LGPD art. 8)").format(
            dataset=info.dataset, purpose=purpose
        ),
        where=lacking.format(reference=info.reference),
        do=do,
        state=_("nothing was read"),
    )


def _note_seen(root: Path) -> None:
    if (root / FOLDER).is_dir() and not (root / SEEN).exists():
        # Those who may not write there read under the policies all the same.
        with suppress(OSError):
            (root / SEEN).touch(mode=0o644)


def _files(root: Path) -> tuple[Path, ...] | None:
    """The files of policies, in their order; None if there is no folder for them."""
    folder = root / FOLDER
    if folder.is_symlink():
        raise _is_link(folder)
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 – names alone
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise ConfigurationError(
            _("the policies are no folder"), where=FOLDER, do=_("make a folder of it, with files *.cedar")
        ) from error
    except OSError as error:
        raise ConfigurationError(
            _("the policies cannot be read"), where=FOLDER, do=_("give the right to read the folder")
        ) from error
    for name in names:
        if not name.endswith(ENDING) and name.casefold().endswith(ENDING):
            raise _is_not_read(name, _("its name does not end with {ending}").format(ending=ENDING))
        if (folder / name).is_dir() and any((folder / name).rglob(f"*{ENDING}")):
            raise _is_not_read(name, _("policies lie in {folder} itself").format(folder=FOLDER))
    return tuple(folder / name for name in names if name.endswith(ENDING))


def _is_not_read(name: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        _("there are policies in {name} that are not read: {why}").format(name=name[:80], why=why),
        where=FOLDER,
        do=_("move or rename them; until then nobody reads anything"),
    )


def _identity(path: Path) -> tuple[int, ...]:
    try:
        status = path.lstat()
    except OSError:
        return ()
    if stat.S_ISLNK(status.st_mode):
        raise _is_link(path)
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _is_link(path: Path) -> ConfigurationError:
    return ConfigurationError(
        _("{name} is a symbolic link, and links are not followed").format(name=path.name),
        where=str(path),
        do=_("put the folder or file itself in its place"),
    )


@lru_cache(maxsize=8)
def _read(files: tuple[tuple[Path, tuple[int, ...]], ...]) -> Policies:
    from lastro.policy import cedar

    return cedar.read({path.name: text_of(path) for path, _identity in files})


def text_of(path: Path) -> str:
    """The text of a file of policies. Raises `ConfigurationError`."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags), "rb") as stream:
            # What is no regular file has no text: a pipe would never answer.
            content = stream.read(_FILE_MAX + 1) if stat.S_ISREG(os.fstat(stream.fileno()).st_mode) else b"\xff"
            return content.decode()
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            _("the policies cannot be read"),
            where=f"{FOLDER}/{path.name}",
            do=_("write them to a file in UTF-8; until then nobody reads anything"),
        ) from error

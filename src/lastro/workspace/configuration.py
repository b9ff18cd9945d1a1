"""`lastro.yaml`: which datasets there are, where they come from, and which engine computes.

Rules:

1. `lastro: 1` is the file's version; a newer one is refused.
2. Unknown keys are errors that name the nearest known one; a typing mistake must never switch a promise off.
3. No secret stands in the file: sources take them by reference.
4. Writing keeps a person's comments and order, and replaces the file in one step.
5. A file of `transforms/` is a dataset without standing here. It may stand here, to say other build parameters or how
   it is made by intervals. What a build does not do – other modes, histories, deletes – is refused there, as build
   parameters and intervals are everywhere else.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from lastro.contract import document
from lastro.contract.document import Node
from lastro.model.arrival import OnChange
from lastro.model.digest import canonical
from lastro.model.dossier import Judgements, Organisation
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, ContractError, LastroError, NameRefused, UsageError, WriteFailed
from lastro.model.interval import Cut, Every, not_aligned, parse_moment
from lastro.model.merging import Deletes, History
from lastro.model.period import parse_period
from lastro.model.reference import QUARANTINE, check_name
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.policy.consent import Consents
from lastro.workspace import keeping
from lastro.workspace.access import people
from lastro.workspace.access.people import People
from lastro.workspace.audit.organisation import judgements, organisation
from lastro.workspace.monitoring import monitors
from lastro.workspace.monitoring.monitors import Monitor

FILE = "lastro.yaml"
VERSION = 1
MEMORY_MB_MAX = 1 << 26
THREADS_MAX = 256
ROOT_TIMEOUT_S = 30
ROOT_TIMEOUT_S_MAX = 600
RESERVED_SUFFIX = QUARANTINE
_KEYS = (
    *("lastro", "engine", "schema_change", "datasets", "alerts", "openlineage", "monitors", "ledger", "keys"),
    *("access", "consent"),
    *("organisation", "judgements"),
)
MODES = tuple(mode.value for mode in (Mode.APPEND, Mode.OVERWRITE, Mode.UPSERT, Mode.SNAPSHOT, Mode.SCD2))


@dataclass(frozen=True, slots=True)
class RootCommand:
    """A program that prints the root key, its arguments, and how long it may take, in seconds."""

    arguments: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One dataset in `lastro.yaml`: its contract's path (relative), how batches join it, its source's options, how it
    keeps a history, and how it knows what was deleted.

    `schema_change` says what becomes of a source whose columns changed; None is the careful mixture of old.
    """

    name: str
    contract: str
    mode: Mode
    source: Mapping[str, Any]  # Any: the source's own options
    history: History = field(default_factory=History)
    deletes: Deletes = field(default_factory=Deletes)
    schema_change: OnChange | None = None
    flatten: bool = False
    """True if each of its lists shall have a child dataset (`workspace.flatten`)."""
    derived: bool = False
    """True if a file of `transforms/` makes it; `parameters` are that step's, where they are not the defaults."""
    parameters: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    cut: Cut | None = None
    """How a derived dataset is made by intervals; None if all its rows are made at once."""
    check: timedelta | None = None
    """Rounds hold its newest version to the contract, at most once in so much time; None if they do not."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole of `lastro.yaml`. `memory_mb` and `threads` bound the engine; `alerts` are whom to tell of troubles,
    `openlineage` is where events of what was read and written go, `monitors` say what is watched for drift,
    `ledger_reads` whether the ledger says who read what, and `consents` where consents stand.
    `ledger_reads` whether the ledger says who read what. The `organisation` and its `judgements` are what the documents
    of the law take from people.
    """

    engine: str = "duckdb"
    datasets: Mapping[str, DatasetEntry] = field(default_factory=dict)
    memory_mb: int | None = None
    threads: int | None = None
    alerts: tuple[Mapping[str, Any], ...] = ()  # Any: a target's own options, see `lastro.alert.target`
    openlineage: Mapping[str, Any] = field(default_factory=dict)  # Any: options, see `lastro.openlineage.target`
    monitors: Mapping[str, Monitor] = field(default_factory=dict)
    ledger_reads: bool = True
    root_key: str = "file"
    """Where the root key is, from which all keys of the vault are protected; see `lastro.privacy.root`."""
    root_command: RootCommand | None = None
    people: People | None = None
    """Who has which roles; None if the file does not say, and does not switch access control on."""
    consents: Consents | None = None
    organisation: Organisation = field(default_factory=Organisation)
    judgements: Judgements = field(default_factory=Judgements)


def read(root: Path) -> Configuration:
    """Reads `lastro.yaml` in a workspace's root. Raises `ConfigurationError` with every error and its line."""
    derived = _derived(root)
    try:
        status = (root / FILE).stat()
        identity = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        found = _parsed(root, derived, identity)
    except ContractError as error:
        raise ConfigurationError(error.what, where=error.where, do=error.do) from error
    except OSError as error:
        raise ConfigurationError(
            _("{file} cannot be read").format(file=FILE), where=str(root), do=_("lastro init makes one")
        ) from error
    return _with_derived(found, derived)


@lru_cache(maxsize=8)
def _parsed(root: Path, derived: tuple[str, ...], identity: tuple[int, ...]) -> Configuration:
    """What the file says, read once for as long as the system says that it is the same, and as much is derived."""
    del identity
    values, problems = document.read(document.decode((root / FILE).read_bytes(), name=FILE), name=FILE)
    found = _configuration(document.Node(values, (), problems), derived)
    problems.refuse()
    return found


def add_dataset(root: Path, entry: DatasetEntry) -> None:
    """Writes one more dataset into `lastro.yaml`. Raises `ConfigurationError` if the name is taken."""
    if entry.name in read(root).datasets:
        raise ConfigurationError(
            _("there is a dataset {name} already").format(name=entry.name),
            where=f"{FILE}: datasets.{entry.name}",
            do=_("choose another name with --as, or edit the file"),
        )
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    values = yaml.load((root / FILE).read_text(encoding="utf-8"))
    if not values.get("datasets"):
        values["datasets"] = {}
    values["datasets"][entry.name] = {
        "contract": entry.contract,
        "mode": entry.mode.value,
        **({"flatten": True} if entry.flatten else {}),
        **({"source": dict(entry.source)} if entry.source else {}),
    }
    stream = io.BytesIO()
    yaml.dump(values, stream)
    write_durably(root / FILE, stream.getvalue())


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turns the operating system's errors about a workspace's files into `WriteFailed`."""
    try:
        yield
    except LastroError:
        raise
    except OSError as error:
        raise WriteFailed(
            _("the workspace cannot be written: {reason}").format(reason=reason_of(error)),
            where=str(place),
            do=_("make room or give the right to write, then do the same again"),
        ) from error


def write_new(path: Path, text: str) -> None:
    """Writes a file that a person named, and that is not there yet. Raises `ConfigurationError`, `WriteFailed`."""
    if path.exists():
        raise ConfigurationError(
            _("{path} is there already").format(path=path), do=_("choose another name, or remove it first")
        )
    with writing(path):
        write_durably(path, text.encode())


def refuse_link(root: Path, name: str) -> None:
    """Raises `ConfigurationError` for a link where a workspace's own file or folder must lie."""
    if (root / name).is_symlink():
        raise ConfigurationError(
            _("{name} is a symbolic link, and links are not followed").format(name=name),
            where=str(root / name),
            do=_("put the folder or file itself in its place"),
        )


def initial() -> bytes:
    """The `lastro.yaml` of an empty workspace."""
    lines = (
        "# What this workspace holds. No secret belongs here: sources take them by reference, as ${NAME}.",
        "lastro: 1",
        "engine: duckdb",
        "datasets: {}",
        "",
    )
    return "\n".join(lines).encode()


def check_dataset_name(name: str) -> str:
    """The name, if a dataset may have it. Raises `NameRefused`."""
    check_name(name)
    if name.endswith(RESERVED_SUFFIX):
        raise NameRefused(
            _("{name!r} is kept for a quarantine").format(name=name),
            do=_("choose a name that does not end in {suffix}").format(suffix=RESERVED_SUFFIX),
        )
    return name


def _configuration(top: Node, derived: Collection[str]) -> Configuration:
    _known(top, _KEYS)
    if top.child("lastro").data != VERSION:
        top.child("lastro").refuse(
            _("the file's version is not {version}").format(version=VERSION),
            _("write `lastro: 1`, or use the Lastro that wrote it"),
        )
    datasets = top.child("datasets")
    names = _mapping(datasets) if datasets.data is not None else {}
    general = _on_change(top.child("schema_change"))
    entries = {str(name): _dataset(str(name), datasets.child(name), general) for name in names}
    for name, entry in entries.items():
        _check_keys(datasets.child(name), name, entry, is_derived=name in derived)
    told = top.child("openlineage")
    alerts = _alerts(top.child("alerts"))
    return Configuration(
        datasets=entries,
        alerts=alerts,
        monitors=monitors.monitors(top.child("monitors"), (*entries, *derived), monitors.names_of(alerts)),
        openlineage=_mapping(told) if told.data is not None else {},
        ledger_reads=_ledger(top.child("ledger")),
        **_keys(top.child("keys")),
        people=people.people(top.child("access")),
        consents=people.consents(top.child("consent"), (*entries, *derived)),
        organisation=organisation(top.child("organisation")),
        judgements=judgements(top.child("judgements")),
        **_engine(top.child("engine")),
    )


def _ledger(node: Node) -> bool:
    """Whether readings are recorded."""
    return keeping.truth(node, "reads") if keeping.values_of(node, ("reads",)) else True


def _keys(node: Node) -> dict[str, Any]:  # Any: fields of Configuration
    """Where the root key is."""
    root = keeping.values_of(node, ("root",)).get("root", "file")
    if isinstance(root, dict):
        command = _root_command(node.child("root"))
        return {} if command is None else {"root_key": "command", "root_command": command}
    if not isinstance(root, str) or not root.strip() or root.strip() == "command":
        node.child("root").refuse(
            _("it does not say where the root key is"),
            _("write `root: file`, `root: env:NAME`, `root: keyring:NAME` or `root: {command: [PROGRAM, …]}`"),
        )
        return {}
    return {"root_key": root.strip()}


def _root_command(node: Node) -> RootCommand | None:
    """The program that prints the root key."""
    values = keeping.values_of(node, ("command", "timeout_s"))
    arguments, timeout_s = values.get("command"), values.get("timeout_s", ROOT_TIMEOUT_S)
    if not isinstance(arguments, list) or not arguments or not all(_is_argument(each) for each in arguments):
        node.child("command").refuse(
            _("this is no program with its arguments"), _("write `command: [PROGRAM, ARGUMENT, …]`; there is no shell")
        )
        return None
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not 0 < timeout_s <= ROOT_TIMEOUT_S_MAX:
        node.child("timeout_s").refuse(
            _("{key} is a number above 0, up to {most:,}").format(key="timeout_s", most=ROOT_TIMEOUT_S_MAX),
            _("correct the number"),
        )
        return None
    return RootCommand(tuple(arguments), float(timeout_s))


def _is_argument(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


def _derived(root: Path) -> tuple[str, ...]:
    """The datasets that files of `transforms/` make."""
    if not (root / "transforms").is_dir():
        return ()
    from lastro.transform.derived import discover

    return discover.names(root)


def _with_derived(found: Configuration, names: Sequence[str]) -> Configuration:
    entries = dict(found.datasets)
    for name in names:
        entry = entries.get(name) or DatasetEntry(name, f"contracts/{name}.odcs.yaml", Mode.OVERWRITE, {})
        entries[name] = replace(entry, derived=not entry.source)
    return replace(found, datasets=entries)


def _check_keys(node: Node, name: str, entry: DatasetEntry, *, is_derived: bool) -> None:
    """Refuses keys that would be passed over: a promise that nobody keeps (rule 5)."""
    for key in ("parameters", "interval") if not is_derived else ():
        if node.child(key).data is not None:
            what = _("{name} has build parameters, but is not derived")
            what = what if key == "parameters" else _("{name} is to be made by intervals, but is not derived")
            node.child(key).refuse(
                what.format(name=name), _("take them out, or write transforms/{name}.py").format(name=name)
            )
    for key in ("mode", "history", "deletes") if is_derived and not entry.source else ():
        if node.child(key).data is not None:
            node.child(key).refuse(
                _("{name} is derived, and {key} has no meaning for it").format(name=name, key=key),
                _("leave {key} out: a build replaces the dataset's rows, or those of an interval").format(key=key),
            )


def _dataset(name: str, node: Node, general: OnChange | None) -> DatasetEntry:
    _known(
        node,
        (
            *("contract", "mode", "schema_change", "flatten", "source", "history", "deletes", "check"),
            *("parameters", "interval"),
        ),
    )
    try:
        check_dataset_name(name)
    except NameRefused as error:
        node.refuse(error.what, error.do)
    values = _mapping(node)
    mode = values.get("mode", Mode.OVERWRITE.value)
    if mode not in MODES:
        node.child("mode").refuse(
            _("{mode!r} is not a mode").format(mode=mode), _("use one of {modes}").format(modes=", ".join(MODES))
        )
        mode = Mode.OVERWRITE.value
    contract = str(values.get("contract", f"contracts/{name}.odcs.yaml"))
    if Path(contract).is_absolute() or ".." in Path(contract).parts:
        node.child("contract").refuse(
            _("{path} leaves the workspace").format(path=contract), _("name a file inside the workspace's folder")
        )
    source = node.child("source")
    options = _mapping(source) if source.data is not None else {}
    history, deletes = keeping.history(node.child("history")), keeping.deletes(node.child("deletes"))
    if "whole" not in (node.child("history").data or {}):
        history = replace(history, whole=not (options.get("cursor") or options.get("incremental")))
    policy = _on_change(node.child("schema_change")) or general
    given = node.child("parameters")
    parameters = _parameters(given) if given.data is not None else {}
    return DatasetEntry(
        name,
        contract,
        Mode(mode),
        options,
        history,
        deletes,
        policy,
        flatten=keeping.truth(node, "flatten") if values.get("flatten") is not None else False,
        parameters=parameters,
        cut=_cut(node.child("interval")),
        check=_period(node.child("check")),
    )


def _cut(node: Node) -> Cut | None:
    if node.data is None:
        return None
    _known(node, ("column", "every", "since", "wait"))
    column, every, since = (node.child(key).data for key in ("column", "every", "since"))
    if not isinstance(column, str) or not column:
        node.child("column").refuse(_("the name of a column belongs here"), _("write {key}: NAME").format(key="column"))
    if every not in tuple(Every):
        node.child("every").refuse(
            _("{every!r} is not the length of an interval").format(every=document.shown(every)),
            _("use one of {names}").format(names=", ".join(Every)),
        )
        return None
    try:
        first = None if since is None else parse_moment(str(since))
        if first is not None and Every(every).floor(first) != first:
            raise not_aligned(Every(every), first)
    except UsageError as error:
        node.child("since").refuse(error.what, error.do)
        return None
    return Cut(str(column), Every(every), first, _period(node.child("wait")) or timedelta(0))


def _period(node: Node) -> timedelta | None:
    if node.data is None:
        return None
    try:
        return parse_period(str(node.data))
    except ConfigurationError as error:
        node.refuse(error.what, error.do)
        return None


def _parameters(node: Node) -> Mapping[str, Any]:  # Any: JSON values
    values = {str(name): value for name, value in _mapping(node).items()}
    try:
        canonical(values)
    except (TypeError, ValueError):
        node.refuse(_("a build parameter is no text, number, list or mapping"), _("write a date as text, in quotes"))
        return {}
    return values


def _on_change(node: Node) -> OnChange | None:
    if node.data is None:
        return None
    try:
        return OnChange(node.data)
    except ValueError:
        node.refuse(
            _("{policy!r} does not say what becomes of a changed source").format(policy=document.shown(node.data)),
            _("use one of {policies}").format(policies=", ".join(OnChange)),
        )
        return None


def _engine(node: Node) -> dict[str, Any]:  # Any: fields of Configuration
    if node.data is None or isinstance(node.data, str):
        return {"engine": node.data or "duckdb"}
    _known(node, ("name", "memory_mb", "threads"))
    values = _mapping(node)
    for key, most in (("memory_mb", MEMORY_MB_MAX), ("threads", THREADS_MAX)):
        if key in values and (type(values[key]) is not int or not 1 <= values[key] <= most):
            node.child(key).refuse(
                _("{key} is a whole number from 1 to {most:,}").format(key=key, most=most), _("correct the number")
            )
    return {
        "engine": str(values.get("name", "duckdb")),
        "memory_mb": values.get("memory_mb"),
        "threads": values.get("threads"),
    }


def _alerts(node: Node) -> tuple[Mapping[str, Any], ...]:  # Any: a target's own options
    if node.data is None:
        return ()
    if not isinstance(node.data, list):
        node.refuse(_("a list belongs here"), _("write each target below it, as `- webhook: https://…`"))
        return ()
    return tuple(_mapping(node.child(index)) for index in range(len(node.data)))


def _mapping(node: Node) -> Mapping[str, Any]:  # Any: whatever stands in the file
    if isinstance(node.data, dict):
        return node.data
    node.refuse(_("keys and values belong here"), _("write `key: value` lines below it"))
    return {}


def _known(node: Node, known: tuple[str, ...]) -> None:
    for key in _mapping(node):
        if key not in known:
            near = document.nearest(str(key), list(known))
            hint = _("did you mean {key}?").format(key=near)
            others = _("known keys: {keys}").format(keys=", ".join(known))
            node.child(key).refuse(_("unknown key {key!r}").format(key=document.shown(key)), hint if near else others)

"""`lastro.yaml`: which datasets there are, where they come from, and which engine computes.

Rules:

1. `lastro: 1` is the file's version; a newer one is refused.
2. Unknown keys are errors that name the nearest known one; a typing mistake must never switch a promise off.
3. No secret stands in the file: sources take them by reference.
4. Writing keeps a person's comments and order, and replaces the file in one step.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lastro.contract.document import load_yaml
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, LastroError, NameRefused
from lastro.model.reference import check_name
from lastro.model.text import _
from lastro.model.version import Mode

FILE = "lastro.yaml"
VERSION = 1
RESERVED_SUFFIX = ".quarantine"
MODES = tuple(mode.value for mode in (Mode.APPEND, Mode.OVERWRITE, Mode.UPSERT))


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One dataset in `lastro.yaml`: its contract's path (relative), how batches join it, and its source's options."""

    name: str
    contract: str
    mode: Mode
    source: Mapping[str, Any]  # Any: the source's own options


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole of `lastro.yaml`. `memory_mb` and `threads` bound the engine."""

    engine: str = "duckdb"
    datasets: Mapping[str, DatasetEntry] = field(default_factory=dict)
    memory_mb: int | None = None
    threads: int | None = None


def read(root: Path) -> Configuration:
    """Reads `lastro.yaml` in a workspace's root. Raises `ConfigurationError`, naming the key at fault."""
    path = root / FILE
    try:
        document = load_yaml(path.read_bytes(), name=FILE)
    except FileNotFoundError as error:
        raise _wrong(_("there is no {file} here").format(file=FILE), str(root), _("lastro init makes one")) from error
    except LastroError as error:
        raise ConfigurationError(error.what, where=error.where, do=error.do) from error
    _known(document, ("lastro", "engine", "datasets"), FILE)
    if document.get("lastro") != VERSION:
        raise _wrong(
            _("the file's version is not {version}").format(version=VERSION),
            f"{FILE}: lastro",
            _("write `lastro: 1`, or use the Lastro that wrote it"),
        )
    engine = _engine(document.get("engine", "duckdb"))
    datasets = _mapping(document.get("datasets") or {}, f"{FILE}: datasets")
    return Configuration(datasets={name: _dataset(name, value) for name, value in datasets.items()}, **engine)


def add_dataset(root: Path, entry: DatasetEntry) -> None:
    """Writes one more dataset into `lastro.yaml`. Raises `ConfigurationError` if the name is taken."""
    if entry.name in read(root).datasets:
        raise _wrong(
            _("there is a dataset {name} already").format(name=entry.name),
            f"{FILE}: datasets.{entry.name}",
            _("choose another name with --as, or edit the file"),
        )
    path = root / FILE
    document = load_yaml(path.read_bytes(), name=FILE)
    if not document.get("datasets"):
        document["datasets"] = {}
    document["datasets"][entry.name] = {
        "contract": entry.contract,
        "mode": entry.mode.value,
        "source": dict(entry.source),
    }
    write_durably(path, _dump(document))


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


def _dataset(name: Any, value: Any) -> DatasetEntry:  # Any: whatever stands in the file
    where = f"{FILE}: datasets.{name}"
    entry = _mapping(value, where)
    _known(entry, ("contract", "mode", "source"), where)
    check_dataset_name(str(name))
    mode = entry.get("mode", Mode.OVERWRITE.value)
    if mode not in MODES:
        raise _wrong(
            _("{mode!r} is not a mode").format(mode=mode), f"{where}.mode", _("use one of {modes}").format(modes=MODES)
        )
    return DatasetEntry(
        name=str(name),
        contract=_inside(entry.get("contract", f"contracts/{name}.odcs.yaml"), f"{where}.contract"),
        mode=Mode(mode),
        source=_mapping(entry.get("source") or {}, f"{where}.source"),
    )


def _engine(value: Any) -> dict[str, Any]:  # Any: whatever stands in the file
    where = f"{FILE}: engine"
    if isinstance(value, str):
        return {"engine": value}
    options = _mapping(value, where)
    _known(options, ("name", "memory_mb", "threads"), where)
    for key in ("memory_mb", "threads"):
        if key in options and (type(options[key]) is not int or options[key] < 1):
            raise _wrong(_("{key} is a whole number from 1").format(key=key), f"{where}.{key}", _("correct the number"))
    return {
        "engine": str(options.get("name", "duckdb")),
        "memory_mb": options.get("memory_mb"),
        "threads": options.get("threads"),
    }


def _inside(value: Any, where: str) -> str:  # Any: whatever stands in the file
    path = Path(str(value))
    if path.is_absolute() or ".." in path.parts:
        raise _wrong(
            _("{path} leaves the workspace").format(path=path), where, _("name a file inside the workspace's folder")
        )
    return str(path)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:  # Any: whatever stands in the file
    if not isinstance(value, Mapping):
        raise _wrong(_("here stand keys and values, not {kind}").format(kind=type(value).__name__), where, "")
    return value


def _known(value: Mapping[str, Any], known: Iterable[str], where: str) -> None:  # Any: whatever stands in the file
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(str(key), list(known), n=1)
            hint = _("did you mean {key}?").format(key=near[0]) if near else _("known keys: {keys}").format(keys=known)
            raise _wrong(_("unknown key {key!r}").format(key=str(key)[:80]), where, hint)


def _dump(document: Any) -> bytes:  # Any: ruamel's document with its comments
    from ruamel.yaml import YAML

    stream = io.BytesIO()
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(document, stream)
    return stream.getvalue()


def _wrong(what: str, where: str, do: str) -> ConfigurationError:
    return ConfigurationError(what, where=where, do=do)

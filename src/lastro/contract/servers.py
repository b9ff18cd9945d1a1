"""Servers: where a contract says that its data lives.

Rules:

1. A server is meant by its name, the key `server`. Two of one name are refused when one is asked for.
2. What a server's type does not say, Lastro's own property `source` does: options of a source, as in `lastro.yaml`.
3. A contract is named by its file, which a path or an ending of YAML or JSON tells, or by its dataset.
4. Nothing is opened here, and no secret is resolved.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lastro.contract.contract import Contract
from lastro.contract.document import nearest, shown
from lastro.contract.policy import SOURCE, VENDOR
from lastro.model.errors import ConfigurationError, UnknownName
from lastro.model.text import _

_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Server:
    """One entry of `servers`: its name, its type, what else stands there, and the options of a source."""

    name: str
    type: str
    values: Mapping[str, Any] = field(repr=False)  # Any: JSON values
    source: Mapping[str, Any] = field(default_factory=dict, repr=False)  # Any: JSON values


def names_file(contract: str | Path) -> bool:
    """True if a contract's file is meant, not a dataset's name."""
    text = os.fspath(contract)
    return isinstance(contract, Path) or os.sep in text or text.lower().endswith(_SUFFIXES)


def server_names(contract: Contract) -> tuple[str, ...]:
    """The names of the contract's servers, in its order."""
    return tuple(str(entry.get("server", "")) for entry in _entries(contract))


def server(contract: Contract, name: str) -> Server:
    """The server of that name. Raises `UnknownName`, `ConfigurationError`."""
    names = server_names(contract)
    if not names:
        raise ConfigurationError(
            _("the contract has no servers"),
            where=contract.name,
            do=_("say where the data lives: {example}").format(
                example="`servers: [{server: production, type: local, path: ./data/*.csv, format: csv}]`"
            ),
        )
    found = [entry for entry in _entries(contract) if entry.get("server") == name]
    if not found:
        meant = nearest(name, list(names))
        do = _("did you mean {key}?").format(key=shown(meant)) if meant else _("its servers are: {names}")
        raise UnknownName(
            _("the contract has no server {name!r}").format(name=shown(name)),
            where=contract.name,
            do=do.format(names=", ".join(map(shown, names))),
        )
    if len(found) > 1:
        raise ConfigurationError(
            _("the contract has two servers of the name {name}").format(name=shown(name)),
            where=contract.name,
            do=_("give each a name of its own"),
        )
    return Server(name, str(found[0].get("type", "")), found[0], _source(found[0], contract))


def _entries(contract: Contract) -> list[dict[str, Any]]:  # Any: JSON values
    return [entry for entry in contract.document.get("servers") or () if isinstance(entry, dict)]


def _source(entry: Mapping[str, Any], contract: Contract) -> Mapping[str, Any]:  # Any: JSON values
    for each in entry.get("customProperties") or ():
        if each.get("vendor") == VENDOR and each.get("property") == SOURCE:
            if isinstance(each.get("value"), dict):
                return dict(each["value"])
            raise ConfigurationError(
                _("the property source of a server is no mapping of options"),
                where=f"{contract.name}: servers.{shown(entry.get('server'))}",
                do=_("write `value: {kind: sqlalchemy, url: …}`"),
            )
    return {}

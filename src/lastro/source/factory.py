"""From options to a source, by its kind: one of ours, else a third party's entry point."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.source.protocol import Factory, Source

GROUP = "lastro.sources"
"""The entry points' group under which a third party registers a factory."""

KINDS: Mapping[str, str] = {
    "files": "lastro.source.files:files_source",
    "logs": "lastro.source.logs:logs_source",
    "sqlite": "lastro.source.sqlite:sqlite_source",
    "postgres": "lastro.source.postgres:postgres_source",
    "http": "lastro.source.http:http_source",
    "python": "lastro.source.generator:python_source",
    "dlt": "lastro.source.dlt:dlt_source",
}
"""Our own kinds and where their factories are; a kind's module is imported when it is asked for."""


def create(options: Mapping[str, Any], *, base: Path) -> Source:  # Any: a person's YAML values
    """The source that `options["kind"]` names. Paths in the options are relative to `base`.

    Nothing is opened yet. Raises `ConfigurationError` on an unknown kind or option, `MissingExtra`.
    """
    kind = options.get("kind")
    if not isinstance(kind, str):
        raise ConfigurationError(
            _("a source needs a kind"), do=_("write kind: and one of {kinds}").format(kinds=", ".join(KINDS))
        )
    return _factory(kind)({**options, "kind": str(kind)}, base)


def _factory(kind: str) -> Factory:
    if kind in KINDS:
        module, _colon, name = KINDS[kind].partition(":")
        factory: Factory = getattr(import_module(module), name)
        return factory
    for point in entry_points(group=GROUP, name=kind):
        plugged: Factory = point.load()
        return plugged
    known = [*KINDS, *sorted(point.name for point in entry_points(group=GROUP))]
    near = difflib.get_close_matches(kind, known, n=1, cutoff=0.5)
    meant = _("did you mean {near!r}? ").format(near=near[0]) if near else ""
    raise ConfigurationError(
        _("{kind!r} is not a kind of source").format(kind=kind[:60]),
        do=meant + _("kinds are: {kinds}").format(kinds=", ".join(known)),
    )

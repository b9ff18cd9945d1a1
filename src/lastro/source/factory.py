"""From options to a source, by its kind: one of ours, else a third party's entry point."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastro.model import plugin
from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.source.protocol import Factory, Source

GROUP = "lastro.sources"
"""The entry points' group under which a third party registers a factory."""

KINDS: Mapping[str, str] = {
    "files": "lastro.source.files.source:files_source",
    "logs": "lastro.source.logs.source:logs_source",
    "sqlite": "lastro.source.sqlite.source:sqlite_source",
    "postgres": "lastro.source.postgres.source:postgres_source",
    "mysql": "lastro.source.mysql.source:mysql_source",
    "adbc": "lastro.source.anysql.adbc:adbc_source",
    "sqlalchemy": "lastro.source.anysql.alchemy:sqlalchemy_source",
    "http": "lastro.source.http:http_source",
    "python": "lastro.source.python.generator:python_source",
    "dlt": "lastro.source.python.dlt:dlt_source",
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
    factory: Factory = plugin.find(
        kind, KINDS, GROUP, unknown=_("{name!r} is not a kind of source"), known=_("kinds are: {names}")
    )
    return factory({**options, "kind": str(kind)}, base)

"""The only place that opens DuckDB, and the settings that shut it in.

Rules:

1. The database is in memory. The files it may read are named one by one; nothing else on the machine can be opened.
2. Extensions are neither installed nor loaded, Python variables are not tables, secrets are not kept.
3. Then the configuration is locked: no later statement can open what was shut.
4. Rows come in the order in which they stand in their files, which positions and versions rest on. DuckDB keeps it,
   but for joins, and makes a join of a long `IN` list: that is switched off, and `in_order` looks at the plan.
5. DuckDB prints nothing: standard output is the person's, and in the child it is the pipe.
6. DuckDB spills into a folder of our own, mode 0700, which the caller removes: what it holds is personal data.

DuckDB may write into its temporary folder, and a statement could do so by name. Statements are therefore ours alone;
what people write passes the SQL door first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from lastro.engine.duck.limits import Limits
from lastro.model.errors import EngineError
from lastro.model.keyed_path import KeyedPath
from lastro.model.text import _

REORDERING = ("JOIN", "AGGREGATE", "GROUP_BY", "WINDOW", "UNION", "DISTINCT")
Settings = dict[str, str | bool | int | float | list[str]]

SHUT: Settings = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "allow_persistent_secrets": False,
}


def text(value: str | Path) -> str:
    """The value as an SQL text literal; of a file with encrypted columns, the name of its copy in the clear."""
    if isinstance(value, KeyedPath):
        from lastro.engine.encrypted import clear

        value = clear(value)
    return "'" + str(value).replace("'", "''") + "'"


def name(value: str) -> str:
    """The value as an SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def texts(values: Sequence[str | Path]) -> str:
    """The values as an SQL list of text literals."""
    return "[" + ", ".join(text(value) for value in values) + "]"


def threads(limits: Limits) -> int:
    """How many threads to use: as told, else one for each processor this process may run on, at most 4.

    More threads would each hold buffers of their own, and memory is bounded first.
    """
    return limits.threads or max(1, min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2))


def connect(limits: Limits, *, readable: Sequence[Path | str] = (), temp: Path) -> duckdb.DuckDBPyConnection:
    """A locked-down connection that may read `readable` and spill into `temp`, and do nothing else."""
    settings: Settings = {
        **SHUT,
        "threads": threads(limits),
        "memory_limit": f"{limits.memory_mb}MB",
        "temp_directory": str(temp),
        "max_temp_directory_size": f"{limits.spill_mb}MB",
        "preserve_insertion_order": True,
    }
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET disabled_optimizers = 'in_clause'")
    connection.execute(f"SET allowed_paths = {texts(readable)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def in_order(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.DuckDBPyRelation:
    """The query, once its plan shows that rows come in the order of what it reads. Raises `EngineError`."""
    ((_kind, plan),) = connection.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
    found = {operator for operator in _operators(json.loads(plan)) if any(word in operator for word in REORDERING)}
    if found:
        raise EngineError(
            _("the query would mix up the order of rows ({names})").format(names=", ".join(sorted(found))),
            do=_("report this with the contract, without the data"),
        )
    return connection.sql(query)


def _operators(nodes: list[dict[str, Any]]) -> Iterator[str]:  # Any: DuckDB's description of a plan
    for node in nodes:
        yield str(node["name"]).upper()
        yield from _operators(node["children"])


@contextmanager
def session(
    limits: Limits, *, readable: Sequence[Path | str] = (), temp: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose spill folder (made inside `temp`, else the system's) is removed with it."""
    if temp is not None:
        temp.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="spill-", dir=temp, ignore_cleanup_errors=True) as folder:
        connection = connect(limits, readable=readable, temp=Path(folder))
        try:
            yield connection
        finally:
            connection.close()

"""What computes: reads inputs, executes plans, answers queries. The only home of duckdb, pyspark and sqlglot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lastro.engine.protocol import Engine
    from lastro.engine.scan import Csv

__all__ = ["create", "first_lines", "sniff"]


def create(
    name: str,
    *,
    memory_mb: int = 600,
    threads: int | None = None,
    temp: Path | Callable[[], Path] | None = None,
    **limits: Any,  # Any: fields of `engine.duck.limits.Limits`, or the engine's own
) -> Engine:
    """The engine of that name: `duckdb`, `spark`, or one that a third party registered.

    `temp` is where it spills, or makes that place when it is first needed; what is written there is removed. Nothing
    heavy is imported before it is used. Raises `ConfigurationError` for an unknown name, `MissingExtra`.
    """
    from lastro.engine import registry

    return registry.create(name, memory_mb=memory_mb, threads=threads, temp=temp, **limits)


def sniff(path: Path) -> Csv:
    """How a delimited file is written: delimiter, quote, header, encoding, null texts. Read in a guarded child.

    Raises `SourceUnreachable`, `SourceBroken`, `LimitExceeded`.
    """
    from lastro.engine.duck.sniffing import sniff as look

    return look(path)


def first_lines(path: Path) -> tuple[str, tuple[str, ...]]:
    """The encoding and the first lines of a text file, at most some hundreds; read in a guarded child.

    Raises what `sniff` does.
    """
    from lastro.engine.duck import sniffing

    return sniffing.first_lines(path)

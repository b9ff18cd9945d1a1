"""From a name to an engine: one of ours, else a third party's entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lastro.engine.protocol import Engine
from lastro.model import plugin
from lastro.model.text import _

GROUP = "lastro.engines"
"""The entry points' group under which a third party registers `(memory_mb, threads, temp, **limits) -> Engine`."""
NAMES: Mapping[str, str] = {
    "duckdb": "lastro.engine.duck.engine:DuckEngine",
    "spark": "lastro.engine.spark:SparkEngine",
}
"""Our own engines and where they are; a module is imported when its engine is asked for."""

Factory = Callable[..., Engine]


def create(
    name: str,
    *,
    memory_mb: int,
    threads: int | None,
    temp: Path | Callable[[], Path] | None,
    **limits: Any,  # Any: the engine's own
) -> Engine:
    """The engine of that name; a third party's is given a place that exists. Raises `ConfigurationError`."""
    place = temp() if callable(temp) and name not in NAMES else temp
    factory: Factory = plugin.find(
        name, NAMES, GROUP, unknown=_("{name!r} is not an engine"), known=_("engines are: {names}")
    )
    return factory(memory_mb=memory_mb, threads=threads, temp=place, **limits)

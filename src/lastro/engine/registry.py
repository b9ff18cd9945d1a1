"""From a name to an engine: one of ours, else a third party's entry point."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from lastro.engine.protocol import Engine
from lastro.model.errors import ConfigurationError
from lastro.model.text import _

GROUP = "lastro.engines"
"""The entry points' group under which a third party registers `(memory_mb, threads, temp, **limits) -> Engine`."""
NAMES: Mapping[str, str] = {
    "duckdb": "lastro.engine.duck.engine:DuckEngine",
    "spark": "lastro.engine.spark:SparkEngine",
}
"""Our own engines and where they are; a module is imported when its engine is asked for."""

GROUP = "lastro.engines"
"""The entry points' group under which a third party registers `(memory_mb, threads, temp, **limits) -> Engine`."""

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
    return _factory(name)(memory_mb=memory_mb, threads=threads, temp=place, **limits)


def _factory(name: str) -> Factory:
    if name in NAMES:
        module, _colon, attribute = NAMES[name].partition(":")
        factory: Factory = getattr(import_module(module), attribute)
        return factory
    for point in entry_points(group=GROUP, name=name):
        plugged: Factory = point.load()
        return plugged
    known = [*NAMES, *sorted(point.name for point in entry_points(group=GROUP))]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = _("did you mean {near!r}? ").format(near=near[0]) if near else ""
    raise ConfigurationError(
        _("{name!r} is not an engine").format(name=name[:60]),
        do=meant + _("engines are: {names}").format(names=", ".join(known)),
    )

"""From a name to what is registered under it: one of ours, else a third party's entry point."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from lastro.model.errors import ConfigurationError
from lastro.model.text import _


def find(name: str, ours: Mapping[str, str], group: str, *, unknown: str, known: str) -> Any:  # Any: what is registered
    """What `ours` has under the name, as `module:attribute`, else the entry point of that name in `group`.

    Imported when it is asked for. Raises `ConfigurationError` with `unknown`, a text that takes `name`, and `known`,
    one that takes `names`.
    """
    if name in ours:
        module, _colon, attribute = ours[name].partition(":")
        return getattr(import_module(module), attribute)
    for point in entry_points(group=group, name=name):
        return point.load()
    names = [*ours, *sorted(point.name for point in entry_points(group=group))]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    meant = _("did you mean {near!r}? ").format(near=near[0]) if near else ""
    raise ConfigurationError(unknown.format(name=name[:60]), do=meant + known.format(names=", ".join(names)))

"""A step: one file of `transforms/`, which makes one dataset from others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lastro.model.errors import LastroError
from lastro.model.interval import Cut

FOLDER = "transforms"
START, END = "start", "end"
"""What a step that is made by intervals calls its bounds: parameters of its function, `$start` and `$end` in SQL."""


class Kind(StrEnum):
    """What a step is written in."""

    SQL = "sql"
    PYTHON = "python"


@dataclass(frozen=True, slots=True)
class Step:
    """How one dataset is made: `file` relative to the workspace, the datasets it reads in order, its build parameters,
    and the digest of its code. For Python, `function` is what is called and `arguments` tells which of its parameters
    takes which dataset.
    """

    name: str
    file: str
    kind: Kind
    upstream: tuple[str, ...]
    code: str
    parameters: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    fault: LastroError | None = None
    """What is wrong with the file, if it cannot be built; then it says nothing of what it reads."""
    function: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    cut: Cut | None = None
    """How it is made by intervals; None if all its rows are made at once."""

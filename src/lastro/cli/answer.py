"""Answers: what the shared options ask for, and what a verb came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastro.report.blocks import Blocks


@dataclass(frozen=True, slots=True)
class Settings:
    """What the shared options say."""

    directory: Path | None = None
    json: bool = False
    quiet: bool = False
    no_color: bool = False
    debug: bool = False
    log_json: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb came to. `values` go into the JSON object; `blocks` make the report, and are built only if one is
    shown; `verdict` is its last line, `next` the command to go on with. An `exit_code` other than 0 is not ok. `schema`
    names the object's schema where it is not the verb's own. `text` is printed as it is, without report and verdict,
    where the output is meant for another program.
    """

    values: Mapping[str, Any]  # Any: whatever `report.json_values` takes
    verdict: str
    blocks: Callable[[], Blocks] = tuple
    next: str = ""
    exit_code: int = 0
    schema: str = ""
    text: str = ""

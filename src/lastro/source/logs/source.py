"""The source of kind `logs`: lines of log files, followed while they grow and are rotated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastro.source.logs.following import LogFiles, followed
from lastro.source.logs.formats import lines_of
from lastro.source.logs.multiline import open_record
from lastro.source.logs.options import LogsOptions
from lastro.source.logs.pieces import open_line
from lastro.source.options import read_options


def logs_source(options: Mapping[str, Any], base: Path) -> LogFiles:  # Any: a person's YAML values
    """The source of kind `logs`. Raises `ConfigurationError`.

    A line that does not match goes to the engine as it is, which sets it aside as malformed.
    """
    given = read_options(options, LogsOptions)
    lines = lines_of(given)
    unfinished = open_line if lines.joining is None else open_record(lines.joining, encoding=lines.encoding)
    return followed(given, base, lines, unfinished=unfinished)

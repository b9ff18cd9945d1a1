"""The source of kind `logs`: lines of log files, found, told apart and watched as those of `files`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastro.source.files.source import FilesSource
from lastro.source.logs.formats import lines_of
from lastro.source.logs.options import LogsOptions
from lastro.source.options import read_options


def logs_source(options: Mapping[str, Any], base: Path) -> FilesSource:  # Any: a person's YAML values
    """The source of kind `logs`. Raises `ConfigurationError`.

    A line that does not match goes to the engine as it is, which sets it aside as malformed.
    """
    given = read_options(options, LogsOptions)
    return FilesSource(given.path, base, lines_of(given), kind="logs")

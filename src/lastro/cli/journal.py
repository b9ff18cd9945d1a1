"""The journal: what a command did, as JSON lines appended to a file, for whoever collects logs.

Rules:

1. One event a line: `time`, `level`, `event` (`started`, `progress`, `ingested`, `round`, `ended`, `failed`),
   `command`, `pid`, and what belongs to the event. The form is `lastro.journal/1`.
2. Lines are ASCII; every control character is escaped, so that no value can break or forge a line.
3. A line is appended with one write: commands that share a file do not tear each other's lines.
4. It holds counts, names, error codes and texts, never a value of a row. Arguments of the command are not in it.
5. A file that cannot be opened stops the command before it begins; one that fills up later does not.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from lastro.model import clock
from lastro.model.errors import WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _

SCHEMA = "lastro.journal/1"


def begin(path: Path, command: str) -> None:
    """The first line of a command. Raises `WriteFailed` if the file cannot be opened or written."""
    try:
        _append(path, _line("started", command, {}))
    except OSError as error:
        raise WriteFailed(
            _("the journal cannot be written: {reason}").format(reason=reason_of(error)),
            where=str(path),
            do=_("name a file in a folder that can be written"),
            state=_("nothing was done"),
        ) from error


def note(path: Path | None, event: str, command: str, **values: Any) -> None:  # Any: JSON values
    """One more line, if there is a journal; a disk that is full does not stop the command."""
    if path is not None:
        with suppress(OSError):
            _append(path, _line(event, command, values))


def _line(event: str, command: str, values: dict[str, Any]) -> bytes:  # Any: JSON values
    level = "error" if event == "failed" else "info"
    head = {"schema": SCHEMA, "time": clock.to_text(clock.utc_now()), "level": level, "event": event}
    record = {**head, "command": command, "pid": os.getpid(), **values}
    return json.dumps(record, separators=(",", ":"), default=str).encode("ascii") + b"\n"


def _append(path: Path, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)

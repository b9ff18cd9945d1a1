"""Showing: answers on standard output, errors on standard error, whatever pipe or encoding is behind them."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import TextIO

from lastro.cli.answer import Answer, Settings
from lastro.model.errors import LastroError
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.report.cells import clean
from lastro.report.plain import Page, to_text


class PipeClosed(Exception):
    """Whoever read our output has stopped reading."""


class OutputLost(Exception):
    """Standard output cannot be written; the system's error is the cause."""


def show_answer(answer: Answer, schema: str, settings: Settings) -> None:
    """One JSON object, or the report with its last line. Raises `PipeClosed`."""
    if settings.json:
        from lastro.report.json_values import answer_json

        write(answer_json(answer.schema or schema, answer.values, ok=answer.exit_code == 0), sys.stdout)
        return
    if answer.text:
        write(answer.text.removesuffix("\n"), sys.stdout)
        return
    page = page_for(sys.stdout, settings)
    report = "" if settings.quiet else to_text(answer.blocks(), page)
    last = clean(answer.verdict)
    if answer.next:
        last = f"{last}. {_('next:')} {clean(_from_here(answer.next, settings))}"
    write(f"{report}\n\n{last}" if report else last, sys.stdout)


def show_error(error: LastroError, settings: Settings) -> None:
    """The error on standard error; with `--json`, as one object on standard output. Raises `PipeClosed`."""
    if settings.json:
        from lastro.report.json_values import error_json

        write(error_json(error), sys.stdout)
        return
    from lastro.report.problem import problem

    write(problem(error, page_for(sys.stderr, settings)), sys.stderr)


def _from_here(command: str, settings: Settings) -> str:
    """The command as it works where the person stands, who may have said `-C`."""
    if settings.directory is None or not command.startswith("lastro "):
        return command
    return f"lastro -C {shlex.quote(str(settings.directory))}{command.removeprefix('lastro')}"


def page_for(stream: TextIO, settings: Settings) -> Page:
    """A terminal's width and colour, or an endless page without colour for anything else."""
    if not stream.isatty():
        return Page()
    plain = settings.no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Page(width=shutil.get_terminal_size().columns, colour=not plain)


def write(text: str, stream: TextIO) -> None:
    """The text and a line break, at once. What the stream's encoding lacks becomes `?`.

    Raises `PipeClosed` where nobody reads, `OutputLost` where standard output has no room.
    """
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError as error:
        raise PipeClosed from error
    except OSError as error:
        forsake(stream)
        if stream is sys.stderr:
            raise PipeClosed from error
        raise OutputLost(reason_of(error)) from error


def forsake(*streams: TextIO) -> None:
    """Points streams at nothing, so that the interpreter's last flush stays quiet too."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        try:
            os.dup2(nothing, stream.fileno())
        except (OSError, ValueError):  # the stream is closed or has no descriptor: nothing is left to be flushed
            continue
    os.close(nothing)

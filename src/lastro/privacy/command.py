"""A root key that a program prints: from a secret store, a key service, a password manager.

Rules:

1. The program gets the arguments as they are written, without a shell; nothing is put in their places. It asks nobody
   (no input, no terminal of ours), and gets the environment, where its own credentials are.
2. What it prints is the key, and stands in memory only. What it says beside is dropped: no error repeats a word of
   either, nor an argument.
3. It has a time, and may print little; then it is ended, with whatever it started.
4. A program runs with the rights of whoever reads the vault. So none is run that somebody else could have put there:
   the file that names it, the program, arguments that are files of the workspace, and the folders that lead to them
   are not for others to write. A name without a folder is looked for where PATH says, but in no relative place.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from lastro.model.errors import ConfigurationError, NotPermitted
from lastro.model.text import _

PRINTED_MAX = 4_096
_WHERE = "lastro.yaml: keys.root.command"


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments; `named_in` is the file that says so, in the folder in which it runs."""

    arguments: tuple[str, ...]
    named_in: Path
    timeout_s: float

    @property
    def folder(self) -> Path:
        """Where it runs."""
        return self.named_in.parent

    def __repr__(self) -> str:
        return f"<command {self.arguments[0] if self.arguments else ''}>"


def printed(command: Command, *, again: bool = False) -> str:
    """What it prints, asked once in a process unless it is to be asked `again`.

    Raises `NotPermitted` if it fails, `ConfigurationError` if it cannot be run, or may not.
    """
    if again:
        _printed.cache_clear()
    return _printed(command)


@lru_cache(maxsize=4)
def _printed(command: Command) -> str:
    program = _program(command)
    for path in (command.named_in, program, *_files(command)):
        _check(path, command.folder)
    content = _run(command, program)
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        return ""  # whoever asks says that this is no key


def _program(command: Command) -> Path:
    """Which file is run (rule 4)."""
    name = command.arguments[0] if command.arguments else ""
    if "/" in name:
        found = command.folder / name
    else:
        places = [each for each in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(each).is_absolute()]
        found = Path(shutil.which(name, path=os.pathsep.join(places)) or "") if name else Path()
    if not found.is_file() or not os.access(found, os.X_OK):
        raise ConfigurationError(
            _("there is no program that prints the root key"),
            where=_WHERE,
            do=_("install it, or name another: [PROGRAM, ARGUMENT, …]"),
        )
    return found


def _files(command: Command) -> Iterator[Path]:
    """The arguments that are files of the workspace, such as a script."""
    for argument in command.arguments[1:]:
        path = command.folder / argument
        with suppress(OSError, ValueError):  # what is no path is no file
            if path.is_file() and path.resolve().is_relative_to(command.folder.resolve()):
                yield path


def _check(path: Path, workspace: Path) -> None:
    """Refuses a file that others could change, or exchange (rule 4)."""
    inside = workspace.resolve()
    plain, real = path.absolute(), path.resolve()
    for each in dict.fromkeys((real, *real.parents, *plain.parents)):
        status = each.stat()
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        writable = stat.S_IWOTH | (stat.S_IWGRP if each.is_relative_to(inside) else 0)
        foreign = status.st_uid not in {0, os.geteuid()}
        if foreign or (status.st_mode & writable and not sticky):
            raise ConfigurationError(
                _("others may change {path}, and with it what prints the root key").format(path=each),
                where=_WHERE,
                do=_("make it yours alone to write: chmod go-w"),
            )


def _run(command: Command, program: Path) -> bytes:
    try:
        process = subprocess.Popen(
            [str(program), *command.arguments[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=command.folder,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            _("the program that prints the root key cannot be run"), where=_WHERE, do=_("try it in a terminal")
        ) from error
    until = time.monotonic() + command.timeout_s
    with process:
        try:
            content = _read(process.stdout, until) if process.stdout else b""
            if content is not None and len(content) <= PRINTED_MAX:
                process.wait(timeout=max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            content = None
        finally:
            if process.poll() is None:
                _end(process)
    return _good(content, process.returncode, command)


def _read(stream: IO[bytes], until: float) -> bytes | None:
    """What is printed, little more than `PRINTED_MAX` bytes; None if it takes too long."""
    content = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(stream, selectors.EVENT_READ)
        while len(content) <= PRINTED_MAX:
            left = until - time.monotonic()
            if left <= 0 or not waiting.select(left):
                return None
            part = os.read(stream.fileno(), PRINTED_MAX + 1)
            if not part:
                break
            content += part
    return content


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends it with whatever it started (rule 3)."""
    with suppress(ProcessLookupError, PermissionError):  # it is gone, or not ours any more
        os.killpg(process.pid, signal.SIGKILL)


def _good(content: bytes | None, code: int, command: Command) -> bytes:
    if content is None:
        what = _("the program that prints the root key took longer than {n} s").format(n=f"{command.timeout_s:g}")
    elif len(content) > PRINTED_MAX:
        what = _("the program that prints the root key prints too much")
    elif code:
        what = _("the program that prints the root key ended with {code}").format(code=code)
    elif not content.strip():
        what = _("the program that prints the root key printed nothing")
    else:
        return content
    raise NotPermitted(
        what,
        where=_WHERE,
        do=_("try it in a terminal; it may have to be signed in first"),
        state=_("tables, with their tokens, are as they were; so is the vault"),
    )

"""The environment of a run: the interpreter, the installed packages, the code's commit, the command.

Nothing here reads the values of environment variables, and no address of a git remote: both may hold secrets.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from lastro.catalog.run_record import Code, Environment
from lastro.model import digest
from lastro.model.text import _

GIT_TIMEOUT_S = 20.0
_FIELD = re.compile(r"^(Name|Version):[ \t]*(\S+)", re.MULTILINE)
"""All that is wanted of a distribution's metadata; the standard library's parser would read its whole description."""


def collect() -> Environment:
    """The interpreter, the platform and every installed distribution by its normalised name."""
    return _collected(tuple(sys.path))


def command() -> tuple[str, ...]:
    """How this process was started: `python`, then the arguments as the interpreter got them."""
    return ("python", *(argument.encode("utf-8", "replace").decode() for argument in sys.orig_argv[1:]))


def code() -> Code:
    """The running program's code: the script's digest, and the commit checked out in its folder."""
    script = _script()
    return replace(code_of(script.resolve().parent if script else Path.cwd()), script=_digest(script))


def code_of(folder: Path) -> Code:
    """The commit checked out in the folder, and whether any file – untracked ones too – differs from it.

    An empty `Code` outside git, without git, or where git does not answer.
    """
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return Code()
    status = _git(folder, "status", "--porcelain")
    return Code(commit.strip(), None if status is None else bool(status.strip()))


def _script() -> Path | None:
    """The file that was started, be it as a module; None in a session, or where it is gone."""
    named = (*sys.argv[:1], getattr(sys.modules.get("__main__"), "__file__", None))  # the second knows no other folder
    return next((path for path in map(Path, filter(None, named)) if path.is_file()), None)


def _digest(script: Path | None) -> str | None:
    try:
        return None if script is None else digest.of_file(script)
    except OSError:
        return None


def differences(before: Environment, now: Environment) -> tuple[str, ...]:
    """What differs, one sentence each, sorted by package; empty if the digests are equal."""
    if before.digest == now.digest:
        return ()
    notes = [
        _("{what} was {before}, is {now}").format(what=what, before=old, now=new)
        for what, old, new in (("Python", before.python, now.python), ("platform", before.platform, now.platform))
        if old != new
    ]
    old_packages, new_packages = dict(before.packages), dict(now.packages)
    for name in sorted(old_packages.keys() | new_packages.keys()):
        match old_packages.get(name), new_packages.get(name):
            case old, None:
                notes.append(_("{package} {version} is not installed").format(package=name, version=old))
            case None, new:
                notes.append(_("{package} {version} was not installed").format(package=name, version=new))
            case old, new if old != new:
                notes.append(_("{what} was {before}, is {now}").format(what=name, before=old, now=new))
    return tuple(notes)


def code_differences(before: Code, now: Code) -> tuple[str, ...]:
    """What differs between the scripts and the commits, and what is not known of them, one sentence each."""
    notes = []
    if before.commit is None and before.script is None:
        notes.append(_("the code was not recorded"))
    elif before.script is not None and now.script is not None and before.script != now.script:
        notes.append(_("the script changed"))
    if before.commit != now.commit:
        nothing = _("none")
        notes.append(
            _("the code's commit was {before}, is {now}").format(
                before=before.commit or nothing, now=now.commit or nothing
            )
        )
    if before.dirty:
        notes.append(_("the code had changes that were in no commit"))
    if now.dirty:
        notes.append(_("the code has changes now that are in no commit"))
    return tuple(notes)


@lru_cache(maxsize=1)
def _collected(search_path: tuple[str, ...]) -> Environment:
    """Cached by the search path: a process meets the same packages as long as it looks in the same places."""
    packages: dict[str, str] = {}
    for distribution in metadata.distributions(path=list(search_path)):
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        fields = dict(_FIELD.findall(text.partition("\n\n")[0]))
        if fields.keys() == {"Name", "Version"}:  # a folder left half deleted has neither
            packages.setdefault(re.sub(r"[-_.]+", "-", fields["Name"]).lower(), fields["Version"])
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return Environment.of(python=python, platform=f"{sys.platform} {platform.machine()}", packages=packages)


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None if it fails. No monitor that the repository's settings name is started."""
    line = ("git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments)
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=True, env=environment, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout

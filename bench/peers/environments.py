"""Environments of the other tools: made once with pinned releases, and kept in the user's cache.

Rules:

1. Each tool has an environment of its own, named by its pins; other pins make another one.
2. An environment is there once its last step was done: one that was broken off is made anew.
3. Without the registry there is no environment, and it is said which tool is not measured, and why.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

INSTALLATION_S = 900
_READY = "ready"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tool: its name as the table has it, its program in `bench.peers.tools`, and what is installed for it.

    The first of the `pins` is the tool itself.
    """

    name: str
    program: str
    pins: tuple[str, ...]

    @property
    def release(self) -> str:
        """The release that is measured."""
        return self.pins[0].partition("==")[2]


class NotInstalled(Exception):
    """A tool's environment could not be made; says which and why."""


def interpreter(peer: Peer) -> Path:
    """The interpreter of a tool's environment, which is made if it is not there. Raises `NotInstalled`."""
    digest = hashlib.sha256("\n".join((*peer.pins, sys.version)).encode()).hexdigest()[:12]
    folder = _cache() / f"{peer.program}-{digest}"
    python = folder / "bin" / "python"
    if (folder / _READY).exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    print(f"      installing {peer.name} {peer.release} into {folder}", flush=True)
    _run(peer, sys.executable, "-m", "venv", str(folder))
    _run(peer, str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.pins)
    (folder / _READY).touch()
    return python


def _cache() -> Path:
    kept = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(kept) / "lastro-bench"


def _run(peer: Peer, *command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALLATION_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"{peer.name} was not installed within {INSTALLATION_S} s, so it is not measured") from error
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        why = f"(is the package registry reachable?): {told[-1]}"
        raise NotInstalled(f"{peer.name} could not be installed, so it is not measured {why}")

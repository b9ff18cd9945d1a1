"""A gate that lets everybody in, and tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lastro.model.version import VersionInfo
from lastro.workspace.access.handed import FREE, Pass


@dataclass
class Telling:
    """Tells of each version that is read."""

    tell: Callable[[VersionInfo], object]

    def admit(self, info: VersionInfo) -> Pass:
        return FREE

    def reads(self, info: VersionInfo, opening: object) -> None:
        self.tell(info)

    def refuses(self, info: VersionInfo, error: Exception) -> None:
        raise error

"""Run records: what one execution read, wrote, measured, and with which code and environment.

Rules:

1. A record is a value; `to_json` is its only form on disk (`.lastro/runs/<id>.json`), and carries a format number.
2. The text carries its own digest, so that a changed byte is found, in whatever field it is.
3. Numbers that JSON cannot write (a loss that became NaN is a result too) are written as texts: `nan`, `inf`, `-inf`.
4. No environment variable, no message of an exception and no value from the data is ever in a record.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from lastro.model import clock, digest
from lastro.model.errors import ConfigurationError, Corrupted, NameRefused
from lastro.model.text import _

FORMAT = 1
RECORD_BYTES_MAX = 8 << 20
_ID = re.compile(r"[0-9]{8}T[0-9]{9}-[0-9a-f]{8}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class RunStatus(StrEnum):
    """Where a run stands: `running` is also what a killed process leaves behind."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class UsedVersion:
    """A version that a run read or wrote. `name` is the reference as it was asked for: `loans`, `loans@approved`."""

    name: str
    dataset: str
    number: int
    digest: str

    def __post_init__(self) -> None:
        if self.number < 0 or not _DIGEST.fullmatch(self.digest):
            raise ValueError("a version has a number of at least 0 and a digest")

    @property
    def reference(self) -> str:
        """`dataset@number`."""
        return f"{self.dataset}@{self.number}"


@dataclass(frozen=True, slots=True)
class Code:
    """The git commit that was checked out, or None outside git; `dirty` if any file differed from it. `script` is the
    digest of the file that was started, None where there was none, or where the record is older than that.
    """

    commit: str | None = None
    dirty: bool | None = None
    script: str | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """What the code ran on. `packages` are (name, version), sorted; `digest` covers everything else in here."""

    python: str
    platform: str
    packages: tuple[tuple[str, str], ...]
    digest: str

    @classmethod
    def of(cls, *, python: str, platform: str, packages: Mapping[str, str]) -> Environment:
        """The environment with its packages in canonical order and its digest."""
        ordered = tuple(sorted(packages.items()))
        content = {"python": python, "platform": platform, "packages": [list(package) for package in ordered]}
        return cls(python, platform, ordered, digest.of_value(content))


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One execution.

    `command` begins with `python`, then the arguments as they were given to the interpreter; `folder` is where it was
    started, relative to the workspace. `position` counts the runs the same process had begun before. `error` is the
    class of the exception that ended the run. `replay_of` is the id of the run that this one repeated. `purpose` is
    what it read for; `consents` are the versions of consents under which it read, `name` being what was read.
    """

    id: str
    name: str
    started: datetime
    status: RunStatus
    command: tuple[str, ...]
    folder: str
    environment: Environment
    code: Code = Code()
    ended: datetime | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    inputs: tuple[UsedVersion, ...] = ()
    outputs: tuple[UsedVersion, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None
    position: int = 0
    error: str = ""
    replay_of: str | None = None
    purpose: str = ""
    consents: tuple[UsedVersion, ...] = ()

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The record as plain JSON values."""
        plain = asdict(self)
        plain["started"] = clock.to_text(self.started)
        plain["ended"] = clock.to_text(self.ended) if self.ended else None
        for name in ("purpose", "consents"):
            if not plain[name]:
                del plain[name]
        if self.code.script is None:
            del plain["code"]["script"]
        plain["metrics"] = {name: value if math.isfinite(value) else str(value) for name, value in self.metrics.items()}
        return plain

    def to_json(self) -> str:
        """The record's file: its format, its digest and its content. Raises `ValueError` on what JSON cannot hold."""
        content = self.to_dict()
        whole = {"lastro_run": FORMAT, "digest": digest.of_value(content), "run": content}
        return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, where: str = "") -> RunRecord:
        """Reads what `to_json` wrote; `where` names the file in errors.

        Raises `Corrupted` if a byte differs from what was written, `ConfigurationError` if a newer Lastro wrote it.
        """
        try:
            whole = _parsed(text)
            version = whole["lastro_run"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _damaged(where) from error
        if isinstance(version, int) and version > FORMAT:
            raise _newer(version, where)
        try:
            return _record(whole)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _damaged(where) from error


def new_run_id(moment: datetime, random: bytes) -> str:
    """A run's id: sorts by time, does not clash: `20261122T101500123-0a1b2c3d`. `random` gives four bytes."""
    return f"{moment.astimezone(UTC).strftime('%Y%m%dT%H%M%S')}{moment.microsecond // 1000:03}-{random[:4].hex():0>8}"


def check_run_id(text: str) -> str:
    """The id itself if it is well formed, so that it can name a file. Raises `NameRefused`."""
    if not _ID.fullmatch(text):
        raise NameRefused(
            _("{text!r} is not a run's id").format(text=text[:80]),
            do=_("take an id such as 20261122T101500123-0a1b2c3d from the list of runs"),
        )
    return text


def _parsed(text: str | bytes) -> dict[str, Any]:  # Any: JSON values
    if len(text) > RECORD_BYTES_MAX:
        raise ValueError("too long for a run record")
    whole = json.loads(text)
    if not isinstance(whole, dict):
        raise TypeError("a run record is an object")
    return whole


def _record(whole: dict[str, Any]) -> RunRecord:  # Any: JSON values
    import msgspec

    content = whole["run"]
    if whole["lastro_run"] != FORMAT or digest.of_value(content) != whole["digest"]:
        raise ValueError("the digest differs")
    plain = {**content, "metrics": {name: float(value) for name, value in content["metrics"].items()}}
    try:
        record = msgspec.convert(plain, RunRecord)
    except msgspec.ValidationError as error:
        raise ValueError("a field has another type") from error
    check_run_id(record.id)
    for moment in filter(None, (record.started, record.ended)):
        clock.to_text(moment)
    return record


def _newer(version: int, where: str) -> ConfigurationError:
    return ConfigurationError(
        _("a run record has format {version}; this Lastro reads up to {known}").format(version=version, known=FORMAT),
        where=where,
        do=_("upgrade Lastro"),
    )


def _damaged(where: str) -> Corrupted:
    return Corrupted(
        _("a run record is not what was written"),
        where=where,
        do=_("restore the file from a backup, or move it out of the folder to go on without this run"),
    )

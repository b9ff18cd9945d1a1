"""What a version of a derived dataset was made of, and what has changed since.

Rules:

1. Four things make a version: code, parameters, the upstream versions' digests and the contract's digest. Where none
   changed, nothing is read and nothing written.
2. They are kept with the version (`Origin.made_of`, `inputs`, `contract_digest`), and nowhere else.
3. The key of an attempt is made of the four and of the newest version's digest. Two builds at once make one version; a
   step whose code went back to what it once was makes a new one, since rows of today stand under the newest number.
4. Of a step that is made by intervals, all of this holds for each interval (`intervals`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lastro.model import digest
from lastro.model.clock import to_text
from lastro.model.interval import Interval
from lastro.model.version import VersionInfo


class Part(StrEnum):
    """What can make a derived dataset stale. `otherwise`: its rows came about without a build; `intervals`: they were
    made by intervals, and are to be made at once.
    """

    NEVER = "never built"
    OTHERWISE = "otherwise"
    INTERVALS = "intervals"
    CODE = "code"
    PARAMETER = "parameter"
    UPSTREAM = "upstream"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was: which, and what it was and is, as far as it has a value to show."""

    part: Part
    name: str = ""
    before: str = ""
    after: str = ""

    def to_dict(self) -> dict[str, str]:
        """The change as plain values."""
        return {"part": self.part.value, "name": self.name, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class MadeOf:
    """The four things. `upstream` are `name@number digest`; `contract` is empty where there is none yet."""

    code: str
    parameters: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    upstream: tuple[str, ...] = ()
    contract: str = ""

    def key(self, head: VersionInfo | None, *, interval: Interval | None = None) -> str:
        """The key of an attempt that follows the version `head` (rule 3), at one interval or at all there is."""
        parent = "" if head is None else head.digest
        upstream = sorted([_name(reference), reference.rpartition(" ")[2]] for reference in self.upstream)
        parts = [self.code, self.contract, dict(self.parameters), upstream, parent]
        if interval is not None:
            parts += [interval.column, to_text(interval.start), to_text(interval.end)]
        return digest.of_value(["derived", *parts])

    def kept(self, *, interval: Interval | None = None) -> dict[str, Any]:  # Any: JSON values
        """What the version keeps beside its inputs and its contract."""
        found: dict[str, Any] = {"code": self.code, "parameters": dict(self.parameters)}  # Any: JSON values
        if interval is not None:
            bounds = {"start": to_text(interval.start), "end": to_text(interval.end)}
            found["interval"] = {"column": interval.column, **bounds}
        return found


def stale(made: VersionInfo | None, now: MadeOf) -> tuple[Change, ...]:
    """Why a build would make something else than the version `made`, whose rows are the newest; nothing if it would
    not.
    """
    if made is None:
        return (Change(Part.NEVER),)
    if made.origin.made_of.get("interval"):
        return (Change(Part.INTERVALS),)
    before = of_version(made)
    return (Change(Part.OTHERWISE, before=made.origin.source),) if before is None else changes(before, now)


def of_version(info: VersionInfo) -> MadeOf | None:
    """What a version, or its interval, was made of; None if it was not built."""
    kept = info.origin.made_of
    if not kept:
        return None
    return MadeOf(
        code=str(kept.get("code", "")),
        parameters=kept.get("parameters", {}),
        upstream=info.origin.inputs,
        contract=info.origin.contract_digest,
    )


def changes(before: MadeOf, after: MadeOf) -> tuple[Change, ...]:
    """What is not as it was."""
    found = [Change(Part.CODE, before=before.code, after=after.code)] if before.code != after.code else []
    for name in sorted(before.parameters.keys() | after.parameters.keys()):
        was, now = _value(before.parameters, name), _value(after.parameters, name)
        if was != now:
            found.append(Change(Part.PARAMETER, name, was, now))
    found += _upstream(before.upstream, after.upstream)
    if before.contract != after.contract:
        found.append(Change(Part.CONTRACT, before=before.contract, after=after.contract))
    return tuple(found)


def _upstream(before: Sequence[str], after: Sequence[str]) -> list[Change]:
    was = {_name(reference): reference for reference in before}
    now = {_name(reference): reference for reference in after}
    return [
        Change(Part.UPSTREAM, name, _reference(was.get(name, "")), _reference(now.get(name, "")))
        for name in sorted(was.keys() | now.keys())
        if was.get(name, "").rpartition(" ")[2] != now.get(name, "").rpartition(" ")[2]
    ]


def _name(reference: str) -> str:
    return reference.partition("@")[0]


def _reference(text: str) -> str:
    return text.partition(" ")[0]


def _value(parameters: Mapping[str, Any], name: str) -> str:  # Any: JSON values
    return digest.canonical(parameters[name]).decode() if name in parameters else ""

"""How far monitors' looks were made into incidents, so that no look is asked twice.

Rules:

1. The file, `.lastro/incidents.taken.json`, names for each monitor the chain of its looks and the number of the last
   that was taken in, and the place in the chain of incidents up to which that is true.
2. It holds for as long as the chain of incidents comes by that place: where incidents were moved away, or an older file
   came back, all looks are asked again.
3. It is no record: without it, or if it is damaged, all looks are asked again, which changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lastro.model.chain import START, Place
from lastro.model.durable import write_durably

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Taken:
    """The last look that was taken in, of each monitor: the digest its chain begins with, and the look's number."""

    at: Place = START
    monitors: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def since(self, monitor: str, chain: str) -> int:
        """The first look that was not taken in, of a monitor whose looks stand in that chain."""
        known, number = self.monitors.get(monitor, ("", -1))
        return number + 1 if known == chain else 0


def read(path: Path) -> Taken:
    """What was taken in; nothing where the file is not there, or not as it was written."""
    try:
        record = json.loads(path.read_bytes())
        if record["lastro_taken"] != FORMAT:
            return Taken()
        number, at, previous = record["at"]
        place = Place(int(number), int(at), None if previous is None else str(previous))
        return Taken(place, {str(name): (str(chain), int(last)) for name, (chain, last) in record["monitors"].items()})
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return Taken()


def write(path: Path, taken: Taken) -> None:
    """Replaces the file. Raises `OSError`."""
    at = [taken.at.number, taken.at.at, taken.at.previous]
    record = {"lastro_taken": FORMAT, "at": at, "monitors": {name: list(each) for name, each in taken.monitors.items()}}
    write_durably(path, json.dumps(record).encode() + b"\n", mode=0o600)

"""What an actor, or a key, touched: the blast radius of somebody who should not have been there (GDPR 33, LGPD 48).

Rules:

1. An event is an actor's if it names him. It is a key's if it says so (`about.key`), or if the checkpoint over it is
   signed with that key of the ledger: a key signs what comes after the event that announces it, as long as no other is
   announced.
2. Events are put together by dataset and version. The columns are those that were handed out; a version that was only
   written or removed has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lastro.ledger.event import Event
from lastro.ledger.note import PublicKey, public_key


@dataclass(frozen=True, slots=True)
class Touched:
    """What was done with one version, or (`version` None) with a dataset or the workspace as a whole."""

    dataset: str
    version: int | None
    digest: str
    columns: tuple[str, ...]
    actions: dict[str, int]
    purposes: tuple[str, ...]
    actors: tuple[str, ...]
    first: str
    last: str
    refused: int = 0

    @property
    def reference(self) -> str:
        """`name@number`, or the name."""
        return self.dataset if self.version is None else f"{self.dataset}@{self.version}"

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The same as plain values."""
        return {**asdict(self), "reference": self.reference}


def touched(events: Iterable[Event]) -> tuple[Touched, ...]:
    """What these events touched, by dataset and version, the first touched first."""
    groups: dict[tuple[str, int | None], list[Event]] = {}
    for each in events:
        groups.setdefault((each.dataset, each.version), []).append(each)
    return tuple(_together(dataset, version, found) for (dataset, version), found in groups.items())


def of_key(events: Iterable[Event], key: str, first: PublicKey) -> Iterator[Event]:
    """The events of a key, named by its eight hexadecimal digits, or as an event names it; `first` is the ledger's."""
    signs = first.id.hex()
    for each in events:
        if key in {signs, each.about.get("key")}:
            yield each
        if each.action == "key":
            signs = public_key(str(each.about.get("public"))).id.hex()


def _together(dataset: str, version: int | None, events: list[Event]) -> Touched:
    actions: dict[str, int] = {}
    for each in events:
        if each.decision == "allow":
            actions[each.action] = actions.get(each.action, 0) + 1
    moments = [each.at for each in events]
    return Touched(
        dataset,
        version,
        next((each.digest for each in events if each.digest), ""),
        tuple(dict.fromkeys(name for each in events if each.decision == "allow" for name in each.columns)),
        actions,
        tuple(dict.fromkeys(each.purpose for each in events if each.purpose)),
        tuple(dict.fromkeys(each.actor for each in events)),
        min(moments),
        max(moments),
        sum(each.decision == "deny" for each in events),
    )

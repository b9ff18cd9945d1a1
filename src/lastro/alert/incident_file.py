"""Incidents on disk: one chain of changes, `.lastro/incidents.jsonl`. Changes are added under its lock, and never
taken away; only what an erasure takes out of them goes.

Records of form 1 know neither rules nor monitors that cannot look; they are read as they are. New ones have form 2,
which a Lastro that only knows the first refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from lastro.alert.incident import Change, Incidents
from lastro.model import chain
from lastro.store.lock import held

FORM = 2
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Read:
    """The incidents as a file has them, and where its changes begin and end."""

    incidents: Incidents
    places: tuple[chain.Place, ...]
    end: chain.Place

    def holds(self, place: chain.Place) -> bool:
        """True if the file has come by this place: all that was there then is there now."""
        if place.number > self.end.number:
            return False
        return place == (self.end if place.number == self.end.number else self.places[place.number])


@dataclass(frozen=True, slots=True)
class IncidentFile:
    """The file that holds every change of every incident."""

    path: Path

    def read(self) -> Incidents:
        """The incidents as they stand. Raises `Corrupted`, `ConfigurationError`, `StoreError`."""
        return self.whole().incidents

    def whole(self) -> Read:
        """The incidents as they stand, with their places. Raises as `read` does."""
        return self._read(chain.read(self.path))

    def change(self, decide: Callable[[Incidents], Iterable[Change]]) -> Read:
        """Adds what `decide` makes of the incidents as they stand, while nobody else adds; gives them with it.

        Raises `Locked`, `WriteFailed`, and what `read` and `decide` raise.
        """
        with held(self.path.with_suffix(".lock"), dataset=self.path.name, timeout_s=PATIENCE_S):
            records = chain.read(self.path)
            before = self._read(records)
            changes = tuple(decide(before.incidents))
            if not changes:
                return before
            plain = [{"change": change.to_dict()} for change in changes]
            after = chain.append(self.path, plain, form=FORM, known=records)
            return Read(before.incidents.taken(changes), after.places, after.end)

    def rewrite(self, left: Callable[[Change], Change]) -> None:
        """Writes every change anew as `left` gives it, if any is another then, while nobody else adds.

        Raises as `change` does.
        """

        def changed(record: chain.Record) -> chain.Record:
            before = Change.from_dict(record["change"])
            after = left(before)
            return record if after is before else {**record, "change": after.to_dict()}

        with held(self.path.with_suffix(".lock"), dataset=self.path.name, timeout_s=PATIENCE_S):
            self.read()
            chain.rewrite(self.path, changed)

    def _read(self, found: chain.Chain) -> Read:
        changes = []
        for record in found.records:
            try:
                changes.append(Change.from_dict(record["change"]))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise chain.damaged(f"{self.path}:{record['number'] + 1}") from error
        try:
            return Read(Incidents().taken(changes), found.places, found.end)
        except ValueError as error:
            raise chain.damaged(str(self.path)) from error

"""Why a derived dataset is stale, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lastro.model.errors import LastroError
from lastro.model.interval import joined
from lastro.model.text import _, ngettext
from lastro.transform.derived.intervals import Todo
from lastro.transform.derived.made_of import Change, Part


@dataclass(frozen=True, slots=True)
class Why:
    """Why a derived dataset is stale: what changed since its newest version, and which datasets that it is made from
    are stale themselves. `fault` is what is wrong with its file. Of a step that is made by intervals, `intervals` are
    those to be made, and `changes` what makes others outdated.
    """

    dataset: str
    file: str
    version: int | None = None
    changes: tuple[Change, ...] = ()
    after: tuple[str, ...] = ()
    fault: LastroError | None = None
    intervals: Todo | None = None

    @property
    def is_stale(self) -> bool:
        """True if a build has something to do."""
        if self.intervals is not None:
            return bool(self.intervals.make)
        return bool(self.changes or self.after or self.fault)

    def words(self) -> tuple[str, ...]:
        """What changed, in a word or a name each; what is wrong with the file, if anything is."""
        if self.fault is not None:
            return (self.fault.what,)
        if self.intervals is not None:
            return self._intervals(self.intervals)
        words = (change.name or _word(change.part) for change in self.changes)
        return tuple(dict.fromkeys((*words, *self.after)))

    def notes(self) -> tuple[str, ...]:
        """What stays as it is though something changed."""
        if self.intervals is None or not self.intervals.outdated:
            return ()
        count = len(self.intervals.outdated)
        said = ngettext(
            "{n} interval is outdated: lastro why {name}", "{n} intervals are outdated: lastro why {name}", count
        )
        return (said.format(n=count, name=self.dataset),)

    def _intervals(self, found: Todo) -> tuple[str, ...]:
        if not found.make:
            return ()
        count = ngettext("{n} interval", "{n} intervals", len(found.make)).format(n=len(found.make))
        return (*((_word(Part.NEVER),) if self.version is None else ()), count, *self.after)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The reasons as plain values."""
        return {
            "dataset": self.dataset,
            "file": self.file,
            "version": self.version,
            "stale": self.is_stale,
            "changes": [change.to_dict() for change in self.changes],
            "after": list(self.after),
            "intervals": None if self.intervals is None else _intervals(self.intervals),
            "fault": None if self.fault is None else self.fault.to_dict(),
        }


def _intervals(found: Todo) -> dict[str, Any]:  # Any: JSON values
    every = found.cut.every
    return {"column": found.cut.column, "every": every.value} | {
        name: {
            "count": len(intervals),
            "spans": [{"start": every.shown(one.start), "end": every.shown(one.end)} for one in joined(intervals)],
        }
        for name, intervals in (("make", found.make), ("outdated", found.outdated))
    }


def _word(part: Part) -> str:
    words = {
        Part.NEVER: _("never built"),
        Part.OTHERWISE: _("made without a build"),
        Part.INTERVALS: _("made by intervals"),
        Part.CODE: _("code"),
        Part.PARAMETER: _("parameter"),
        Part.UPSTREAM: _("upstream"),
        Part.CONTRACT: _("contract"),
    }
    return words[part]

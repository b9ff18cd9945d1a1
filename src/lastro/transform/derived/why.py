"""Why a derived dataset is stale, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lastro.model.errors import LastroError
from lastro.model.text import _
from lastro.transform.derived.made_of import Change, Part


@dataclass(frozen=True, slots=True)
class Why:
    """Why a derived dataset is stale: what changed since its newest version, and which datasets that it is made from
    are stale themselves. `fault` is what is wrong with its file.
    """

    dataset: str
    file: str
    version: int | None = None
    changes: tuple[Change, ...] = ()
    after: tuple[str, ...] = ()
    fault: LastroError | None = None

    @property
    def is_stale(self) -> bool:
        """True if a build has something to do."""
        return bool(self.changes or self.after or self.fault)

    def words(self) -> tuple[str, ...]:
        """What changed, in a word or a name each; what is wrong with the file, if anything is."""
        if self.fault is not None:
            return (self.fault.what,)
        words = (change.name or _word(change.part) for change in self.changes)
        return tuple(dict.fromkeys((*words, *self.after)))

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The reasons as plain values."""
        return {
            "dataset": self.dataset,
            "file": self.file,
            "version": self.version,
            "stale": self.is_stale,
            "changes": [change.to_dict() for change in self.changes],
            "after": list(self.after),
            "fault": None if self.fault is None else self.fault.to_dict(),
        }


def _word(part: Part) -> str:
    words = {
        Part.NEVER: _("never built"),
        Part.OTHERWISE: _("made without a build"),
        Part.CODE: _("code"),
        Part.PARAMETER: _("parameter"),
        Part.UPSTREAM: _("upstream"),
        Part.CONTRACT: _("contract"),
    }
    return words[part]

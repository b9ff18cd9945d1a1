"""Controls: the technical and organisational measures of a workspace, each with its state and what proves it.

GDPR 24, 25, 30(1)(g), 32; LGPD 46, 47, 49, 50. A control is what an auditor asks for, not what a law says: the articles
name where the law asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lastro.model.dossier import Dossier


class State(StrEnum):
    """How a control stands; `UNKNOWN` is what Lastro cannot know, and a person has to say."""

    IN_PLACE = "in place"
    MISSING = "not in place"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows it: in words, and where there are such, the ledger's event (from 0), a digest, and when."""

    what: str
    event: int | None = None
    digest: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """One measure. `key` never changes; `limit` says what it does not do, and `do` what would put it in place."""

    key: str
    what: str
    articles: str
    state: State
    evidence: tuple[Evidence, ...] = ()
    limit: str = ""
    do: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """All controls, the facts they were taken from, and what a workspace promises and cannot."""

    dossier: Dossier
    controls: tuple[Control, ...]
    promises: tuple[str, ...]
    cannot: tuple[str, ...]

    def of(self, state: State) -> tuple[Control, ...]:
        """The controls in one state."""
        return tuple(each for each in self.controls if each.state is state)

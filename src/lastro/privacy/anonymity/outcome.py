"""What anonymising came to: what was asked, what was done to each column, and the risk before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from lastro.model.personal import Thresholds


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of one sensitive column what is reached: distinct l, entropy l, and t."""

    l: int  # noqa: E741 – the name that the measure has
    entropy: float
    t: float


@dataclass(frozen=True, slots=True)
class Risk:
    """What is reached, and what risk is left. Chances and shares are from 0 to 1; of no rows, all are 0."""

    rows: int
    classes: int
    k: int
    prosecutor: float
    prosecutor_mean: float
    journalist: float
    marketer: float
    unique: float
    sensitive: Mapping[str, Diversity] = field(default_factory=dict)
    population: str = ""
    """The version that the journalist's risk was measured with; without one it is the most that it can be."""

    @property
    def l(self) -> int | None:  # noqa: E743 – the name that the measure has
        """The least distinct l of any sensitive column."""
        return min((each.l for each in self.sensitive.values()), default=None)

    @property
    def t(self) -> float | None:
        """The largest t of any sensitive column."""
        return max((each.t for each in self.sensitive.values()), default=None)


class LeftOut(StrEnum):
    """Why a column is not in the result."""

    IDENTIFIER = "identifier"
    SUBJECT = "subject"
    UNASKED = "unasked"
    UNCLASSIFIED = "unclassified"


class Doubt(StrEnum):
    """Why rows are not called anonymised."""

    NO_THRESHOLDS = "no-thresholds"
    K = "k"
    L = "l"
    T = "t"
    UNCLASSIFIED = "unclassified"
    UNCONFIRMED = "unconfirmed"
    AS_IT_IS = "as-it-is"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: `k`, `l` distinct values (with `entropy`: as diverse as l equally frequent ones), `t`, and which
    share of the rows may be left out; which columns are quasi-identifiers, sensitive, or kept though nobody classified
    them. `recode` says whether what is coarser than it has to be becomes finer again.
    """

    k: int
    l: int | None = None  # noqa: E741 – the name that the measure has
    t: float | None = None
    suppress: float = 0.0
    entropy: bool = False
    quasi: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    recode: bool = True


@dataclass(frozen=True, slots=True)
class Coarsened:
    """What was done to a quasi-identifier: from what its hierarchy was made, the names of its levels, the level of the
    best node, the share of the rows at each level in the end, and how much of what its values told is lost (0 to 1).
    `absent` values were not in the hierarchy that was given.
    """

    column: str
    hierarchy: str
    levels: tuple[str, ...]
    best: int
    shares: tuple[float, ...]
    loss: float
    absent: int = 0


@dataclass(frozen=True, slots=True)
class Effort:
    """Of how many nodes the best was taken, how many were counted, its loss, how many rows it leaves out, and whether
    it is proven the best.
    """

    nodes: int
    checked: int
    loss: float
    suppressed: int
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Measured:
    """How anonymous rows are, without anything done to them; `left_out` columns count as not being there."""

    source: str
    source_digest: str
    quasi: tuple[str, ...]
    sensitive: tuple[str, ...]
    subject: str
    risk: Risk

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The measures as plain values."""
        return {**asdict(self), "risk": _plain(self.risk)}


@dataclass(frozen=True, slots=True)
class Anonymised:
    """Rows that were made anonymous, as far as that goes. `doubts` are empty only if `thresholds` hold and no column is
    left that may identify directly: only then they are called anonymised, and else pseudonymised.
    """

    source: str
    source_digest: str
    asked: Asked
    thresholds: Thresholds | None
    columns: tuple[Coarsened, ...]
    sensitive: tuple[str, ...]
    subject: str
    left_out: Mapping[str, LeftOut]
    effort: Effort
    loss: float
    rows: int
    suppressed: int
    before: Risk
    after: Risk
    doubts: tuple[Doubt, ...]
    target: str = ""
    target_digest: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def is_anonymised(self) -> bool:
        """True if there is no doubt."""
        return not self.doubts

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The result as plain values, bound to both versions by their digests."""
        return {
            **asdict(self),
            "left_out": {name: why.value for name, why in self.left_out.items()},
            "before": _plain(self.before),
            "after": _plain(self.after),
            "anonymised": self.is_anonymised,
        }


def _plain(found: Risk) -> dict[str, Any]:  # Any: JSON values
    return {**asdict(found), "l": found.l, "t": found.t}


def doubts(thresholds: Thresholds | None, found: Risk, columns: Mapping[Doubt, Sequence[str]]) -> tuple[Doubt, ...]:
    """Why rows are not called anonymised: by the columns that give reason to each doubt, and by what was reached. A
    threshold that cannot be measured does not hold, and a k of 1 is none.
    """
    why = {doubt: bool(names) for doubt, names in columns.items()}
    why[Doubt.NO_THRESHOLDS] = thresholds is None or thresholds.k < 2
    if thresholds is not None:
        why[Doubt.K] = found.k < thresholds.k
        why[Doubt.L] = thresholds.l is not None and (found.l is None or found.l < thresholds.l)
        why[Doubt.T] = thresholds.t is not None and (found.t is None or found.t > thresholds.t + 1e-9)
    return tuple(doubt for doubt in Doubt if why.get(doubt))

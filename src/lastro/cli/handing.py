"""What each command hands out, and which action of a policy lets it: every command has a line here.

Rules:

1. `ROWS` are values of single rows. They are read through the gate (`workspace.admission`), for a purpose, with masks.
2. `STATISTICS` are counted over all rows. Of a column that somebody does not read in the clear, of every row, he is
   told no more than how much is missing.
3. `RECORDED` are findings and comparisons as they were recorded, the same for everybody: of columns that the contract
   withholds they hold no value.
4. `NAMES` are names, numbers of rows, digests and moments of the workspace's own, and what people wrote into its files;
   of values no more than how many are of a kind, which `classify` counts for whoever has to say what may be read.
5. A command that hands nothing out may be forbidden by an action of its own; it goes on where no policy speaks of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Hands(StrEnum):
    """What is handed out."""

    ROWS = "rows"
    STATISTICS = "statistics"
    RECORDED = "recorded"
    NAMES = "names"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Handing:
    """What a command hands out, and the action that policies speak of; none where they do not."""

    hands: Hands
    action: str = ""


_ROWS, _STATISTICS = Handing(Hands.ROWS, "read"), Handing(Hands.STATISTICS, "read")
_RECORDED, _NAMES, _NOTHING = Handing(Hands.RECORDED), Handing(Hands.NAMES), Handing(Hands.NOTHING)
COMMANDS = {
    "init": _NOTHING,
    "demo": _NOTHING,
    "add": _NAMES,
    "ingest": Handing(Hands.NAMES, "ingest"),
    "build": Handing(Hands.NAMES, "build"),
    "flatten": _NAMES,
    "why": _NAMES,
    "quarantine": _ROWS,
    "contract": _NAMES,
    "status": _NAMES,
    "run": Handing(Hands.NAMES, "ingest"),
    "monitor": _RECORDED,
    "incidents": _RECORDED,
    "emit": _NOTHING,
    "metrics": _NAMES,
    "check": _ROWS,
    "profile": _STATISTICS,
    "outliers": _STATISTICS,
    "history": _STATISTICS,
    "drift": _STATISTICS,
    "performance": _STATISTICS,
    "suggest": _STATISTICS,
    "classify": _STATISTICS,
    "log": _NAMES,
    "read": _ROWS,
    "diff": _ROWS,
    "templates": _ROWS,
    "lineage": _NAMES,
    "tag": _NOTHING,
    "restore": _NOTHING,
    "runs": _NAMES,
    "leakage": _STATISTICS,
    "replay": _NOTHING,
    "lock": _NAMES,
    "policy": _NAMES,
    "anonymise": _ROWS,
    "dp": _STATISTICS,
    "subject": Handing(Hands.ROWS, "export"),
    "retain": Handing(Hands.NAMES, "erase"),
    "erase": Handing(Hands.NAMES, "erase"),
    "vault": _NAMES,
    "keys": _NAMES,
    "reveal": Handing(Hands.ROWS, "reveal"),
    "doctor": _NAMES,
    "ledger": _NAMES,
    "report": _STATISTICS,
    "verify": _NAMES,
    "repair": _NAMES,
    "gc": _NAMES,
}

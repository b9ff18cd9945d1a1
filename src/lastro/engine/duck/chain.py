"""Chains: the states of a key in a history whose batch says when each began.

Rules:

1. All states of the keys in the batch, stored and new, are put in the order of their moments. A new state that equals
   the one that held just before is no state. A new one of the same moment as a stored one takes its place.
2. A state ends where the next begins. A late one, which begins before stored states, ends where the next of them begins
   or the one that it interrupts ended; those after it are not changed.
3. A row that says `gone` ends what held at its moment, and is no state itself.
4. A key that ended and comes back begins anew, even with equal values.
5. Where the batch is whole, a key that it has is there now: one whose last state ended begins anew at the merge's
   moment.
6. Keys are taken in parts, so that no part needs more than a bounded memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from lastro.engine.duck.arrow import arrow_type
from lastro.engine.duck.connection import name
from lastro.engine.duck.fates import OPEN, Stored, moment_value
from lastro.engine.duck.pairs import GONE, INCOMING, ROW, Meeting
from lastro.engine.duck.positions import Integers
from lastro.engine.sql.dialect import data_type
from lastro.model.merging import History
from lastro.model.schema import Primitive

PART_ROWS = 250_000
"""New rows of one part, roughly."""
_NEVER = -OPEN


class Fate(IntEnum):
    """What becomes of one state; the last three are of stored ones."""

    NEW = 0
    CHANGED = 1
    SAME = 2
    AGAIN = 3
    ENDED = 4
    DELETED = 5
    REPLACED = 6
    ERASED = 7


def follow(meeting: Meeting, files: Sequence[Path]) -> None:
    """Decides the fates of every stored state of the batch's keys, and of the batch's rows."""
    batch = meeting.batch
    meeting.stored = [Stored.of(path, pq.read_metadata(path).num_rows) for path in files]
    for file in meeting.stored:
        file.bare = file.path in meeting.bare
    parts = len(batch.skips) // PART_ROWS + 1
    for part in range(parts):
        for file, row, fate, until in meeting.read(_query(meeting, part, parts)):
            new = file < 0
            _of_batch(meeting, row[new], fate[new], until[new])
            for number in np.unique(file[~new]).tolist():
                here = file == number
                _of_stored(meeting, meeting.stored[number], row[here], fate[here], until[here])


def _of_batch(meeting: Meeting, rows: Integers, fate: Integers, until: Integers) -> None:
    batch = meeting.batch
    same = fate == Fate.SAME
    batch.skips[rows[same]] = True
    meeting.unchanged += int(same.sum())
    meeting.paired[rows[fate == Fate.CHANGED]] = True
    batch.again[rows[fate == Fate.AGAIN]] = True
    batch.until[rows[~same]] = until[~same]


def _of_stored(meeting: Meeting, file: Stored, rows: Integers, fate: Integers, until: Integers) -> None:
    file.goes[rows[(fate == Fate.REPLACED) | (fate == Fate.ERASED)]] = True
    ends = (fate == Fate.ENDED) | (fate == Fate.DELETED)
    if ends.any():
        file.end(rows[ends], until[ends])
    meeting.deleted += int(((fate == Fate.DELETED) | (fate == Fate.ERASED)).sum())


def _query(meeting: Meeting, part: int, parts: int) -> str:
    """Every event of the keys of one part that has a fate: `file` (-1 for the batch), `row`, `fate`, `until`."""
    key = ", ".join(name(column) for column in meeting.plan.key)
    order = f"PARTITION BY {key} ORDER BY since, side"
    inherited = f"CASE WHEN stored_end > since AND stored_end < {_NEVER} AND NOT last THEN stored_end END"
    until = f"coalesce(least(next_since, {inherited}), {OPEN})"
    again = "last AND stored_end < " + str(_NEVER) if meeting.plan.whole else "false"
    last = "next_any IS NULL" if meeting.plan.whole else "false"
    return f"""
WITH new AS (SELECT * FROM ({_new(meeting)}) WHERE hash({key}) % {parts} = {part}),
events AS (SELECT * FROM new {"".join(f" UNION ALL {each}" for each in _old(meeting))}),
met AS (
  SELECT *, lag(since) OVER w AS prev_since, lag(state) OVER w AS prev_state, lag(gone) OVER w AS prev_gone,
    lag(side) OVER w AS prev_side, lead(since) OVER w AS next_any,
    last_value(CASE WHEN side = 0 THEN ends END IGNORE NULLS)
      OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS stored_end
  FROM events WINDOW w AS ({order})
),
judged AS (
  SELECT *, {last} AS last,
    (prev_since IS NULL OR prev_gone OR (stored_end <= since AND prev_since < stored_end)) IS TRUE AS gap
  FROM met
),
kept AS (
  SELECT *, side = 1 AND NOT gone AND NOT gap AND state IS NOT DISTINCT FROM prev_state
    AND (prev_since < since OR prev_side = 1 OR stored_end > since) AS same
  FROM judged
),
linked AS (
  SELECT *, lead(since) OVER w AS next_since, lead(side) OVER w AS next_side, lead(gone) OVER w AS next_gone
  FROM kept WHERE NOT same WINDOW w AS ({order})
)
SELECT file, row, CAST(CASE
    WHEN side = 1 AND gap THEN {Fate.NEW:d}
    WHEN side = 1 THEN {Fate.CHANGED:d}
    WHEN next_since = since AND next_gone THEN {Fate.ERASED:d}
    WHEN next_since = since THEN {Fate.REPLACED:d}
    WHEN next_gone THEN {Fate.DELETED:d}
    ELSE {Fate.ENDED:d} END AS BIGINT) AS fate,
  CASE WHEN side = 1 THEN {until} ELSE next_since END AS until
FROM linked WHERE (side = 1 AND NOT gone) OR (side = 0 AND next_side = 1 AND next_since < ends)
  OR (side = 0 AND next_side = 1 AND next_since = since)
UNION ALL SELECT file, row, CAST(CASE WHEN {again} THEN {Fate.AGAIN:d} ELSE {Fate.SAME:d} END AS BIGINT), {OPEN}
FROM kept WHERE same
"""


def _new(meeting: Meeting) -> str:
    since = _number(name(_history(meeting).effective or ""), meeting)
    key = ", ".join(name(column) for column in meeting.plan.key)
    known = " AND ".join(f"{name(column)} IS NOT NULL" for column in meeting.plan.key)
    return (
        f"SELECT {key}, {since} AS since, NULL::BIGINT AS ends, 1 AS side, -1 AS file, {ROW} AS row, {GONE} AS gone, "
        f"{_state(meeting)} AS state FROM {INCOMING} WHERE {known}"
    )


def _old(meeting: Meeting) -> list[str]:
    history, found = _history(meeting), []
    same = " AND ".join(f"old.{name(column)} = new.{name(column)}" for column in meeting.plan.key)
    for number, file in enumerate(meeting.stored):
        start, end = _number(name(history.start), meeting), _number(name(history.end), meeting)
        if file.bare:
            kind = arrow_type(meeting.schema.field(history.start).type)
            start, end = str(moment_value(meeting.plan.began, kind)), "NULL"
        key = ", ".join(f"old.{name(column)}" for column in meeting.plan.key)
        found.append(
            f"SELECT {key}, {start} AS since, coalesce({end}, {_NEVER}) AS ends, 0 AS side, {number} AS file, "
            f"{ROW} AS row, false AS gone, {_state(meeting)} AS state "
            f"FROM {meeting.old(file.path, all_states=True)} AS old SEMI JOIN new ON {same}"
        )
    return found


def _state(meeting: Meeting) -> str:
    others = [column for column in meeting.plan.compared if column not in meeting.plan.key]
    return (
        f"struct_pack({', '.join(f'c{place} := {name(column)}' for place, column in enumerate(others))})"
        if others
        else "0"
    )


def _history(meeting: Meeting) -> History:
    if meeting.plan.history is None:
        raise ValueError("only a history has chains")
    return meeting.plan.history


def _number(column: str, meeting: Meeting) -> str:
    kind = meeting.schema.field(_history(meeting).start).type
    typed = f"CAST({column} AS {data_type(kind).sql('duckdb')})"
    if kind == Primitive.DATE:
        return f"CAST({typed} - DATE '1970-01-01' AS BIGINT)"
    return f"epoch_us({typed})"

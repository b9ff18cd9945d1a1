"""The comparison with other tools: what each does with the same table, what that costs, and what it finds.

Rules:

1. Every side is a process of its own, measured as all others are (`bench.process`), once at each size.
2. A side ends by saying what it found; that is held against what was planted (`bench.peers.planted`).
3. A tool that cannot be installed, or that fails, has a line that says so; the others are measured all the same.
4. The large table is left out where less than `MEMORY_MIN` is free: some tools take more than ten times DuckDB's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import quality
from bench.data import FOLDER
from bench.figure import GIB, Size, machine, mib
from bench.page import table
from bench.peers import known, planted
from bench.peers.environments import NotInstalled, Peer, interpreter
from bench.process import Cost, Side, cost, side

MEMORY_MIN = 14 * GIB
SMALLER = 1_000_000
_AVAILABLE = re.compile(r"^MemAvailable:\s+([0-9]+) kB", re.MULTILINE)
Row = tuple[str, ...]


def tables(size: Size) -> str:
    """Checks at two sizes, and drift."""
    parts = [machine(), f"Releases: {', '.join(f'{each.name} {each.release}' for each in known.ALL)}."]
    for rows in sorted({SMALLER, size.checked}):
        times = f"each of {len(planted.PLANTED)} faults once in {planted.EVERY:,} rows"
        parts.append(f"Twenty checks on {rows:,} x 20, with {times}:")
        if rows > SMALLER and _available() < MEMORY_MIN:
            parts.append(f"Left out: less than {MEMORY_MIN // GIB} GiB of memory were free.")
        else:
            head = ("tool", "CPU", "wall", "peak of memory", "faults found", "counts that are not exact", "set aside")
            parts.append(table(head, list(_checked(rows))))
    parts.append(f"Drift of {size.compared:,} rows against {size.compared:,}, 15 columns, of which 9 changed:")
    head = ("tool", "CPU", "wall", "peak of memory", "found", "missed", "false alarms")
    return "\n\n".join([*parts, table(head, list(_drifted(size.compared)))])


def _checked(rows: int) -> Iterator[Row]:
    orders = quality.orders("orders", rows)
    source = _made(f"faulty-{rows}", lambda target: planted.faulty(str(orders), target))
    aside, stored = FOLDER / "aside.parquet", FOLDER / "peers-stored"
    cost(_own("store", stored, source))
    yield _finding("DuckDB, one query by hand", side("plain_faults", source), _of_checks(rows))
    yield _finding("**Lastro**, a stored version checked", _own("check", stored), _of_checks(rows))
    yield _finding("**Lastro**, the whole ingestion", _own("ingest", FOLDER / "peers-ingest", source), _of_checks(rows))
    for peer in known.CHECKING:
        yield _of_peer(peer, (source, aside), _of_checks(rows))


def _drifted(rows: int) -> Iterator[Row]:
    before, later = quality.orders("before", rows), quality.orders("later", rows, first=rows)
    after = _made(f"drifted-{rows}", lambda target: planted.drifted(str(later), target))
    folder = FOLDER / "peers-drift"
    cost(_own("two", folder, before, after))
    yield _finding("DuckDB, one histogram scan", side("histograms", folder), lambda _said: ("", "", ""))
    yield _finding("**Lastro**, against the kept profile", _own("drift", folder), _of_drift)
    for peer in known.DRIFTING:
        yield _of_peer(peer, (before, after), _of_drift)


def _own(name: str, *arguments: object) -> Side:
    return Side(name, ("-m", "bench.peers.tools.lastro", name, *map(str, arguments)))


def _of_peer(peer: Peer, arguments: Sequence[Path], told: Callable[[dict], Row]) -> Row:
    try:
        python = interpreter(peer)
    except NotInstalled as error:
        return _without(peer.name, str(error))
    program = ("-W", "ignore", "-m", f"bench.peers.tools.{peer.program}")
    return _finding(peer.name, Side(peer.program, (*program, *map(str, arguments)), interpreter=str(python)), told)


def _finding(name: str, measured: Side, told: Callable[[dict], Row]) -> Row:
    """One line: what a side cost, and what it found."""
    try:
        spent = cost(measured)
    except RuntimeError as error:
        return _without(name, f"it failed: {str(error).strip().splitlines()[-1]}")
    return (name, f"{spent.cpu_s:.1f} s", f"{spent.wall_s:.1f} s", mib(spent.peak_bytes), *told(_said(spent)))


def _without(name: str, why: str) -> Row:
    print(f"      {name}: {why}", flush=True)
    return (name, "–", "–", "–", why.replace("|", "/"), "–", "–")


def _said(spent: Cost) -> dict:
    lines = [line for line in spent.output.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {}


def _of_checks(rows: int) -> Callable[[dict], Row]:
    """What a side found of the faults, each of which was planted so many times."""
    planted_times = rows // planted.EVERY

    def told(found: dict) -> Row:
        counts = found["counts"]
        seen = [name for name in planted.PLANTED if counts.get(name)]
        wrong = [f"`{name}` {counts[name]:,}" for name in seen if not _is_exact(name, counts[name], planted_times)]
        false = [f"`{name}`, a false alarm" for name in planted.WHOLE if counts.get(name)]
        lacking = [f"`{name}` not checked" for name in (*planted.PLANTED, *planted.WHOLE) if name not in counts]
        aside = found.get("set_aside")
        said = "nothing: it only counts" if aside is None else f"{aside:,} rows"
        return (f"{len(seen)} of {len(planted.PLANTED)}", ", ".join([*wrong, *false, *lacking]) or "none", said)

    return told


def _is_exact(name: str, count: int, times: int) -> bool:
    """True for what was planted; of a key that occurs twice, one row is too many or both are."""
    return count in ({times, 2 * times} if name.endswith(".unique") else {times})


def _of_drift(found: dict) -> Row:
    drifted = set(found["drifted"])
    missed = [f"`{name}`" for name in planted.DRIFTED if name not in drifted]
    false = [f"`{name}`" for name in planted.STILL if name in drifted]
    seen = len(planted.DRIFTED) - len(missed)
    return (f"{seen} of {len(planted.DRIFTED)}", ", ".join(missed) or "none", ", ".join(false) or "none")


def _made(name: str, sql: Callable[[str], str]) -> Path:
    """A file made by a query, if it is not there yet."""
    import duckdb

    target = FOLDER / f"{name}.parquet"
    if not target.exists():
        partial = target.with_suffix(".partial")
        duckdb.connect().execute(sql(str(partial)))
        partial.rename(target)
    return target


def _available() -> int:
    """Bytes of memory that are free; as much as is needed where nobody tells."""
    try:
        found = _AVAILABLE.search(Path("/proc/meminfo").read_text())
    except OSError:
        return MEMORY_MIN
    return int(found[1]) * 1024 if found else MEMORY_MIN

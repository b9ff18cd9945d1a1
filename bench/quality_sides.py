"""The programs of `bench.quality`, each in a process of its own: `python -m bench.sides NAME ARGUMENT…`."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from bench.peers import planted

COMPARED = (
    *("amount", "age", "country", "payment", "status", "discount", "quantity", "total", "score"),
    *("day", "channel", "store", "weight", "express", "ordered_at"),
)
COUNTED = (
    *(f"{name}.missing" for name in ("order_id", "customer_id", "email", "amount", "age", "ordered_at")),
    *("country.listed", "payment.listed", "status.listed", "age.range", "discount.range", "amount.range"),
    *("quantity.range", "email.pattern", "cpf.pattern", "updated_after", "total_adds_up"),
)
"""What the query counts, after the rows and before the mean."""
CHECKS = """
SELECT count(*), count(*) FILTER (order_id IS NULL), count(*) FILTER (customer_id IS NULL),
  count(*) FILTER (email IS NULL), count(*) FILTER (amount IS NULL), count(*) FILTER (age IS NULL),
  count(*) FILTER (ordered_at IS NULL),
  count(*) FILTER (country NOT IN ('BR', 'AR', 'CL', 'CO', 'MX', 'PE', 'UY', 'US')),
  count(*) FILTER (payment NOT IN ('pix', 'credit', 'debit', 'boleto', 'wallet', 'cash')),
  count(*) FILTER (status NOT IN ('created', 'paid', 'shipped', 'delivered', 'refunded')),
  count(*) FILTER (age NOT BETWEEN 0 AND 120), count(*) FILTER (discount NOT BETWEEN 0 AND 1),
  count(*) FILTER (amount NOT BETWEEN 0 AND 100000), count(*) FILTER (quantity < 1),
  count(*) FILTER (NOT regexp_full_match(email, '[^@ ]+@[^@ ]+\\.[a-z.]+')),
  count(*) FILTER (NOT regexp_full_match(cpf, '[0-9]{3}\\.[0-9]{3}\\.[0-9]{3}-[0-9]{2}')),
  count(*) FILTER (updated_at < ordered_at),
  count(*) FILTER (abs(total - amount * quantity * (1 - discount)) > 0.011), avg(score)
FROM read_parquet(?)
"""


def ingest_orders(folder: str) -> None:
    """Takes the orders in."""
    import lastro

    print(lastro.open(folder).dataset("orders").ingest().counts)


def ingest_two(folder: str, before: str, after: str) -> None:
    """Takes two files in, each as a version; and makes a table of a hundred columns with two versions beside it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    import lastro

    dataset = lastro.open(folder).dataset("orders")
    for path in (before, after):
        dataset.ingest(data=pq.read_table(path), mode="append")
    wide = Path(folder).with_name("wide")
    shutil.rmtree(wide, ignore_errors=True)
    made = lastro.init(wide)
    rows = pq.read_table(before, columns=["amount"]).column(0).slice(0, 20_000).to_pylist()
    table = pa.table({f"c{number}": [value * (number + 1) for value in rows] for number in range(100)})
    pq.write_table(table, wide / "wide.parquet")
    made.add(str(wide / "wide.parquet"), name="wide", mode="append")
    for _ in range(2):
        made.dataset("wide").ingest(data=table, mode="append")


def checks(folder: str) -> None:
    """Every rule of the contract on the stored version."""
    import lastro

    found = lastro.open(folder).dataset("orders").check()
    print(json.dumps({"rules": len(found.rules), "passed": found.passed}))


def plain_checks(folder: str) -> None:
    """The same by hand, in one scan and a query for the key."""
    import duckdb

    files = _files(folder)
    row = duckdb.execute(CHECKS, [files]).fetchone()
    twice = duckdb.execute("SELECT count(order_id) - count(DISTINCT order_id) FROM read_parquet(?)", [files]).fetchone()
    print(row, twice)


def plain_faults(source: str) -> None:
    """The same on a file with faults, told by the names of what was planted."""
    import duckdb

    row = duckdb.execute(CHECKS, [[source]]).fetchone()
    twice = duckdb.execute(
        "SELECT count(order_id) - count(DISTINCT order_id) FROM read_parquet(?)", [source]
    ).fetchone()
    assert row is not None and twice is not None
    low, high = planted.SCORE
    whole = {"rows": row[0] <= planted.ROWS_MIN, "usual_score": not low <= row[-1] <= high}
    counts = dict(zip(COUNTED, row[1:-1], strict=True))
    print(json.dumps({"counts": {**counts, "order_id.unique": twice[0], **whole}}))


def profile(folder: str) -> None:
    """The profile of the stored version, counted anew; what it takes on the disk."""
    import lastro

    dataset = lastro.open(folder).dataset("orders")
    kept = next(Path(folder, "tables", "orders", "_lastro", "profiles").iterdir())
    kept.unlink()
    found = dataset.profile()
    print(json.dumps({"columns": len(found.counts.columns), "bytes": kept.stat().st_size}))


def summarize(folder: str) -> None:
    """What DuckDB tells of the same files."""
    import duckdb

    print(len(duckdb.execute("SUMMARIZE SELECT * FROM read_parquet(?)", [_files(folder)]).fetchall()))


def drift_read(folder: str) -> None:
    """Compares the second version's own rows with the first, without what was counted of the second."""
    import lastro

    dataset = lastro.open(folder).dataset("orders")
    Path(folder, "tables", "orders", "_lastro", "profiles", "1.json.gz").unlink(missing_ok=True)
    print(dataset.drift("0", since="0", columns=COMPARED).comparison.drift.verdict)


def warm_drift(folder: str) -> None:
    """The same in a process whose libraries are loaded, and that has proven and read no file yet."""
    import lastro
    import lastro.engine.duck.profiles

    lastro.open(folder).dataset("orders").drift("0", current="0", columns=COMPARED)
    _timed(drift_read, folder)


def warm_histograms(folder: str) -> None:
    """The scan in a process whose engine is open."""
    import duckdb

    duckdb.execute("SELECT 1").fetchall()
    _timed(histograms, folder)


def _timed(work: Callable[[str], None], folder: str) -> None:
    with redirect_stdout(StringIO()):
        started = time.process_time()
        work(folder)
        spent = time.process_time() - started
    print(json.dumps({"cpu_s": spent}))


def histograms(folder: str) -> None:
    """One scan of both versions' files that counts 100 bins of each number, and the values of each text."""
    import duckdb

    files, counted = _files(folder), []
    for column in COMPARED:
        if column in {"country", "payment", "status", "channel", "express"}:
            counted.append(f"histogram({column})")
        else:
            value = f"epoch({column})" if column in {"day", "ordered_at"} else column
            counted.append(f"histogram({value}, [x * 1000.0 for x in range(100)])")
    print(len(str(duckdb.execute(f"SELECT {', '.join(counted)} FROM read_parquet(?)", [files[-1:]]).fetchone())))


def drift_stored(folder: str) -> None:
    """Compares two stored versions of a hundred columns, twenty times in one process."""
    import lastro

    dataset = lastro.open(folder).dataset("wide")
    taken = []
    for _ in range(20):
        started = time.perf_counter()
        dataset.drift("0", current="1")
        taken.append((time.perf_counter() - started) * 1000)
    print(json.dumps({"ms": taken}))


def _files(folder: str) -> list[str]:
    return sorted(map(str, Path(folder, "tables", "orders").glob("part-*.parquet")))


SIDES = (
    *(ingest_orders, ingest_two, checks, plain_checks, plain_faults, profile, summarize),
    *(drift_read, warm_drift, histograms, warm_histograms, drift_stored),
)

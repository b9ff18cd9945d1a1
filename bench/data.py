"""The data of the benchmarks: a CSV of 12 columns with a few faults, made by one seeded query of the same engine."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "data"

QUERY = """
COPY (
  SELECT
    i AS id,
    hash(i, 1) % 2000000 AS customer,
    lpad((hash(i, 2) % 100000000000)::VARCHAR, 11, '0') AS document,
    CASE WHEN hash(i, 3) % 200 = 0 THEN 'XX'
         WHEN hash(i, 3) % 7 = 0 THEN ' ' || lower(state) || ' ' ELSE state END AS state,
    ['personal', 'payroll', 'vehicle', 'card'][1 + (hash(i, 4) % 4)::INTEGER] AS product,
    CASE WHEN hash(i, 5) % 400 = 0 THEN -1.0 ELSE round((hash(i, 6) % 10000000) / 100.0, 2) END AS amount,
    round((hash(i, 7) % 60000) / 10000.0, 4) AS rate,
    6 * (1 + hash(i, 8) % 12) AS term_months,
    DATE '2020-01-01' + (hash(i, 9) % 2190)::INTEGER AS opened,
    TIMESTAMP '2026-01-01' + to_seconds((hash(i, 10) % 28000000)::BIGINT) AS updated,
    CASE WHEN hash(i, 11) % 50 = 0 THEN NULL
         ELSE ['App', 'BRANCH', 'phone ', 'partner'][1 + (hash(i, 12) % 4)::INTEGER] END AS channel,
    hash(i, 13) % 10 < 8 AS active
  FROM (SELECT i, ['SP', 'MG', 'RJ', 'BA', 'PR', 'RS', 'PE', 'CE'][1 + (hash(i) % 8)::INTEGER] AS state
        FROM range(1, {rows} + 1) AS numbers(i))
) TO '{target}' (FORMAT csv, HEADER)
"""


def csv(rows: int) -> Path:
    """The CSV of that many rows, made if it is not there yet."""
    target = FOLDER / f"accounts-{rows}.csv"
    if not target.exists():
        import duckdb

        FOLDER.mkdir(exist_ok=True)
        partial = target.with_suffix(".partial")
        with duckdb.connect(config={"threads": 1, "preserve_insertion_order": True}) as connection:
            connection.execute(QUERY.format(rows=rows, target=partial))
        partial.rename(target)
    return target

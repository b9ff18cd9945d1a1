"""What is checked, and what is planted in the data: faults in a table, and drift between two.

Rules:

1. Of every 10,000 orders, each of the rows' checks is broken by one, which breaks no other check: its place is its
   number in `PLANTED`. The two checks of the whole table (`rows`, `usual_score`) hold.
2. A duplicate of a key is one row more than there are keys; tools that count every row of a repeated key count two.
3. Of the 15 columns that drift compares, nine changed by more than anybody's margin, six did not. One row of 10,000
   holds an amount beyond all measure, which hides nothing.

Nothing here is imported from outside the standard library: every tool's interpreter reads it.
"""

from __future__ import annotations

EVERY = 10_000
COUNTRIES = ("BR", "AR", "CL", "CO", "MX", "PE", "UY", "US")
PAYMENTS = ("pix", "credit", "debit", "boleto", "wallet", "cash")
STATUSES = ("created", "paid", "shipped", "delivered", "refunded")
EMAIL = r"[^@ ]+@[^@ ]+\.[a-z.]+"
CPF = r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"
REQUIRED = ("order_id", "customer_id", "email", "amount", "age", "ordered_at")
LISTED = {"country": COUNTRIES, "payment": PAYMENTS, "status": STATUSES}
PATTERNS = {"email": EMAIL, "cpf": CPF}
RANGES: dict[str, tuple[int, int | None]] = {
    "amount": (0, 100_000),
    "age": (0, 120),
    "discount": (0, 1),
    "quantity": (1, None),
}
ROWS_MIN, SCORE, TOTAL_APART = 100, (0.4, 0.6), 0.011

PLANTED = {
    **{f"{name}.missing": (name, "NULL") for name in REQUIRED},
    "order_id.unique": ("order_id", "order_id + 5000"),
    **{f"{name}.listed": (name, "'other'") for name in LISTED},
    **{f"{name}.pattern": (name, "'nothing'") for name in PATTERNS},
    "amount.range": ("amount", "-1.0"),
    "age.range": ("age", "140"),
    "discount.range": ("discount", "1.5"),
    "quantity.range": ("quantity", "0"),
    "updated_after": ("updated_at", "ordered_at - INTERVAL 1 DAY"),
    "total_adds_up": ("total", "total + 5"),
}
"""The rows' checks: which column is broken, and how, as SQL. With `rows` and `usual_score` they are twenty."""
WHOLE = ("rows", "usual_score")

DRIFTED = {
    "amount": "CASE WHEN {chance} < 0.0001 THEN 1e9 ELSE round(amount * 1.4, 2) END",
    "total": "round(total * 1.4, 2)",
    "age": "age + 6",
    "country": "CASE WHEN {chance} < 0.1 THEN 'BR' ELSE country END",
    "payment": "CASE WHEN {chance} < 0.04 THEN 'crypto' ELSE payment END",
    "score": "CASE WHEN {chance} < 0.05 THEN NULL ELSE score END",
    "channel": "CASE WHEN channel IS NOT NULL AND {chance} < 0.15 THEN 'app' ELSE channel END",
    "weight": "weight * 0.85",
    "discount": "CASE WHEN {chance} < 0.12 THEN 0.0 ELSE discount END",
}
"""The columns that changed, and how, as SQL."""
STILL = ("status", "quantity", "day", "store", "express", "ordered_at")


def faulty(source: str, target: str) -> str:
    """SQL that writes the orders of one file into another, with the faults."""
    first = ("amount", "quantity", "discount")
    broken: dict[str, list[str]] = {}
    for place, (column, value) in enumerate(PLANTED.values()):
        broken.setdefault(column, []).append(f"WHEN place = {place} THEN {value}")
    total = "round(amount * quantity * (1 - discount), 2) AS total"
    one = ", ".join(_case(name, broken[name]) for name in first)
    two = ", ".join(_case(name, cases) for name, cases in broken.items() if name not in first)
    rows = f"SELECT *, order_id % {EVERY} AS place FROM read_parquet('{source}')"
    broken_first = f"SELECT * REPLACE ({total}) FROM (SELECT * REPLACE ({one}) FROM ({rows}))"
    return f"COPY (SELECT * EXCLUDE (place) REPLACE ({two}) FROM ({broken_first})) TO '{target}' (FORMAT parquet)"


def drifted(source: str, target: str) -> str:
    """SQL that writes the orders of one file into another, with the drift."""
    chance = "(hash(order_id, {salt}) % 1000000) / 1000000.0"
    changes = [
        f"{change.format(chance=chance.format(salt=100 + place))} AS {name}"
        for place, (name, change) in enumerate(DRIFTED.items())
    ]
    return (
        f"COPY (SELECT * REPLACE ({', '.join(changes)}) FROM read_parquet('{source}')) TO '{target}' (FORMAT parquet)"
    )


def _case(name: str, cases: list[str]) -> str:
    return f"CASE {' '.join(cases)} ELSE {name} END AS {name}"

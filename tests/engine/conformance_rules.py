"""What every engine must do with rules of Lastro's own. To be imported like `conformance`, beside it."""

from __future__ import annotations

import math
import statistics
from datetime import date, datetime
from decimal import Decimal as Number
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.engine import identifiers
from tests.engine.conformance import ASIDE, P, simple, staged, stream

from lastro.engine.protocol import Engine, OtherRows
from lastro.model.errors import ContractError
from lastro.model.plan import (
    Breaks,
    CleanText,
    Duplicates,
    Identifier,
    IdentifierKind,
    Measure,
    Operator,
    Orphans,
    RowRule,
    Share,
    Spellings,
    Statistic,
    StatisticKind,
    TableRule,
    Threshold,
)
from lastro.model.schema import Decimal, Field, Schema

CLEAN = [
    *(
        "",
        "São João",
        "AÇÃO",
        "“AMANHÃ”",
        "não – sim",
        "MAÇÃ\u00a0DOCE",
        "1ª via",
        "Nº 5",
        "a\tb\r\nc",
        "日本",
        "Ñandú",
    ),
    *("Ð", "emoji 😀", "L’été", "AMANHÃ… talvez", "«IRMû", "MAÇÃ® doce", "Âncora", "SÃO", "ESPAÑA", "naïve", "\u200b"),
]
READ_AS_WINDOWS = [
    *("São", "ação", "é", "café", "Nº", "L’été", "10 €", "– travessão", "Ônibus", "Última", "Ê", "“aspas”", "😀"),
]
SPOILED = [
    *(text.encode("utf-8").decode("windows-1252", errors="ignore") for text in READ_AS_WINDOWS),
    *("ca\ufffd", "\ufefftexto", "a\x07", "\x7f", "a\x9db", "l\x00l", "Ã©", "SÃ£o", "ï»¿id", "ï¿½"),
    "Привет".encode().decode("latin-1"),
]


@pytest.mark.parametrize("kind", IdentifierKind)
def test_identifiers_are_judged_as_libraries_judge_them(engine: Engine, tmp_path: Path, kind: IdentifierKind) -> None:
    random = Random(f"some {kind}")
    texts: list[str | None] = [identifiers.mangled(kind, random) for _each in range(2_000)]

    assert refused(engine, Identifier("x", kind), [*texts, "", None], tmp_path) == [
        text for text in [*texts, ""] if text is not None and not identifiers.holds(kind, text)
    ]


def test_what_a_wrong_encoding_leaves_behind_is_seen(engine: Engine, tmp_path: Path) -> None:
    assert refused(engine, CleanText("x"), [*CLEAN, *SPOILED, None], tmp_path) == SPOILED


@pytest.mark.parametrize(
    "condition", [Identifier("n", IdentifierKind.CPF), CleanText("n"), Identifier("y", IdentifierKind.IP)]
)
def test_rules_about_text_are_refused_elsewhere(engine: Engine, condition: Identifier | CleanText) -> None:
    with pytest.raises(ContractError) as caught:
        engine.check(simple({"n": P.LONG, "x": P.STRING}, RowRule("rule", condition, ASIDE)))

    assert caught.value.where == "rule"


def refused(
    engine: Engine, condition: Identifier | CleanText, texts: list[str | None], folder: Path
) -> list[str | None]:
    """The texts that break the condition, in their order."""
    plan = simple({"n": P.LONG, "x": P.STRING}, RowRule("rule", condition, ASIDE))
    found = staged(engine, plan, stream({"n": [str(n) for n in range(len(texts))], "x": texts}), folder)
    kept = set(found.column("n"))
    return [text for n, text in enumerate(texts) if n not in kept]


COLUMNS: dict[str, tuple[Any, Any, list[Any]]] = {
    "id": (P.LONG, pa.int64(), [1, 2, 4, 4, None, 7, 2**63 - 1, -(2**63)]),
    "n": (P.INTEGER, pa.int32(), [10, 8, 2, 4, 6, None, 0, 12]),
    "p": (Decimal(6, 2), pa.decimal128(6, 2), [Number(each) for each in ("0.10", "0.20", "0.30", "0.55", "9999.99")]),
    "x": (P.DOUBLE, pa.float64(), [0.5, 1.5, -2.0, 1e300, None, 3.25, 8.0, 0.0]),
    "y": (P.DOUBLE, pa.float64(), [1.0, math.inf, None]),
    "nothing": (P.DOUBLE, pa.float64(), []),
    "day": (P.DATE, pa.date32(), [date(2024, *each) for each in ((2, 28), (2, 29), (3, 1), (3, 3), (3, 3))]),
    "at": (P.TIMESTAMP_NTZ, pa.timestamp("us"), [datetime(2026, 1, 1, hour) for hour in (7, 6, 5, 4, 3, 2, 1, 0)]),
    "uf": (P.STRING, pa.string(), ["São Rui", "sao  rui", "SÃO RUI ", "São Rui", "Sa\u0303o\u00a0Rui", None, "Ir", ""]),
    "word": (P.STRING, pa.string(), ["ΣΊΣΦΟΣ", "σίσφος", "İzmir", "izmir", "Ştefan", "stefan", "große", "grosse"]),
    "key": (P.STRING, pa.string(), ["a", "b", "a", None, "", "A", "b", "c"]),
}  # fmt: skip
SCHEMA = Schema(tuple(Field(name, kind) for name, (kind, _arrow, _values) in COLUMNS.items()))
X = [0.5, 1.5, -2.0, 1e300, 3.25, 8.0, 0.0]
N = [10, 8, 2, 4, 6, 0, 12]
K = StatisticKind
MEASURES: list[tuple[Measure, float]] = [
    (Breaks("id", step="1"), 5),
    (Breaks("n", step="2"), 0),
    (Breaks("n", by="at"), 3),
    (Breaks("n", step="2", by="n"), 0),
    (Breaks("n", step="-2", by="at"), 4),
    (Breaks("p", step="0.1"), 2),
    (Breaks("day", step="1"), 2),
    (Breaks("nothing"), 0),
    (Breaks("x"), 0),
    (Statistic("n", K.MEAN), 6.0),
    (Statistic("n", K.MEDIAN), 6.0),
    (Statistic("n", K.SUM), 42.0),
    (Statistic("id", K.SUM), 17.0),
    (Statistic("id", K.MINIMUM), float(-(2**63))),
    (Statistic("n", K.QUANTILE, 0.95), 11.4),
    (Statistic("n", K.QUANTILE, 0.0), 0.0),
    (Statistic("n", K.QUANTILE, 1.0), 12.0),
    (Statistic("n", K.DEVIATION), statistics.stdev(N)),
    (Statistic("p", K.MEAN), 2000.228),
    (Statistic("p", K.SUM), 10001.14),
    (Statistic("p", K.MAXIMUM), 9999.99),
    (Statistic("x", K.MEDIAN), 1.5),
    (Statistic("x", K.MAXIMUM), 1e300),
    (Statistic("y", K.MEAN), math.inf),
    (Statistic("y", K.DEVIATION), math.nan),
    (Statistic("nothing", K.MEAN), math.nan),
    (Statistic("nothing", K.MEDIAN), math.nan),
    (Share("key", "a"), 2),
    (Share("key", ""), 1),
    (Share("n", "8.0"), 1),
    (Share("n", "8.5"), 0),
    (Share("p", "0.1"), 1),
    (Share("day", "2024-03-03"), 2),
    (Spellings("uf"), 3),
    (Spellings("word"), 3),
    (Spellings("key"), 1),
    (Duplicates(("uf",), approximate=True), 4),
    (Duplicates(("key", "n"), approximate=True), 0),
    (Duplicates(("key",), approximate=True), 3),
    (Duplicates(("key",)), 2),
    (Orphans("t", (("n", "id"),)), 5),
    (Orphans("others", (("key", "code"),)), 4),
    (Orphans("others@3", (("key", "code"), ("n", "number"))), 5),
    (Orphans("others", (("n", "wide"),)), 6),
    (Orphans("none", (("key", "code"),)), 7),
    (Orphans("others", (("key", "missing"),), optional=True), math.nan),
    (Orphans("others", (("n", "code"),), optional=True), math.nan),
    (Orphans("nowhere", (("key", "code"),), optional=True), math.nan),
]  # fmt: skip


def test_rules_over_the_table_are_measured_alike(engine: Engine, tmp_path: Path) -> None:
    rules = [TableRule(f"{n} {each}", each, Threshold(Operator.MUST_BE, (0,))) for n, (each, _) in enumerate(MEASURES)]
    found = engine.measure(table_files(tmp_path), SCHEMA, rules, table="t", others=other_rows(tmp_path)).table_rules

    expected = {rule.name: number for rule, (_measure, number) in zip(rules, MEASURES, strict=True)}
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    "measure",
    [
        Breaks("missing"),
        Breaks("x", step="1"),
        Statistic("key", K.MEAN),
        Spellings("n"),
        Orphans("others", (("missing", "code"),)),
        Orphans("others", (("key", "missing"),)),
        Orphans("others", (("n", "code"),)),
        Share("missing", "a"),
    ],
)
def test_measures_that_cannot_be_taken_are_refused(engine: Engine, tmp_path: Path, measure: Measure) -> None:
    rule = TableRule("rule", measure, Threshold(Operator.MUST_BE, (0,)))

    with pytest.raises(ContractError) as caught:
        engine.measure(table_files(tmp_path), SCHEMA, [rule], table="t", others=other_rows(tmp_path))
    assert caught.value.where == "rule"


HOSTILE = [
    "own",
    "their",
    "later",
    "earlier",
    "times",
    "rarer",
    "measured",
    "spelling",
    "row",
    "n",
    'a"b',
    "a`b",
    "a b.c'",
    "ç",
]


def test_columns_may_have_any_name(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "hostile.parquet"
    pq.write_table(pa.table({name: ["x", "X", "y", "x", None] for name in HOSTILE}), path)
    schema = Schema(tuple(Field(name, P.STRING) for name in HOSTILE))
    must = Threshold(Operator.MUST_BE, (0,))
    rules = [
        TableRule(f"{name} {kind}", measure, must)
        for name in HOSTILE
        for kind, measure in {
            "breaks": Breaks(name, by="own"),
            "spellings": Spellings(name),
            "repeats": Duplicates((name,)),
            "alike": Duplicates((name,), approximate=True),
            "orphans": Orphans("others", ((name, "times"),)),
            "themselves": Orphans("t", ((name, "their"),)),
            "share": Share(name, "x' OR 'y' = 'y"),
        }.items()
    ]
    other = {"others": OtherRows((path,), schema)}

    found = engine.measure([path], schema, rules, table="t", others=other).table_rules

    numbers = {"breaks": 1, "spellings": 1, "repeats": 1, "alike": 2, "orphans": 0, "themselves": 0, "share": 0}
    assert found == {f"{name} {kind}": number for name in HOSTILE for kind, number in numbers.items()}


def table_files(folder: Path) -> list[Path]:
    """The table above in two files."""
    rows = max(len(values) for _kind, _arrow, values in COLUMNS.values())
    table = pa.table(
        {
            name: pa.array([*values, *[None] * (rows - len(values))], arrow)
            for name, (_kind, arrow, values) in COLUMNS.items()
        }
    )
    for name, part in (("a", table.slice(0, 5)), ("b", table.slice(5))):
        pq.write_table(part, folder / f"{name}.parquet")
    return [folder / "a.parquet", folder / "b.parquet"]


def other_rows(folder: Path) -> dict[str, OtherRows]:
    """Rows of other datasets, one of them without any."""
    schema = Schema((Field("code", P.STRING), Field("number", P.INTEGER), Field("wide", Decimal(20, 2))))
    numbers = pa.array([Number("10.00"), None, Number("8.50")], pa.decimal128(20, 2))
    table = pa.table({"code": ["a", "c", None], "number": pa.array([10, 5, None], pa.int32()), "wide": numbers})
    path = folder / "others.parquet"
    pq.write_table(table, path)
    return {"others": OtherRows((path,), schema), "others@3": OtherRows((path,), schema), "none": OtherRows((), schema)}

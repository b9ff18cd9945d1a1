"""NannyML's univariate drift with its defaults, on two pandas frames, each cut into ten chunks."""

from __future__ import annotations

import sys

import nannyml
import pandas as pd

from bench.peers import planted
from bench.peers.tools import said

nannyml.disable_usage_logging()
TEXTS = ("country", "payment", "status", "channel", "express")


def compare(before: str, after: str) -> None:
    """The columns of which any chunk alarms."""
    names = [*planted.DRIFTED, *planted.STILL]
    one, two = (_numbers(pd.read_parquet(path, columns=names)) for path in (before, after))
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=names, treat_as_categorical=list(TEXTS), chunk_size=len(one) // 10
    )
    found = calculator.fit(one).calculate(two).filter(period="analysis").to_df()
    drifted = [name for name in names if found[name].xs("alert", axis=1, level=1).to_numpy().any()]
    said(drifted=drifted)


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Dates and moments as numbers: it takes no others."""
    frame["day"] = (pd.to_datetime(frame["day"]) - pd.Timestamp("1970-01-01")).dt.days
    frame["ordered_at"] = frame["ordered_at"].astype("int64")
    return frame


if __name__ == "__main__":
    compare(*sys.argv[1:])

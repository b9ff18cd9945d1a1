"""frouros: the two-sample KS test for numbers, chi-squared for values, at 5 % each."""

from __future__ import annotations

import sys

import pandas as pd
from frouros.detectors.data_drift import ChiSquareTest, KSTest

from bench.peers import planted
from bench.peers.tools import said

TEXTS = ("country", "payment", "status", "channel", "express")
ALPHA = 0.05


def compare(before: str, after: str) -> None:
    """The columns whose p-value is below 5 %. It knows no missing values: of numbers they are left out, of texts they
    are one value more.
    """
    names = [*planted.DRIFTED, *planted.STILL]
    one, two = (pd.read_parquet(path, columns=names) for path in (before, after))
    drifted = []
    for name in names:
        detector = ChiSquareTest() if name in TEXTS else KSTest()
        detector.fit(X=_values(one[name]))
        found, _log = detector.compare(X=_values(two[name]))
        if found.p_value < ALPHA:
            drifted.append(name)
    said(drifted=drifted)


def _values(column: pd.Series):
    if column.name in TEXTS:
        return column.astype("str").fillna("missing").to_numpy(dtype="str")
    if column.name == "day":
        column = (pd.to_datetime(column) - pd.Timestamp("1970-01-01")).dt.days
    if column.name == "ordered_at":
        column = column.astype("int64")
    return column.dropna().to_numpy()


if __name__ == "__main__":
    compare(*sys.argv[1:])

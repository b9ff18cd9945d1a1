"""Evidently's preset with its defaults, on two pandas frames."""

from __future__ import annotations

import sys

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

from bench.peers import planted
from bench.peers.tools import said


def compare(before: str, after: str) -> None:
    """The columns that the preset says drifted."""
    names = [*planted.DRIFTED, *planted.STILL]
    one, two = (pd.read_parquet(path, columns=names) for path in (before, after))
    found = Report([DataDriftPreset()]).run(two, one).dict()
    drifted = []
    for metric in found["metrics"]:
        told = metric.get("config") or {}
        if not str(told.get("type", "")).endswith("ValueDrift"):
            continue
        is_p_value = "p_value" in str(metric.get("metric_name", "")) or "p-value" in str(told.get("method"))
        value, limit = float(metric["value"]), float(told["threshold"])
        if value < limit if is_p_value else value >= limit:
            drifted.append(told["column"])
    said(drifted=drifted)


if __name__ == "__main__":
    compare(*sys.argv[1:])

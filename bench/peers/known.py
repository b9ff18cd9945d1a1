"""The tools that are measured, with their pinned releases."""

from __future__ import annotations

from bench.peers.environments import Peer

CHECKING = (
    Peer("Soda", "soda", ("soda-core==4.28.0", "soda-duckdb==4.28.0", "duckdb==2.0.1")),
    Peer("pointblank (Polars)", "pointblank", ("pointblank==1.1.1", "polars==2.1.0", "pyarrow==26.0.1")),
    Peer("pandera (Polars)", "pandera", ("pandera[polars]==0.35.0", "polars==2.1.0")),
    Peer(
        "Great Expectations (pandas)",
        "expectations",
        ("great-expectations==1.24.1", "pandas==3.1.1", "pyarrow==26.0.1"),
    ),
)
DRIFTING = (
    Peer("Evidently, `DataDriftPreset`", "evidently", ("evidently==0.7.23", "pandas==2.3.3", "pyarrow==26.0.1")),
    Peer(
        "NannyML, univariate", "nannyml", ("nannyml==0.13.1", "pandas==2.3.3", "statsmodels==0.14.6", "pyarrow==26.0.1")
    ),
    Peer("frouros, KS and chi-squared", "frouros", ("frouros==0.9.0", "pandas==3.1.1", "pyarrow==26.0.1")),
)
ALL = (*CHECKING, *DRIFTING)

"""The engine beyond one machine: Apache Spark, in local mode for now (extra `spark`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lastro.engine.spark.engine import SparkEngine

__all__ = ["SparkEngine"]


def __getattr__(name: str) -> Any:  # Any: whatever a module's attribute may be
    """`SparkEngine`, imported when it is asked for: Spark's workers import this package without it."""
    if name == "SparkEngine":
        from lastro.engine.spark.engine import SparkEngine

        return SparkEngine
    raise AttributeError(name)

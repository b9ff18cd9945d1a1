"""The only place that starts Spark, and how its failures become errors.

Rules:

1. Spark runs in this process's own JVM, listens on 127.0.0.1 alone, shows no web page and keeps no catalogue.
2. Our settings live in a session of our own: another Spark session of the process keeps its own.
3. ANSI mode: an overflow is an error, as in DuckDB; what may fail row by row is written with `try_` functions.
4. No message of Spark's is passed on: it may hold values from the data. Its error class is.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lastro.model.errors import EngineError, LastroError, MissingExtra, SourceBroken
from lastro.model.text import _

_START = {
    "spark.app.name": "lastro",
    "spark.driver.memory": "1g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.eventLog.enabled": "false",
}
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    # The plan's layers name what is used more than once; merged into one, each use would be computed anew.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.CollapseProject",
}


def start(*, threads: int | None = None) -> Any:  # Any: a pyspark SparkSession, whose package is optional
    """A session with our settings; the JVM is started by the first call, which takes seconds.

    Raises `MissingExtra` without pyspark, `EngineError` without a Java runtime.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyspark warns about other packages' versions while it is imported
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise MissingExtra(
                _("the engine 'spark' needs pyspark"), do=_("run: pip install 'lastro[spark]'")
            ) from error
        if SparkSession.getActiveSession() is None and not _has_java():
            raise EngineError(
                _("the engine 'spark' needs a Java runtime (17 or newer), and there is none"),
                do=_(
                    "install one (Debian: apt install openjdk-17-jre-headless), or set JAVA_HOME, or use engine: duckdb"
                ),
            )
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master(f"local[{threads or 2}]")
        for name, value in _START.items():
            builder = builder.config(name, value)
        with failures(_("Spark could not be started")):
            session = builder.getOrCreate().newSession()
            session.sparkContext.setLogLevel("OFF")
    for name, value in _SETTINGS.items():
        session.conf.set(name, value)
    return session


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java") is not None or (
        home is not None and shutil.which("java", path=f"{home}/bin") is not None
    )


@contextmanager
def failures(what: str, *, where: str = "") -> Iterator[None]:
    """Turns whatever Spark raises into an `EngineError` that says `what` went wrong, or `SourceBroken` for a file."""
    try:
        with warnings.catch_warnings():
            # Spark warns whenever Arrow data crosses to Python, about a pandas that nothing here uses.
            warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
            yield
    except LastroError:
        raise
    except Exception as error:  # noqa: BLE001 – Py4J, Spark's Python errors and those of its workers have no common root
        condition = _condition(error)
        if condition.startswith(("FAILED_READ_FILE", "UNABLE_TO_INFER_SCHEMA", "CANNOT_READ_FILE_FOOTER")):
            raise SourceBroken(
                _("this is not a readable Parquet file"),
                where=where,
                do=_("it may be cut short or of another format: copy it again"),
            ) from None
        raise EngineError(
            f"{what} ({condition})", where=where, do=_("try engine: duckdb; if that works, report this")
        ) from None


def _condition(error: Exception) -> str:
    """Spark's name for an error (`ARITHMETIC_OVERFLOW`), with which its messages begin; else its class's name."""
    found = _CONDITION.search(str(error))
    return found[1] if found else type(error).__name__


_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]{4,60}(?:\.[A-Z0-9_]{1,60})?)\]", re.ASCII)

"""What exists in a workspace and what happened there: an SQLite index, and the records of runs."""

from lastro.catalog.catalogue import Catalog, Link, Metric
from lastro.catalog.rows import CataloguedVersion
from lastro.catalog.run_files import RunFiles
from lastro.catalog.run_record import Code, Environment, RunRecord, RunStatus, UsedVersion

__all__ = [
    "Catalog",
    "CataloguedVersion",
    "Code",
    "Environment",
    "Link",
    "Metric",
    "RunFiles",
    "RunRecord",
    "RunStatus",
    "UsedVersion",
]

"""Events: one attempt at one dataset, as OpenLineage 2-0-2 says it (https://openlineage.io/spec/2-0-2/OpenLineage.json).

Rules:

1. An attempt is a run with an id of its own. It has one `START`, then one of `COMPLETE`, `FAIL`, `ABORT`. One that was
   killed has `START` only.
2. Names, numbers and codes are told, never a value of a row. Of an error only the code: its words may quote a text.
3. A dataset of the workspace is `namespace` and its name. A source that is a URL is told by its scheme and host as the
   namespace and the rest as the name; any other is told by its label, in the workspace's own namespace.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lastro.model import clock
from lastro.model.release import VERSION
from lastro.model.schema import type_text
from lastro.model.version import VersionInfo

SPEC = "https://openlineage.io/spec"
SCHEMA_URL = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
PRODUCER = f"urn:lastro:{VERSION}"
_FACETS = {
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
    "processing_engine": "1-1-1/ProcessingEngineRunFacet",
    "schema": "1-2-0/SchemaDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
}
Facets = dict[str, Any]  # Any: JSON values


class State(StrEnum):
    """What an event says of its run."""

    START = "START"
    COMPLETE = "COMPLETE"
    FAIL = "FAIL"
    ABORT = "ABORT"


class Work(StrEnum):
    """What a job does: it takes in rows from a source, or derives them."""

    INGEST = "ingest"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Job:
    """What an attempt is at: `work` on `dataset`, which reads `inputs` (references with digests) or else `source`, on
    `engine` (name and version).
    """

    namespace: str
    work: Work
    dataset: str
    source: str = ""
    inputs: tuple[str, ...] = ()
    engine: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Told:
    """What one event says: the state, the moment, what was written (the version, and how many rows of it are of this
    attempt), the code of the error.
    """

    state: State
    moment: datetime
    written: VersionInfo | None = None
    rows: int | None = None
    code: str = field(default="")


def event(job: Job, run: str, told: Told) -> bytes:
    """The event as JSON in one line; `run` is the attempt's UUID. Half a surrogate in a name becomes `?`."""
    envelope = {
        "eventType": told.state.value,
        "eventTime": clock.to_text(told.moment),
        "run": {"runId": run, "facets": _run_facets(job, told)},
        "job": {"namespace": job.namespace, "name": f"{job.work}.{job.dataset}", "facets": _job_facets(job)},
        "inputs": list(_inputs(job)),
        "outputs": [_output(job, told)],
        "producer": PRODUCER,
        "schemaURL": SCHEMA_URL,
    }
    return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode(errors="replace")


def identity(source: str, namespace: str) -> tuple[str, str]:
    """Namespace and name of a source (rule 3)."""
    scheme, separator, rest = source.partition("://")
    host, slash, path = rest.partition("/")
    if separator and scheme.isalnum() and host and slash and path:
        return f"{scheme}://{host}", path
    return namespace, source


def _run_facets(job: Job, told: Told) -> Facets:
    name, version = job.engine
    found: Facets = {}
    if version:
        about = {"version": version, "name": name, "openlineageAdapterVersion": VERSION}
        found["processing_engine"] = _facet("processing_engine", about)
    if told.state is State.FAIL:
        error = {"message": told.code or "unexpected error", "programmingLanguage": "PYTHON"}
        found["errorMessage"] = _facet("errorMessage", error)
    return found


def _job_facets(job: Job) -> Facets:
    kind = {"processingType": "BATCH", "integration": "LASTRO", "jobType": job.work.value.upper()}
    return {"jobType": _facet("jobType", kind)}


def _inputs(job: Job) -> Iterable[Mapping[str, Any]]:  # Any: JSON values
    for text in job.inputs:
        name, _at, number = text.partition(" ")[0].rpartition("@")
        yield _dataset(job.namespace, name, {"version": _facet("version", {"datasetVersion": number})})
    if job.source and not job.inputs:
        yield _dataset(*identity(job.source, job.namespace), {})


def _output(job: Job, told: Told) -> Mapping[str, Any]:  # Any: JSON values
    written = told.written
    if written is None:
        return _dataset(job.namespace, job.dataset, {})
    fields = [{"name": one.name, "type": type_text(one.type)} for one in written.schema.fields]
    facets = {
        "schema": _facet("schema", {"fields": fields}),
        "version": _facet("version", {"datasetVersion": str(written.number)}),
    }
    if written.origin.columns and told.rows is not None:
        facets["columnLineage"] = _facet("columnLineage", {"fields": _columns(job.namespace, written)})
    rows = {} if told.rows is None else {"outputStatistics": _facet("outputStatistics", {"rowCount": told.rows})}
    return {**_dataset(job.namespace, job.dataset, facets), "outputFacets": rows}


def _columns(namespace: str, written: VersionInfo) -> Facets:
    return {
        name: {
            "inputFields": [
                {"namespace": namespace, "name": dataset, "field": column, "transformations": [{"type": "DIRECT"}]}
                for dataset, column in upstream
            ]
        }
        for name, upstream in written.origin.columns.items()
    }


def _dataset(namespace: str, name: str, facets: Facets) -> dict[str, Any]:  # Any: JSON values
    return {"namespace": namespace, "name": name, "facets": facets}


def _facet(name: str, values: Mapping[str, Any]) -> Facets:  # Any: JSON values
    place, kind = _FACETS[name].split("/")
    return {"_producer": PRODUCER, "_schemaURL": f"{SPEC}/facets/{place}/{kind}.json#/$defs/{kind}", **values}

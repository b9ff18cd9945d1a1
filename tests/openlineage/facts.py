"""What OpenLineage 2-0-2 and its facets ask of an event, as a JSON Schema of the facts that matter here.

The facts are those of https://openlineage.io/spec/2-0-2/OpenLineage.json and of the facets' own schemas.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema

SPEC = "https://openlineage.io/spec"
TEXT = {"type": "string", "minLength": 1}
FACET = {
    "type": "object",
    "required": ["_producer", "_schemaURL"],
    "properties": {"_producer": {"type": "string", "pattern": "^[a-z]+:"}, "_schemaURL": {"type": "string"}},
}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}


def facet(place: str, required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    url = f"{SPEC}/facets/{place}.json#/$defs/{place.partition('/')[2]}"
    fixed = {**FACET["properties"], "_schemaURL": {"const": url}, **properties}
    return {"type": "object", "required": [*FACET["required"], *required], "properties": fixed}


def facets(**known: Any) -> dict[str, Any]:
    return {"type": "object", "properties": known, "additionalProperties": False}


FIELD = {
    "type": "object",
    "required": ["namespace", "name", "field"],
    "properties": {
        "namespace": TEXT,
        "name": TEXT,
        "field": TEXT,
        "transformations": {
            "type": "array",
            "items": {"required": ["type"], "properties": {"type": {"enum": ["DIRECT", "INDIRECT"]}}},
        },
    },
}
DATASET_FACETS = facets(
    schema=facet(
        "1-2-0/SchemaDatasetFacet",
        ("fields",),
        fields={"type": "array", "items": {"required": ["name"], "properties": {"name": TEXT, "type": TEXT}}},
    ),
    version=facet("1-0-1/DatasetVersionDatasetFacet", ("datasetVersion",), datasetVersion=TEXT),
    columnLineage=facet(
        "1-2-0/ColumnLineageDatasetFacet",
        ("fields",),
        fields={
            "type": "object",
            "additionalProperties": {
                "required": ["inputFields"],
                "properties": {"inputFields": {"type": "array", "items": FIELD}},
            },
        },
    ),
)
DATASET = {
    "type": "object",
    "required": ["namespace", "name"],
    "properties": {"namespace": TEXT, "name": TEXT, "facets": DATASET_FACETS},
}
OUTPUT = {
    **DATASET,
    "properties": {
        **DATASET["properties"],
        "outputFacets": facets(
            outputStatistics=facet(
                "1-0-2/OutputStatisticsOutputDatasetFacet", (), rowCount={"type": "integer", "minimum": 0}
            )
        ),
    },
    "additionalProperties": False,
}
EVENT = {
    "type": "object",
    "required": ["eventType", "eventTime", "run", "job", "producer", "schemaURL"],
    "additionalProperties": False,
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
        "producer": {"type": "string", "pattern": "^[a-z]+:"},
        "schemaURL": {"const": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"},
        "run": {
            "type": "object",
            "required": ["runId"],
            "properties": {
                "runId": UUID,
                "facets": facets(
                    processing_engine=facet("1-1-1/ProcessingEngineRunFacet", ("version",), version=TEXT, name=TEXT),
                    errorMessage=facet(
                        "1-0-1/ErrorMessageRunFacet",
                        ("message", "programmingLanguage"),
                        message=TEXT,
                        programmingLanguage=TEXT,
                    ),
                ),
            },
        },
        "job": {
            "type": "object",
            "required": ["namespace", "name"],
            "properties": {
                "namespace": TEXT,
                "name": TEXT,
                "facets": facets(
                    jobType=facet(
                        "2-0-4/JobTypeJobFacet",
                        ("processingType", "integration"),
                        processingType={"enum": ["BATCH", "STREAMING", "SERVICE"]},
                        integration=TEXT,
                        jobType=TEXT,
                    )
                ),
            },
        },
        "inputs": {"type": "array", "items": {**DATASET, "additionalProperties": False}},
        "outputs": {"type": "array", "items": OUTPUT},
    },
}


def checked(content: bytes | str) -> dict[str, Any]:
    """The event, if it is as the specification asks."""
    found = json.loads(content)
    jsonschema.validate(found, EVENT, cls=jsonschema.Draft202012Validator)
    return found

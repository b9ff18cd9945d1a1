"""Croissant: a version as machine-learning libraries describe datasets, so that they load the same rows.

Rules:

1. The form is Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html) with what its
   responsible-AI vocabulary (RAI 1.0) has for personal values and collection.
2. Files are named relative to the description, each with its SHA-256: what is loaded is what was committed.
3. Nothing of the rows stands in it: names, types, counts, digests, and what the contract says.
4. A struct's members are fields of their own; lists are arrays. Maps, and lists of objects, have no form in Croissant
   and are left out. Decimals are numbers there, exact to a double's digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lastro.model import clock
from lastro.model.schema import Decimal, ListOf, MapOf, Primitive, StructOf, Type
from lastro.model.version import VersionInfo

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
RAI = "http://mlcommons.org/croissant/RAI/1.0"
PARQUET = "application/x-parquet"

_CONTEXT: Mapping[str, Any] = {  # Any: JSON values
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{
        word: f"cr:{word}"
        for word in (
            *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject"),
            *("fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
            *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
            *("separator", "source", "subField", "transform"),
        )
    },
}
_TYPES = {
    Primitive.STRING: "sc:Text",
    Primitive.BOOLEAN: "sc:Boolean",
    Primitive.DATE: "sc:Date",
    Primitive.TIMESTAMP: "sc:DateTime",
    Primitive.TIMESTAMP_NTZ: "sc:DateTime",
    Primitive.BINARY: "sc:Text",
    Primitive.FLOAT: "cr:Float32",
    Primitive.DOUBLE: "cr:Float64",
    Primitive.BYTE: "cr:Int8",
    Primitive.SHORT: "cr:Int16",
    Primitive.INTEGER: "cr:Int32",
    Primitive.LONG: "cr:Int64",
}
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Described:
    """What a contract says of a dataset, as far as a description has a place for it.

    `columns` are descriptions by column, `personal` what kinds of personal values there are (never a value).
    """

    description: str = ""
    license: str = ""
    url: str = ""
    version: str = ""
    columns: Mapping[str, str] | None = None
    personal: tuple[str, ...] = ()
    collection: str = ""
    key: tuple[str, ...] = ()


def croissant(info: VersionInfo, paths: Sequence[str], about: Described) -> dict[str, Any]:  # Any: JSON values
    """The description of a version whose files lie at these paths, relative to the description's own folder."""
    files = [
        {
            "@type": "cr:FileObject",
            "@id": entry.path,
            "name": entry.path,
            "contentUrl": path,
            "contentSize": f"{entry.size} B",
            "encodingFormat": PARQUET,
            "sha256": entry.sha256.removeprefix("sha256:"),
        }
        for entry, path in zip(info.files, paths, strict=True)
    ]
    rows = {
        "@type": "cr:FileSet",
        "@id": "files",
        "name": "files",
        "encodingFormat": PARQUET,
        "includes": list(paths) or [f"tables/{info.dataset}/none.parquet"],
    }
    key = [{"@id": f"rows/{_safe(name)}"} for name in about.key]
    record_set: dict[str, Any] = {  # Any: JSON values
        "@type": "cr:RecordSet",
        "@id": "rows",
        "name": "rows",
        **({"key": key} if key else {}),
        "field": [
            each
            for field in info.schema.fields
            for each in _fields("rows", field.name, field.type, (about.columns or {}).get(field.name, ""), ())
        ],
    }
    return {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": [CONFORMS_TO, RAI],
        "name": info.dataset,
        "description": about.description or f"{info.reference}, {info.rows} rows",
        "version": f"{info.number}.0.0",
        "identifier": f"{info.dataset}@{info.digest}",
        "datePublished": clock.to_text(info.committed),
        "license": about.license or "https://choosealicense.com/no-permission/",
        "url": about.url or f"urn:lastro:{info.dataset}@{info.digest}",
        "isLiveDataset": False,
        **({"rai:personalSensitiveInformation": list(about.personal)} if about.personal else {}),
        **({"rai:dataCollection": about.collection} if about.collection else {}),
        "distribution": [*files, rows],
        "recordSet": [record_set],
    }


def _fields(
    parent: str, name: str, kind: Type, said: str, path: tuple[str, ...]
) -> Iterator[dict[str, Any]]:  # Any: JSON values
    """The field of a column, or those of a struct's members, under names that lead to them (rule 4)."""
    place = f"{parent}/{_safe(name)}"
    if isinstance(kind, StructOf):
        for each in kind.fields:
            yield from _fields(place, each.name, each.type, "", (*path, name))
        return
    item: Type = kind
    depth = 0
    while isinstance(item, ListOf):
        item, depth = item.item, depth + 1
    if isinstance(item, MapOf | StructOf):
        return
    column, *inner = (*path, name)
    source: dict[str, Any] = {"fileSet": {"@id": "files"}, "extract": {"column": column}}  # Any: JSON values
    if inner:
        source["transform"] = {"jsonPath": "$." + ".".join(f'"{each}"' for each in inner)}
    yield {
        "@type": "cr:Field",
        "@id": place,
        "name": "/".join((*path, name)),
        **({"description": said} if said else {}),
        **({"isArray": True, "arrayShape": ",".join(["-1"] * depth)} if depth else {}),
        "dataType": "sc:Float" if isinstance(item, Decimal) else _TYPES[item],
        "source": source,
    }


def _safe(name: str) -> str:
    """A column's name as part of an identifier; two columns that become equal differ by their letters' codes."""
    return _UNSAFE.sub(lambda found: f"_{ord(found[0]):x}_", name)

"""Results as JSON: one object a command, with the schema's name and version in it.

Rules:

1. The text is ASCII: every other character is a JSON escape, so that no byte of it can command a terminal.
2. Moments are RFC 3339 in UTC, or without a zone where they have none; durations are seconds, exact numbers and paths
   text, bytes Base64; NaN and infinities are null.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from lastro.model import clock
from lastro.model.errors import DataRefused, LastroError


def answer_json(schema: str, values: Mapping[str, Any], *, ok: bool) -> str:  # Any: whatever `to_json_value` takes
    """One line: `{"schema": …, "ok": …, …}`. Raises `ValueError` if the values claim one of these two keys."""
    if values.keys() & {"schema", "ok"}:
        raise ValueError("the keys schema and ok are the object's own")
    return _dump({"schema": schema, "ok": ok, **values})


def error_json(error: LastroError) -> str:
    """One line: `{"schema": "lastro.error/1", "ok": false, "code": …}`; refused data brings its findings along."""
    findings = {"findings": error.findings} if isinstance(error, DataRefused) and error.findings else {}
    return _dump({"schema": "lastro.error/1", "ok": False, **error.to_dict(), **findings})


def to_json_value(value: Any) -> Any:  # Any: plain values, dataclasses and collections of them
    """The value as JSON has it. Raises `TypeError` for what has no meaning there."""
    match value:
        case None | bool() | int() | str() if not isinstance(value, Enum):
            return value
        case float():
            return value if math.isfinite(value) else None
        case Enum():
            return to_json_value(value.value)
        case Mapping():
            return {str(key): to_json_value(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json_value(item) for item in value]
        case set() | frozenset():
            return sorted((to_json_value(item) for item in value), key=str)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {item.name: to_json_value(getattr(value, item.name)) for item in dataclasses.fields(value)}
        case _:
            return _scalar(value)


def _scalar(value: Any) -> Any:  # Any: as `to_json_value`
    match value:
        case datetime():
            return clock.to_text(value) if value.tzinfo else value.isoformat(timespec="microseconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal() | Path():
            return str(value)
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")


def _dump(values: Mapping[str, Any]) -> str:  # Any: as `to_json_value`
    return json.dumps(to_json_value(values), ensure_ascii=True, allow_nan=False)

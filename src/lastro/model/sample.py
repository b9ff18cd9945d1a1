"""Samples: what inference needs to know of one source column. An engine measures them, `contract` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lastro.model.schema import Field


class Also(StrEnum):
    """What signs in numbers may stand for beside what they were read as: what there is between thousands."""

    POINTS = "points"
    COMMAS = "commas"


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen of one source column; values are for the contract's author, never for logs.

    `column.type` is the narrowest type all sampled values can be read as; `format` a strptime format where dates are
    not ISO; `values` all distinct values, if at most 20; `all_read` is False if only part of the source was seen.
    """

    column: Field
    rows: int
    nulls: int
    distinct: int
    unique: bool
    minimum: str | None
    maximum: str | None
    length_max: int | None
    values: tuple[str, ...]
    format: str | None
    all_read: bool
    expression: str | None = None
    """SQL over the source's columns that makes text readable as `column.type`, where it must be cleaned first."""
    zone: str | None = None
    """The time zone of moments whose text tells none, where the source knows it."""
    refers: bool = False
    """True if the source knows that the column names rows of another dataset, and no row of its own."""
    personal: bool = False
    """True if the source knows that the column is about natural persons, whatever its name and values look like."""
    encrypted: bool = False
    """True if the values come from a column that is encrypted where it stands."""
    declared: bool = False
    """True if no value told the type, but the source's own schema."""
    also: Also | None = None
    """What else the signs of all the numbers could be; None if there is no doubt."""
    also_format: str | None = None
    """Another strptime format that reads all values, but as other days."""

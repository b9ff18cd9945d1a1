"""Limits: how much an input may ask of the machine before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine may use, and what one input may be.

    `memory_mb` bounds DuckDB's buffers, in the child and in this process; `address_mb` the child's whole address space.
    `stall_seconds` is how long the child may send nothing; `cpu_seconds`, if given, bounds the processor time of one
    scan. `spill_mb` bounds what DuckDB may write to its temporary folder.
    """

    memory_mb: int = 600
    threads: int | None = None
    address_mb: int = 8192
    columns_max: int = 2000
    cell_bytes_max: int = 16 * MIB
    stall_seconds: float = 60.0
    cpu_seconds: int | None = None
    spill_mb: int = 64 * 1024
    batch_rows: int = 61_440
    sample_rows: int = 100_000
    sample_bytes: int = 64 * MIB

"""Versions and runs as a workspace would have them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from lastro.catalog import Environment, RunRecord, RunStatus, UsedVersion
from lastro.model.finding import Finding, Policy, Severity, Verdict
from lastro.model.schema import Field, Primitive, Schema
from lastro.model.version import FileEntry, Mode, Origin, RowCounts, VersionInfo

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEMA = Schema((Field("id", Primitive.LONG, nullable=False), Field("income", Primitive.DOUBLE)))
ENVIRONMENT = Environment.of(python="CPython 3.11.7", platform="linux x86_64", packages={"numpy": "2.4.6"})


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def version(
    dataset: str, number: int, *, run: str = "", inputs: tuple[str, ...] = (), nulls: float = 3.1
) -> VersionInfo:
    finding = Finding(
        "income_missing",
        Verdict.WARNING,
        Severity.WARNING,
        Policy.WARN,
        column="income",
        measured=nulls,
        unit="percent",
    )
    return VersionInfo(
        dataset=dataset,
        number=number,
        digest=digest(f"{dataset}@{number}"),
        parent=digest(f"{dataset}@{number - 1}") if number else None,
        committed=NOON + timedelta(days=number),
        schema=SCHEMA,
        rows=100 + number,
        size=4096,
        files=(FileEntry("a.parquet", 4096, digest("a"), 100 + number),),
        origin=Origin(
            Mode.APPEND,
            f"key-{number}",
            source="core.db",
            run=run,
            counts=RowCounts(10, 9, 1),
            inputs=inputs,
            findings=(finding.to_dict(),),
        ),
    )


def used(name: str, dataset: str, number: int) -> UsedVersion:
    return UsedVersion(name, dataset, number, digest(f"{dataset}@{number}"))


def run(
    place: int, *, inputs: tuple[UsedVersion, ...] = (), outputs: tuple[UsedVersion, ...] = (), **more
) -> RunRecord:
    started = NOON + timedelta(minutes=place)
    return RunRecord(
        id=f"20260301T12{place:02}00000-0000000{place % 10}",
        name="credit-default",
        started=started,
        ended=started + timedelta(seconds=5),
        status=RunStatus.SUCCEEDED,
        command=("python", "train.py", "--depth", "3"),
        folder=".",
        environment=ENVIRONMENT,
        inputs=inputs,
        outputs=outputs,
        **more,
    )

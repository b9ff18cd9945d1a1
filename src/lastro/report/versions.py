"""Versions: a dataset's history, and every dataset's newest version at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lastro.model.schema import type_text
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.report.blocks import Blocks, Cell, Column, Tone, table
from lastro.report.numbers import NOTHING, moment, number, size

_DIGITS = 10


def log(versions: Sequence[VersionInfo], tags: Mapping[str, int]) -> Blocks:
    """One row per version, in the order given (newest first)."""
    columns = (
        Column(_("version"), right=True),
        Column(_("committed (UTC)"), fixed=True),
        Column(_("mode"), fixed=True),
        Column(_("rows"), right=True),
        Column(_("kept"), right=True, spare=3),
        Column(_("set aside"), right=True, spare=1),
        *([Column(_("reconciled"), spare=5)] if _any_proof(versions) else []),
        Column(_("size"), right=True, spare=4),
        Column("sha256:", fixed=True, spare=2),
        Column(_("tags")),
    )
    return (table(columns, (_version(info, tags, proof=_any_proof(versions)) for info in versions)),)


def datasets(newest: Mapping[str, VersionInfo | None]) -> Blocks:
    """One row per dataset; one that was never ingested has no version."""
    columns = (
        Column(_("dataset")),
        Column(_("version"), right=True),
        Column(_("committed (UTC)"), fixed=True),
        Column(_("rows"), right=True),
        Column(_("size"), right=True, spare=2),
        Column("sha256:", fixed=True, spare=1),
    )
    return (table(columns, (_dataset(name, info) for name, info in newest.items())),)


def tags(tagged: Mapping[str, int]) -> Blocks:
    """One row per tag, by version."""
    ordered = sorted(tagged.items(), key=lambda item: (-item[1], item[0]))
    columns = (Column(_("tag")), Column(_("version"), right=True))
    return (table(columns, ((name, number(version)) for name, version in ordered)),)


def version_values(info: VersionInfo) -> dict[str, Any]:  # Any: values for `report.json_values`
    """A version as plain values: what it is and where it came from, without its single files."""
    origin = info.origin
    return {
        "number": info.number,
        "reference": info.reference,
        "digest": info.digest,
        "parent": info.parent,
        "committed": info.committed,
        "mode": origin.mode,
        "rows": info.rows,
        "bytes": info.size,
        "files": len(info.files),
        "counts": origin.counts,
        "changes": origin.changes,
        "reconciliation": origin.reconciliation or None,
        "cleaning": origin.cleaning,
        "source": origin.source,
        "run": origin.run or None,
        "engine": origin.engine,
        "contract_digest": origin.contract_digest,
        "inputs": origin.inputs,
        "interval": origin.made_of.get("interval"),
        "columns": [
            {"name": field.name, "type": type_text(field.type), "nullable": field.nullable}
            for field in info.schema.fields
        ],
    }


def _any_proof(versions: Sequence[VersionInfo]) -> bool:
    return any(info.origin.reconciliation for info in versions)


def _version(info: VersionInfo, tagged: Mapping[str, int], *, proof: bool) -> tuple[Cell | str, ...]:
    counts = info.origin.counts
    names = ", ".join(sorted(name for name, number_ in tagged.items() if number_ == info.number))
    return (
        number(info.number),
        moment(info.committed),
        info.origin.mode.value,
        number(info.rows),
        number(counts.kept) if counts else NOTHING,
        Cell(number(counts.quarantined), Tone.DOUBTFUL if counts.quarantined else Tone.PLAIN) if counts else NOTHING,
        *([_("yes") if info.origin.reconciliation else NOTHING] if proof else []),
        size(info.size),
        _hexadecimal(info.digest),
        names,
    )


def _hexadecimal(digest: str) -> str:
    """Enough of a digest to make a reference, after the `sha256:` of the heading."""
    return digest.removeprefix("sha256:")[:_DIGITS]


def _dataset(name: str, info: VersionInfo | None) -> tuple[Cell | str, ...]:
    if info is None:
        return name, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING
    committed = moment(info.committed)
    return name, number(info.number), committed, number(info.rows), size(info.size), _hexadecimal(info.digest)

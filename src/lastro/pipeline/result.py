"""What an ingestion came to, as a value."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from typing import Any

from lastro.model.arrival import Arrived
from lastro.model.cleaning import Cleaned, from_values, together
from lastro.model.finding import Finding, Verdict
from lastro.model.status import MonitorStep
from lastro.model.text import _, figures, ngettext
from lastro.model.version import Mode, RowChanges, RowCounts, VersionInfo


@dataclass(frozen=True, slots=True)
class IngestResult:
    """One ingestion: the version it made, or the one that already held everything (`unchanged`).

    `counts` are the rows of all its batches, `refused` the rows each rule refused, `rows_total` the rows of the whole
    version. `inserted`, `updated`, `deleted` and `equal` (rows that changed nothing) are how the rows met the table,
    `versions` every version that was made, `reconciled` whether what the source counted was proven of each. `seconds`
    is the wall-clock time.
    """

    dataset: str
    version: int | None
    digest: str | None
    unchanged: bool
    mode: Mode
    source: str = ""
    counts: RowCounts | None = None
    refused: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    rows_total: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    equal: int = 0
    versions: tuple[int, ...] = ()
    reconciled: bool = False
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    arrived: Arrived = field(default_factory=Arrived)
    """How the source's columns differed from the contract's."""
    looks: tuple[MonitorStep, ...] = ()
    """What monitors saw that look at each ingestion."""
    cleaning: tuple[Cleaned, ...] = ()
    """What the contract's cleaning did to each column that it cleans: counts before and after, side by side."""

    @property
    def passed(self) -> bool:
        """True if no rule failed; warnings and rows set aside do not count."""
        return all(finding.verdict is not Verdict.FAILED for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The result as plain values, for `--json`."""
        return {
            **asdict(self),
            "mode": self.mode.value,
            "refused": dict(self.refused),
            "findings": [finding.to_dict() for finding in self.findings],
            "arrived": self.arrived.to_dict(),
            "passed": self.passed,
        }

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{count:,}</td></tr>" for name, count in self.refused.items() if count
        )
        return f"<p><b>{html.escape(self.summary())}</b></p><table>{rows}</table>"

    def summary(self) -> str:
        """One sentence: what there is now."""
        if self.unchanged or self.counts is None:
            return _("{dataset} is unchanged, still at version {version}").format(
                dataset=self.dataset, version="–" if self.version is None else self.version
            )
        kept, aside = self.counts.kept, self.counts.quarantined
        return _("{name} is at version {version}: {kept}, {aside}").format(
            name=self.dataset,
            version=self.version,
            kept=ngettext("{n} row kept", "{n} rows kept", kept).format(n=figures(f"{kept:,}")),
            aside=ngettext("{n} set aside", "{n} set aside", aside).format(n=figures(f"{aside:,}")),
        )


def first_result(info: VersionInfo, source: str) -> IngestResult:
    """What the commit itself tells of the ingestion that made it."""
    counts, changes = info.origin.counts, info.origin.changes
    if changes is None:
        changes = RowChanges(inserted=counts.kept if counts else 0)
    return IngestResult(
        dataset=info.dataset,
        version=info.number,
        digest=info.digest,
        unchanged=True,
        mode=info.origin.mode,
        source=source,
        counts=counts,
        rows_total=info.rows,
        inserted=changes.inserted,
        updated=changes.updated,
        deleted=changes.deleted,
        equal=changes.unchanged,
        versions=(info.number,),
        reconciled=bool(info.origin.reconciliation),
        cleaning=from_values(info.origin.cleaning, info.schema.names),
    )


def summed(results: Sequence[IngestResult]) -> IngestResult:
    """All batches of one ingestion as one result; a last one that found nothing more adds nothing."""
    made = [result for result in results if result.versions]
    if not made:
        return results[-1]
    last, counts = made[-1], [result.counts for result in made if result.counts is not None]
    refused: Counter[str] = Counter()
    for result in made:
        refused.update(result.refused)
    return replace(
        last,
        unchanged=all(result.unchanged for result in made),
        counts=RowCounts(*(sum(part) for part in zip(*map(astuple, counts), strict=True))) if counts else None,
        refused=dict(refused),
        findings=_worst(made),
        inserted=sum(result.inserted for result in made),
        updated=sum(result.updated for result in made),
        deleted=sum(result.deleted for result in made),
        equal=sum(result.equal for result in made),
        versions=tuple(version for result in made for version in result.versions),
        reconciled=all(result.reconciled for result in made),
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        cleaning=together(result.cleaning for result in made),
        arrived=next((result.arrived for result in reversed(made) if result.arrived), last.arrived),
    )


def _worst(results: Sequence[IngestResult]) -> tuple[Finding, ...]:
    """Each rule's worst finding over all batches, the latest of equally bad ones."""
    order = tuple(Verdict)
    found: dict[tuple[str, str | None], Finding] = {}
    for finding in (finding for result in results for finding in result.findings):
        before = found.get((finding.rule, finding.column))
        if before is None or order.index(finding.verdict) >= order.index(before.verdict):
            found[finding.rule, finding.column] = finding
    return tuple(found.values())


def unchanged(
    dataset: str, head: VersionInfo | None, mode: Mode, source: str, *, notes: tuple[str, ...] = ()
) -> IngestResult:
    """The result of an ingestion that found nothing new."""
    return IngestResult(
        dataset=dataset,
        version=head.number if head else None,
        digest=head.digest if head else None,
        unchanged=True,
        mode=mode,
        source=source,
        rows_total=head.rows if head else 0,
        notes=notes,
    )

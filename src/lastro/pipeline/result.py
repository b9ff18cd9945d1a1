"""What an ingestion came to, as a value."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lastro.model.finding import Finding, Verdict
from lastro.model.text import _
from lastro.model.version import Mode, RowCounts, VersionInfo


@dataclass(frozen=True, slots=True)
class IngestResult:
    """One ingestion: the version it made, or the one that already held everything (`unchanged`).

    `counts` are the batch's rows, `refused` the rows each rule refused, `rows_total` the rows of the whole version,
    `inserted` and `updated` how an upsert's rows met the table, `seconds` the wall-clock time.
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
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

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
        return _("{dataset} is at version {version}: {kept:,} rows kept, {quarantined:,} set aside").format(
            dataset=self.dataset,
            version=self.version,
            kept=self.counts.kept,
            quarantined=self.counts.quarantined,
        )


def unchanged(dataset: str, head: VersionInfo | None, mode: Mode, source: str) -> IngestResult:
    """The result of an ingestion that found nothing new."""
    return IngestResult(
        dataset=dataset,
        version=head.number if head else None,
        digest=head.digest if head else None,
        unchanged=True,
        mode=mode,
        source=source,
        rows_total=head.rows if head else 0,
    )

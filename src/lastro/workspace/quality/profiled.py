"""The profile of a dataset's version, as a person looks at it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lastro.model.errors import Locked, WriteFailed
from lastro.model.profile import Profile, concealed
from lastro.model.version import VersionInfo

if TYPE_CHECKING:
    from lastro.pipeline.target import Target
    from lastro.quality.summary import Summary


@dataclass(frozen=True, repr=False)
class VersionProfile:
    """What was counted of a version, and the numbers that follow from it. Nothing is read for it."""

    info: VersionInfo
    counts: Profile

    @cached_property
    def summary(self) -> Summary:
        """Each column in numbers: missing, mean, quantiles, most frequent values."""
        from lastro.quality.summary import summarise

        return summarise(self.counts)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The profile as plain values."""
        columns = {column.name: column.to_dict() for column in self.summary.columns}
        return {
            "version": self.info.reference,
            "digest": self.info.digest,
            "rows": self.counts.rows,
            "columns": columns,
            "relations": None if self.summary.relations is None else asdict(self.summary.relations),
        }

    def __repr__(self) -> str:
        return f"<profile of {self.info.reference}: {self.counts.rows:,} rows, {len(self.counts.columns)} columns>"

    def _repr_html_(self) -> str:
        from lastro.report.blocks import Title
        from lastro.report.html import to_html
        from lastro.report.profiles import profile

        return to_html((Title(self.info.reference), *profile(self.summary)))


def profiled(target: Target, info: VersionInfo, *, hidden: frozenset[str] = frozenset()) -> VersionProfile:
    """The profile of a version: that which is kept, else one that is counted now, and kept if nobody is writing.

    Of the `hidden` columns it tells no more than what is missing. Raises `Corrupted`, `Expired`, `EngineError`.
    """
    from lastro.pipeline import profiling

    withheld = target.withheld_of(info.schema)
    found = profiling.stored(target.table, info, withheld=withheld)
    if found is None:
        erased = target.table.log.generations.known().newest
        found = profiling.kept(target.table, target.engine, info, withheld=withheld)
        with suppress(Locked, WriteFailed), target.table.lock(timeout_s=0) as writer:  # it is made again next time
            # Its edges may be values of somebody who was erased while it was counted.
            if target.table.log.generations.known().newest == erased:
                writer.keep_profile(info, found)
    folded = {name.casefold() for name in hidden}
    unseen = {name for name in found.columns if name.casefold() in folded}
    return VersionProfile(info, concealed(found, unseen) if unseen else found)

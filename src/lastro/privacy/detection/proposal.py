"""Proposals: which class a column gets, and on what evidence; shares and counts, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

from lastro.model.personal import Classified, PersonalClass
from lastro.model.text import _, ngettext


class Because(Enum):
    """What a proposal rests on."""

    VALUES = auto()
    NAME = auto()
    BOTH = auto()
    INSIDE = auto()
    NOTHING = auto()
    DOUBT = auto()
    EMPTY = auto()
    PROSE = auto()
    STATED = auto()


@dataclass(frozen=True, slots=True)
class Proposal:
    """The class and kind proposed for a column, None where nothing can be told.

    `matched` of `distinct` values that were looked at speak for it; `inside` counts the texts that hold an identifier,
    by kind. `named` is the kind that the name tells of, `member` where within the column it was found.
    """

    column: str
    of: PersonalClass | None
    kind: str
    because: Because
    matched: int = 0
    distinct: int = 0
    named: str = ""
    inside: Mapping[str, int] = field(default_factory=dict)
    member: str = ""
    stated: Classified | None = None

    @property
    def share(self) -> float | None:
        """The share of the distinct values that speak for it, None if none were looked at."""
        return self.matched / self.distinct if self.distinct else None

    @property
    def evidence(self) -> str:
        """The evidence as a sentence without a value."""
        said = self._said()
        return (
            _("{evidence}, in its member {member}").format(evidence=said, member=self.member) if self.member else said
        )

    def _said(self) -> str:
        many = ngettext("{n} distinct value", "{n} distinct values", self.distinct).format(n=self.distinct)
        share = f"{100 * (self.share or 0):.3g}"
        match self.because:
            case Because.VALUES:
                return _("{share} % of {values} are of the kind {kind}").format(
                    share=share, values=many, kind=self.kind
                )
            case Because.BOTH:
                return _("named so, and {share} % of {values} are of the kind {kind}").format(
                    share=share, values=many, kind=self.kind
                )
            case Because.NAME:
                return _("named so, and {values} do not speak against it").format(values=many)
            case Because.INSIDE:
                kinds = ", ".join(f"{kind} ({count})" for kind, count in self.inside.items())
                return _("{share} % of {values} hold {kinds}").format(share=share, values=many, kinds=kinds)
            case Because.NOTHING:
                return _("nothing personal in name and {values}").format(values=many)
            case Because.DOUBT:
                return _("named like {kind}, but {share} % of {values} are such").format(
                    kind=self.named, share=share, values=many
                )
            case Because.PROSE:
                return _("free text without identifiers in {values}; what it tells of people, no form shows").format(
                    values=many
                )
            case Because.EMPTY:
                return _("named so, with no value to look at") if self.of else _("no value to judge by")
            case Because.STATED:
                return self.stated.evidence if self.stated else ""

    def classified(self, *, confirmed: str = "") -> Classified | None:
        """What the contract says then; None where nothing is proposed."""
        if self.of is None:
            return None
        if self.stated is not None and self.because is Because.STATED:
            return Classified(self.column, self.of, self.kind, self.stated.evidence, confirmed or self.stated.confirmed)
        return Classified(self.column, self.of, self.kind, self.evidence, confirmed)


@dataclass(frozen=True, slots=True)
class Classification:
    """What was proposed for the columns of a dataset from a sample of a version, and what was written.

    `reference` is None where nothing is ingested yet; `rows` is how many were looked at. `changed` are the columns of
    which the contract says something new, in the file `written`.
    """

    dataset: str
    reference: str | None
    rows: int
    proposals: tuple[Proposal, ...]
    classes: tuple[Classified, ...] = ()
    changed: tuple[str, ...] = ()
    written: Path | None = None

    def settled(self, column: str) -> Classified | None:
        """What the contract says of a column now."""
        return next((each for each in self.classes if each.column == column), None)

    @property
    def confirmed(self) -> tuple[str, ...]:
        """The columns whose class a person said or confirmed."""
        return tuple(each.column for each in self.classes if each.is_settled)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The classification as plain values."""
        return {
            "dataset": self.dataset,
            "reference": self.reference,
            "rows": self.rows,
            "columns": [self._column(each) for each in self.proposals],
            "changed": list(self.changed),
            "written": None if self.written is None else str(self.written),
        }

    def _column(self, proposal: Proposal) -> dict[str, Any]:  # Any: JSON values
        now = self.settled(proposal.column)
        return {
            "column": proposal.column,
            "class": proposal.of,
            "kind": proposal.kind,
            "because": proposal.because.name.lower(),
            "evidence": proposal.evidence,
            "share": proposal.share,
            "distinct": proposal.distinct,
            "inside": dict(proposal.inside),
            "stated": now is not None,
            "confirmed": now.confirmed if now is not None else "",
            "settled": now is not None and now.is_settled,
        }

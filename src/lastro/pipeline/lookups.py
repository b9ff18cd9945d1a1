"""Other datasets in which a contract's rules look keys up: which version is meant, and where its rows are.

Rules:

1. Each reference is resolved once for a batch, to one version; what is judged of the batch and of the whole table is
   judged against that one, and the finding names it.
2. A rule about the dataset itself looks into the rows that are measured, and needs no version.
3. What cannot be found refuses the batch; nothing counts as checked that was not. A rule that is optional, as a
   contract's relationships are, is not judged then, and gives no finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lastro.engine.protocol import OtherRows
from lastro.model.errors import ConfigurationError, UnknownName
from lastro.model.plan import Orphans, TableRule
from lastro.model.reference import Reference
from lastro.model.text import _
from lastro.pipeline.target import Target


@dataclass(frozen=True, slots=True)
class Lookups:
    """The rows of other datasets, and which version each is, by reference."""

    rows: Mapping[str, OtherRows] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()

    def judged(self, rules: Iterable[TableRule]) -> list[TableRule]:
        """Those of the rules that can be judged."""
        return [
            rule for rule in rules if not (isinstance(rule.measure, Orphans) and rule.measure.dataset in self.absent)
        ]


def lookups(target: Target) -> Lookups:
    """What the rules of the target's plan look into. Raises `UnknownName`, `Expired`, `Corrupted`."""
    rows, versions, absent = {}, {}, set()
    for reference, rule in _wanted(target.plan.table_rules, target.dataset).items():
        try:
            rows[reference], versions[reference] = _found(target, reference, rule or reference)
        except (UnknownName, ConfigurationError):
            if rule is not None:
                raise
            absent.add(reference)
    return Lookups(rows, versions, frozenset(absent))


def _wanted(rules: Iterable[TableRule], dataset: str) -> dict[str, str | None]:
    """Each reference once, with the name of a rule that cannot be judged without it, if there is one."""
    wanted: dict[str, str | None] = {}
    for rule in rules:
        if isinstance(rule.measure, Orphans) and rule.measure.dataset != dataset:
            needs = None if rule.measure.optional else rule.name
            wanted[rule.measure.dataset] = wanted.get(rule.measure.dataset) or needs
    return wanted


def _found(target: Target, reference: str, rule: str) -> tuple[OtherRows, str]:
    wanted = Reference.parse(reference)
    if target.datasets is None:
        raise ConfigurationError(
            _("the rule {rule} needs the dataset {name}, and no workspace is there").format(rule=rule, name=reference),
            where=target.dataset,
            do=_("ingest in a workspace"),
        )
    try:
        table = target.datasets(wanted.name)
        info = table.find(wanted.selector)
    except UnknownName as error:
        raise UnknownName(
            _("the rule {rule} looks into {reference}, which is not there: {what}").format(
                rule=rule, reference=reference, what=error.what
            ),
            where=target.dataset,
            do=_("ingest {name} first, or correct the reference in the contract").format(name=wanted.name),
        ) from error
    return OtherRows(table.paths(info, verify=False), info.schema), f"{info.reference} {info.digest}"

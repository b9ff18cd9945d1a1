"""Suggests rules from a dataset's versions, and writes them into its contract.

Profiles are those that are kept; rows are read only where none is, and for columns that may be unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lastro.contract.suggested import NewRule, with_rules
from lastro.model.plan import Duplicates, Operator, TableRule, Threshold
from lastro.model.version import VersionInfo
from lastro.pipeline import contract_file, profiling
from lastro.pipeline.target import Target
from lastro.quality.suggest import may_be_unique, suggest
from lastro.quality.suggestion import Observed, Suggested, ruled

NONE_REPEATED = Threshold(Operator.MUST_BE, (0.0,))


def suggested(target: Target, versions: Sequence[VersionInfo], *, write: bool = False) -> Suggested:
    """The rules that every version speaks for and the contract lacks; with `write`, they are put into its file.

    Raises `Corrupted`, `Expired`, `EngineError`; with `write` also `Locked`, `ContractError`, `WriteFailed`.
    """
    infos = sorted({info.number: info for info in versions}.values(), key=lambda info: info.number)
    references = tuple(info.reference for info in infos)
    found = suggest(_observed(target, infos), target.plan, withheld=target.withheld)
    result = Suggested(target.dataset, references, found)
    return _write(target, result) if write and found else result


def _observed(target: Target, infos: Sequence[VersionInfo]) -> list[Observed]:
    profiles = [
        profiling.kept(target.table, target.engine, info, withheld=target.withheld_of(info.schema)) for info in infos
    ]
    seen = [Observed(info.reference, profile) for info, profile in zip(infos, profiles, strict=True)]
    names = may_be_unique(target.plan, seen, withheld=target.withheld)
    if not names:
        return seen
    rules = [TableRule(name, Duplicates((name,)), NONE_REPEATED) for name in names]
    return [replace(each, repeated=_repeated(target, info, rules)) for each, info in zip(seen, infos, strict=True)]


def _repeated(target: Target, info: VersionInfo, rules: Sequence[TableRule]) -> dict[str, int]:
    paths = target.table.paths(info)
    found = target.engine.measure(paths, info.schema, rules, table=info.dataset)
    return {name: int(times) for name, times in found.table_rules.items()}


def _write(target: Target, found: Suggested) -> Suggested:
    """Puts the rules into the contract's file, under the lock by which ingestions amend it."""
    if target.contract is None or target.contract_file is None:
        return found
    with target.table.lock(looking=True):
        contract = contract_file.read(target.contract, target.contract_file)
        known = ruled(contract.plan())  # somebody may have written a rule in the meantime
        left = tuple(each for each in found.suggestions if (each.column, each.kind) not in known)
        amended = with_rules(contract, [NewRule(each.column, each.rule, found.versions, each.why) for each in left])
        if amended is not contract:
            target.engine.check(amended.plan())
            contract_file.write(target.contract_file, amended)
    return replace(found, suggestions=left, written=target.contract_file)

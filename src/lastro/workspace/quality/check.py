"""Checks of datasets: each contract held to a stored version, and to the clock where the version is the newest.

Rules:

1. The service levels are judged on the newest version alone: an old one is as old as it is.
2. Of several datasets, one that cannot be checked stops no other; its report says why, and it has not passed.
3. Without names, every dataset that has a contract is checked. One that has no version yet is told, with a warning.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from lastro.contract.sla import service_levels
from lastro.model.check import Category, CheckedRule, CheckReport
from lastro.model.errors import LastroError, UsageError
from lastro.model.finding import Finding, Policy, Severity, Verdict
from lastro.model.reference import Reference
from lastro.model.text import _
from lastro.pipeline.check import check as hold
from lastro.pipeline.held import EMPTY, Asked
from lastro.quality.nature import COVERAGE
from lastro.workspace.quality.freshness import judge
from lastro.workspace.quality.promised import freshness_rule, unread_rule

if TYPE_CHECKING:
    from lastro.contract import Contract
    from lastro.model.version import VersionInfo
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace


def asked(rules: Sequence[str], dimensions: Sequence[str], failures: int | None) -> Asked:
    """What a caller asks for. Raises `UsageError` for a number of rows below 0."""
    if failures is not None and failures < 0:
        raise UsageError(_("a number of rows cannot be negative"), do=_("ask for 0 rows or more"))
    return Asked(tuple(rules), tuple(dimensions), failures)


def check(dataset: Dataset, selector: str, wanted: Asked) -> CheckReport:
    """Checks one version.

    Raises `UnknownName`, `ContractError`, `SqlRefused`, `Expired`, `Corrupted`, `EngineError`.
    """
    from lastro.workspace.access.opening import rows_shown

    started = dataset.workspace.clock()
    contract = dataset.contract()
    info = dataset.find(selector)
    target = dataset.shown(rows=wanted.failures is not None)
    also = _service_levels(dataset, contract, info, started) if _is_newest(dataset, info) else ()
    if wanted.failures:
        hidden = target.withheld_of(info.schema)
        rows_shown(dataset, info, tuple(name for name in info.schema.names if name not in hidden))
    checked = hold(target, info, wanted, also=also)
    return CheckReport(
        run=str(uuid.uuid4()),
        dataset=dataset.name,
        reference=info.reference,
        started=started,
        ended=dataset.workspace.clock(),
        digest=info.digest,
        rows=info.rows,
        engine=target.engine.name,
        contract=str(contract.document.get("id") or contract.name),
        contract_version=contract.version,
        contract_digest=contract.digest,
        rules=checked.rules,
        failures=checked.failures,
    )


def check_all(workspace: Workspace, references: Sequence[str], wanted: Asked) -> tuple[CheckReport, ...]:
    """Checks these versions, or the newest of every dataset that has a contract (rules 2 and 3).

    Raises `NameRefused`, `UnknownName` for datasets that are not there; of a single reference all that `check` does.
    """
    if not references:
        with_contract = [name for name in workspace.datasets() if workspace.dataset(name).has_contract()]
        return tuple(tried(workspace.dataset(name), "latest", wanted) for name in with_contract)
    chosen = [(workspace.dataset(Reference.parse(text).name), _selector(text)) for text in references]
    if len(chosen) == 1:
        return (check(*chosen[0], wanted),)
    return tuple(tried(dataset, selector, wanted) for dataset, selector in chosen)


def _selector(reference: str) -> str:
    return reference.partition("@")[2] or "latest"


def tried(dataset: Dataset, selector: str, wanted: Asked) -> CheckReport:
    """The check of one version, or why there is none, as a report: raises nothing that befalls it."""
    now = dataset.workspace.clock()
    told = CheckReport(str(uuid.uuid4()), dataset.name, dataset.name, now, now)
    try:
        dataset.contract()
        if selector == "latest" and dataset.table.head() is None:
            return replace(told, rules=(_no_version(),))
        return check(dataset, selector, wanted)
    except LastroError as error:
        reference = dataset.name if selector == "latest" else f"{dataset.name}@{selector}"
        return replace(told, reference=reference, ended=dataset.workspace.clock(), error=error.to_dict())


def _no_version() -> CheckedRule:
    finding = Finding(EMPTY, Verdict.WARNING, Severity.WARNING, Policy.WARN, dimension=COVERAGE)
    finding = replace(finding, expected=_("at least one row"))
    return CheckedRule(finding, Category.QUALITY, "row_count", reason=_("the dataset has no version yet"))


def _is_newest(dataset: Dataset, info: VersionInfo) -> bool:
    head = dataset.table.head()
    return head is not None and head.number == info.number


def _service_levels(dataset: Dataset, contract: Contract, info: VersionInfo, now: datetime) -> tuple[CheckedRule, ...]:
    levels = service_levels(contract)
    judged = [
        freshness_rule(judge(promise, dataset, info, now), now, rows=info.rows, committed=info.committed)
        for promise in levels.freshness
    ]
    return (*judged, *(unread_rule(note, info.rows) for note in levels.notes))

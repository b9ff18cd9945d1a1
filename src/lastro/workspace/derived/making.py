"""What a step is made of, before it is made: the versions it reads, its contract, and the bounds of its session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.access import Act
from lastro.model.durable import write_durably
from lastro.model.errors import SourceBroken, UnknownName
from lastro.model.text import _
from lastro.transform.derived.made_of import MadeOf
from lastro.transform.derived.step import Step
from lastro.workspace import configuration
from lastro.workspace.access.opening import opened
from lastro.workspace.privacy.protection import passed_on

if TYPE_CHECKING:
    from lastro.workspace.derived.deriving import Derived
    from lastro.workspace.version import Version
    from lastro.workspace.workspace import Workspace


def pinned(workspace: Workspace, step: Step) -> dict[str, Version]:
    """The versions that the step reads, by dataset: the newest ones. Raises `UnknownName` where there is none, and
    `NotPermitted` where a policy forbids building.
    """
    from lastro.workspace.access.admission import refuse_forbidden

    for name in (*step.upstream, step.name):
        refuse_forbidden(workspace.dataset(name), Act.BUILD)
    return {name: _version(workspace, name, step) for name in step.upstream}


def inputs_of(versions: Mapping[str, Version]) -> tuple[str, ...]:
    """The references and digests of versions, which the recorded run has read now."""
    from lastro.workspace.training.run import seen

    for version in versions.values():
        seen(version.info)
    return tuple(f"{version.reference} {version.digest}" for version in versions.values())


def made_of(workspace: Workspace, step: Step) -> MadeOf:
    """What a build would make the step of now; what has no version or contract yet is left out."""
    heads = [workspace.dataset(name).table.head() for name in step.upstream]
    upstream = tuple(f"{head.reference} {head.digest}" for head in heads if head is not None)
    contract = ""
    if workspace.dataset(step.name).has_contract():
        contract = workspace.dataset(step.name).contract().digest
    return MadeOf(step.code, step.parameters, upstream, contract)


def _version(workspace: Workspace, name: str, step: Step) -> Version:
    if workspace.dataset(name).table.head() is None:
        derived = workspace.settings.datasets[name].derived
        raise UnknownName(
            _("{name} has no version yet to derive from").format(name=name),
            where=step.file,
            do=f"lastro build {name}" if derived else f"lastro ingest {name}",
        )
    return opened(workspace, name, act=Act.BUILD)


def infer_contract(workspace: Workspace, step: Step, source: Derived) -> None:
    """Writes a contract that fits the rows of the source. Raises `SourceBroken` where there are none."""
    from lastro.contract import infer, parse
    from lastro.transform.templates.mining import made_from, refer

    engine, path = workspace.engine(), _contract_file(workspace, step)
    with source.scanning() as (scan, stream, text):
        try:
            samples = engine.sample(scan)
        except SourceBroken:
            if not scan.records or not stream.finished:
                raise
            samples = ()  # rows without a column, or none at all
        if stream.failure is not None:
            raise stream.failure
    if not samples or (step.cut is not None and not any(sample.rows for sample in samples)):
        raise SourceBroken(
            _("the step gave no row with a column, so no contract can be inferred"),
            where=step.file,
            do=_("write {path}, or build again once there are rows").format(path=path.relative_to(workspace.root)),
        )
    withheld, encrypted = (
        passed_on(
            workspace,
            step.upstream,
            [sample.column.name for sample in samples],
            made_from=made_from(stream.schema),
            columns=source.columns(text, stream.schema.names),
            encrypted=of_encrypted,
        )
        for of_encrypted in (False, True)
    )
    references = refer(stream.schema)
    samples = [
        replace(
            sample,
            personal=sample.column.name in withheld,
            encrypted=sample.column.name in encrypted,
            refers=sample.column.name in references,
            all_read=sample.all_read and step.cut is None,  # intervals that are still to come were not seen
        )
        for sample in samples
    ]
    contract = infer(step.name, samples, source=step.file, today=workspace.clock().date())
    engine.check(parse(contract, name=path.name).plan())
    with configuration.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, contract.encode())


def session_bounds(workspace: Workspace) -> Mapping[str, Any]:  # Any: see `engine.deriving`
    """What bounds the session in which a step runs."""
    from lastro.model import scratch

    settings = workspace.settings
    temp = scratch.Later(workspace.root / ".lastro" / "staging")
    return {"memory_mb": settings.memory_mb, "threads": settings.threads, "temp": temp}


def _contract_file(workspace: Workspace, step: Step) -> Path:
    return workspace.root / workspace.dataset(step.name).entry.contract

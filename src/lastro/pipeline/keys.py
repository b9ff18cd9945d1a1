"""Keys of the source: what it holds now, so that stored rows that it no longer holds are known.

Rules:

1. The keys come from the snapshot that the batch was read from, and go through the contract's casts and cleaning.
2. A key that the contract refuses is no row's key; nothing is said about it here. A key that the contract protects
   is protected the same way, so that it is compared with what is stored.
3. A source that cannot list its keys is refused: rows that stay for ever would be a broken promise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from lastro.engine.scan import StreamScan
from lastro.model.errors import ConfigurationError
from lastro.model.plan import Plan
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.pipeline.target import Target
from lastro.source.protocol import Opened
from lastro.transform.joining import reading


def asked(target: Target, mode: Mode, opened: Opened) -> bool:
    """True if stored rows go whose key the source no longer holds, and the source can list them."""
    return _wanted(target, mode) and opened.keys is not None


def present(target: Target, opened: Opened, mode: Mode, folder: Path) -> Sequence[Path] | None:
    """Files of all keys that the source holds, in the table's types; None where nobody asks. Raises
    `ConfigurationError`.
    """
    from lastro.engine.sql.compile import source_columns

    if not _wanted(target, mode):
        return None
    if opened.keys is None:
        raise ConfigurationError(
            _("{label} cannot list the keys it holds, which deletes need").format(label=opened.label),
            where=f"lastro.yaml: datasets.{target.dataset}.deletes.keys",
            do=_("use the mode snapshot, or name a column that says which rows are deleted: deletes.column"),
        )
    plan = _of_keys(target.plan)
    area = folder / "keys"
    area.mkdir()
    scan = StreamScan(opened.keys(source_columns(plan)), opened.label)
    staged = target.engine.stage(plan, scan, area, batch="keys", protect=target.protect)
    return [file.path for file in staged.kept]


def _wanted(target: Target, mode: Mode) -> bool:
    return target.deletes.keys and reading(mode, target.history) is Mode.UPSERT


def _of_keys(plan: Plan) -> Plan:
    """The plan of the key columns alone, without rules."""
    columns = tuple(
        dataclasses.replace(column, nullable=True) for column in plan.columns if column.name in plan.primary_key
    )
    return Plan(plan.dataset, plan.contract_digest, columns)

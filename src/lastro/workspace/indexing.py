"""The catalogue, made again from what it is an index of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lastro.store.table import tables

if TYPE_CHECKING:
    from lastro.catalog import RunFiles
    from lastro.workspace.workspace import Workspace


def rebuild(workspace: Workspace, *, wipe: bool = False) -> None:
    """Makes the catalogue again from the tables and the runs; with `wipe` no byte of what it held stays in its file.

    Raises `Corrupted`, `Locked`, `WriteFailed`.
    """
    known = [workspace.table(name) for name in tables(workspace.root, quarantine=True)]
    datasets = [(table.dataset, table.history(), table.tags()) for table in known]
    with workspace.catalog() as catalog:
        catalog.rebuild(datasets, runs_of(workspace).all())
        if wipe:
            catalog.wipe()


def runs_of(workspace: Workspace) -> RunFiles:
    """The records of all runs."""
    from lastro.catalog import RunFiles

    return RunFiles(workspace.root / ".lastro" / "runs")

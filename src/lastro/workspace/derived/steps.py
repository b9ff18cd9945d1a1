"""The steps of a workspace: what its `transforms/` hold, read with what `lastro.yaml` says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lastro.transform.derived import discover
from lastro.transform.derived.step import Step
from lastro.workspace import configuration

if TYPE_CHECKING:
    from lastro.workspace.workspace import Workspace


def found(workspace: Workspace) -> dict[str, Step]:
    """The steps as the files say now, by name."""
    workspace.settings = configuration.read(workspace.root)
    entries = workspace.settings.datasets
    return discover.steps(
        workspace.root,
        sourced=[name for name, entry in entries.items() if entry.source],
        known=tuple(entries),
        parameters={name: entry.parameters for name, entry in entries.items()},
        cuts={name: entry.cut for name, entry in entries.items() if entry.cut is not None},
    )

"""Tags for every MLflow run that begins inside a Lastro run, so that either leads to the other.

MLflow finds this through the entry point `mlflow.run_context_provider` and asks for it while it is itself imported. So
this module imports nothing of MLflow; it has the interface of its `RunContextProvider` without descending from it.
"""

from __future__ import annotations

from lastro.workspace.training.run import active

TAG_LENGTH_MAX = 5000
"""What every MLflow store takes."""


class LastroRunContext:
    """Says which Lastro run is active, what it reads, and in which environment."""

    def in_context(self) -> bool:
        """True inside `with workspace.run(…)`."""
        return active() is not None

    def tags(self) -> dict[str, str]:
        """`lastro.run`, `lastro.inputs` (references, with a space between) and `lastro.environment` (a digest)."""
        run = active()
        if run is None:
            return {}
        record = run.record
        inputs = " ".join(used.reference for used in record.inputs)
        return {
            "lastro.run": record.id,
            "lastro.inputs": inputs[:TAG_LENGTH_MAX],
            "lastro.environment": record.environment.digest,
        }

"""The verbs: a table with one line of help each, so that `lastro --help` needs no verb's module."""

from __future__ import annotations

from lastro.model.text import _


def sections() -> dict[str, dict[str, str]]:
    """The verbs by what they are for, each with its line of help."""
    return {
        _("Start"): {
            "init": _("Make an empty workspace."),
            "demo": _("Make a workspace that shows the whole story, offline."),
            "add": _("Add a source as a dataset, with a contract inferred from its data."),
        },
        _("Data"): {
            "ingest": _("Bring new data through its contract into a new version."),
            "build": _("Make the derived datasets that are stale, each after those it is made from."),
            "flatten": _("Make a child dataset of each list in a dataset, with the key of its row."),
            "why": _("Show why a derived dataset is stale: what changed since it was built."),
            "quarantine": _("Show, export or replay the rows that rules refused."),
            "contract": _("Check a contract, or compare two."),
        },
        _("Watching"): {
            "status": _("Show how fresh every dataset is, its quarantine, and how its last round ended."),
            "run": _("Bring everything up to date, once or again and again, and alert whom it concerns."),
            "emit": _("Write a schedule for cron, systemd, Airflow, Dagster, Prefect or GitHub."),
            "metrics": _("Print the datasets' numbers as Prometheus reads them."),
        },
        _("Versions"): {
            "log": _("List a dataset's versions, or all datasets."),
            "read": _("Write a version's rows to a file."),
            "diff": _("Compare two versions of a dataset."),
            "templates": _("Count what the messages in a column of text have in common."),
            "lineage": _("Show what a version was made from, and what was made from it."),
            "tag": _("Name a version, or list the names."),
            "restore": _("Make an earlier version the newest again."),
        },
        _("Training"): {
            "runs": _("List the recorded runs."),
            "replay": _("Run a recorded run again and prove that its data is the same."),
            "lock": _("Write lastro.lock, which pins every dataset's version."),
        },
        _("Upkeep"): {
            "verify": _("Prove that what is stored is what was committed."),
            "repair": _("Repair what a crash or damage left behind."),
            "gc": _("Remove versions and files that nothing needs any more."),
        },
    }


def help_text(verb: str, *paragraphs: str) -> str:
    """A verb's help: its line of the table, then what else is to be said."""
    line = next(verbs[verb] for verbs in sections().values() if verb in verbs)
    return "\n\n".join([line, *paragraphs])

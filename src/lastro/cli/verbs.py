"""The verbs: a table with one line of help each, so that `lastro --help` needs no verb's module."""

from __future__ import annotations

from lastro.model.text import _


def sections() -> dict[str, dict[str, str]]:
    """The verbs by what they are for, each with its line of help."""
    return {**_data(), **_people()}


def _data() -> dict[str, dict[str, str]]:
    """What is done with data."""
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
            "monitor": _("Look for drift with the monitors of lastro.yaml, and record what they see."),
            "incidents": _("Show what was found and what was done about it; acknowledge, assign, mute, resolve."),
            "emit": _("Write a schedule for cron, systemd, Airflow, Dagster, Prefect or GitHub."),
            "metrics": _("Print the datasets' numbers as Prometheus reads them."),
        },
        _("Quality"): {
            "check": _("Hold what is stored against its contract, rule by rule."),
            "profile": _("Show every column of a version in numbers: missing, distribution, frequent values."),
            "outliers": _("Show numbers far from their column's others, or rows unlike other rows."),
            "history": _("Show a metric over a dataset's versions, and which values nobody could expect."),
            "drift": _("Compare rows with a reference: what changed, how surely, and whether it matters."),
            "performance": _("Tell how good predictions still are, before and after their labels arrive."),
            "suggest": _("Suggest rules from what was counted of a dataset's versions."),
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
            "leakage": _("Tell whether a test set was seen in training, or gives its answers away."),
            "replay": _("Run a recorded run again and prove that its data is the same."),
            "lock": _("Write lastro.lock, which pins every dataset's version."),
        },
    }


def _people() -> dict[str, dict[str, str]]:
    """What is done for people, and for proof."""
    return {
        _("Privacy"): {
            "classify": _("Propose which columns are personal, and of what kind; confirm or correct it."),
            "anonymise": _("Make a dataset of a version in which nobody stands out, and tell the risk that is left."),
            "dp": _("Answer with noise that hides each person, within the dataset's privacy budget."),
            "subject": _("Find, export and correct what is kept about a person; list their requests."),
            "erase": _("Erase people from every version of every dataset, and certify it."),
            "retain": _("Remove what is past the time for which a contract lets it be kept."),
            "vault": _("Show how much is in the vault; back it up, bring it back."),
            "keys": _("Show the keys that protect the vault, and turn them."),
        },
        **_of_the_law(),
    }


def _of_the_law() -> dict[str, dict[str, str]]:
    """Access, proof and upkeep."""
    return {
        _("Access"): {
            "policy": _("Say who gets which columns and why; run the policies' examples."),
            "reveal": _("Turn tokens back into values, for a purpose, on record."),
            "doctor": _("Tell what this workspace promises, what it cannot, and what to put right."),
        },
        _("Proof"): {
            "ledger": _("Show, prove, verify and export what was done with the data, and by whom."),
            "report": _("Write the documents that laws ask for, from what happened."),
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

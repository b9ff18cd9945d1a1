"""`lastro leakage`: whether a test set was seen in training, or gives its answers away."""

from __future__ import annotations

from typing import Any

import click

import lastro
from lastro.cli.answer import Answer, Settings
from lastro.cli.arguments import purpose_option, share
from lastro.cli.progress import working
from lastro.cli.verb import Verb
from lastro.cli.verbs import help_text
from lastro.model.errors import RuleViolated, UsageError
from lastro.model.text import _
from lastro.report.leakage import leakage, leakage_verdict
from lastro.workspace.training.rows import Rows
from lastro.workspace.workspace import Workspace

_SPLIT = "80%"


@click.command(
    "leakage",
    cls=Verb,
    help=help_text(
        "leakage",
        _(
            "FIRST is what is trained on, SECOND what is tested with; both are NAME or NAME@REF. With --split, FIRST "
            "alone is split as Version.split does it. Told are equal and near-equal rows (all columns but the key), "
            "keys on both sides, and columns of FIRST that give the target away by their value or by missing. Counts "
            "are told, and no values. The exit code is 1 if anything leaks, or a side has no rows."
        ),
    ),
)
@click.argument("first", metavar=_("FIRST"))
@click.argument("second", metavar=_("[SECOND]"), required=False)
@click.option("--key", multiple=True, metavar=_("COLUMN"), help=_("What names a row or a subject; may be repeated."))
@click.option("--target", metavar=_("COLUMN"), help=_("What is learned."))
@click.option("--split", multiple=True, metavar=_("COLUMN"), help=_("Split FIRST by this key; may be repeated."))
@click.option("--train", metavar=_("SHARE"), default=_SPLIT, show_default=True, help=_("How much --split trains on."))
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help=_("The seed of --split."))
@click.option("--tolerate", metavar=_("SHARE"), help=_("Tell shared rows and keys only beyond this share of SECOND."))
@purpose_option()
@click.pass_obj
def command(  # every parameter is an option that a person writes
    settings: Settings,
    /,
    first: str,
    second: str | None,
    key: tuple[str, ...],
    target: str | None,
    tolerate: str | None,
    **splitting: Any,  # Any: the values of --split, --train and --seed
) -> Answer:
    """Compares two sides."""
    workspace = lastro.open()
    sides = _sides(workspace, first, second, **splitting)
    with working(first, settings):
        found = workspace.leakage(*sides, key=key, target=target, tolerated=share(tolerate) if tolerate else 0.0)
    return Answer(
        values=found.to_dict(),
        blocks=lambda: leakage(found),
        verdict=leakage_verdict(found),
        exit_code=0 if found.passed else RuleViolated.exit_code,
    )


def _sides(
    workspace: Workspace, first: str, second: str | None, *, split: tuple[str, ...], train: str, seed: int
) -> tuple[Rows, Rows]:
    """Two versions, or the two views of one."""
    if (second is None) == (not split):
        raise UsageError(
            _("either two versions are compared, or one is split"),
            do=_("write lastro leakage train@1 test@1, or lastro leakage loans@1 --split customer_id"),
        )
    whole = workspace.version(first)
    if second is not None:
        return whole, workspace.version(second)
    part = share(train)
    parts = whole.split(split, fractions={"train": part, "test": 1 - part}, seed=seed)
    return parts["train"], parts["test"]

"""The story of `lastro demo`: three sources, their faults, a model, the next month, the proof, and an erasure.

Rules:

1. Every number shown is what happened; what was planted is compared with what was found, and a difference ends the
   story with an error.
2. Each step calls the façade that a person's own program would call, and shows the command that does the same.
3. Nothing leaves this machine: the customers' API is served here, on a free port, as long as the story lasts.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from lastro.demo.customers import serving
from lastro.demo.derived import derive, derive_again
from lastro.demo.erasing import erase, replay
from lastro.demo.lender import build
from lastro.demo.month import compare, drift, ingest_all, next_month
from lastro.demo.stage import Stage
from lastro.demo.training import correct, prove, train, undo
from lastro.model.errors import ConfigurationError, MissingExtra
from lastro.model.text import _
from lastro.report.blocks import Code, Tone
from lastro.report.numbers import duration, number
from lastro.report.plain import Page

APPLICATIONS = 20_000
NEEDED = ("sklearn", "httpx2")


def tell(
    folder: Path, *, out: Callable[[str], None], page: Page | None = None, applications: int = APPLICATIONS
) -> None:
    """Makes a workspace in a new or empty folder and tells the whole story there, a step at a time.

    Raises `ConfigurationError` if the folder holds something, `MissingExtra` without scikit-learn or httpx2, and
    `LastroError` if anything found differs from what was planted.
    """
    _check_libraries()
    _check_empty(folder)
    started = monotonic()
    stage = Stage(out, page or Page(width=100))
    stage.say(_("A lender that does not exist, in {folder}; nothing leaves this machine.").format(folder=folder))
    lender = build(folder, applications)
    stage.say(
        _(
            "Sources: {rows} applications in SQLite, {customers} customers behind an API, {requests} requests in logs."
        ).format(
            rows=number(len(lender.first.rows)),
            customers=number(len(lender.customers.items)),
            requests=number(lender.requests),
        )
    )
    with serving(lender.customers) as address:
        workspace = lender.open(address)
        ingest_all(stage, workspace, lender)
        correct(stage, workspace, lender)
        derive(stage, workspace)
        run = train(stage, workspace)
        next_month(stage, workspace, lender)
        compare(stage, workspace, lender)
        drift(stage, workspace)
        derive_again(stage, workspace)
        undo(stage, workspace)
        prove(stage, workspace, run)
        erase(stage, workspace, lender)
        replay(stage, workspace, run)
    stage.out("")
    stage.say(_("Done in {time}. To go on:").format(time=duration(monotonic() - started)), tone=Tone.GOOD)
    for command in go_on(folder):
        stage.show((Code(command),))


def go_on(folder: Path) -> tuple[str, ...]:
    """Commands that work in the folder the story leaves behind."""
    return (
        f"cd {shlex.quote(str(folder))}",
        "lastro log loans",
        "lastro quarantine loans",
        "lastro status",
        "lastro ingest loans --plan",
        "lastro diff loans approved latest",
        "lastro profile loans",
        "lastro check loans",
        "lastro read loans@approved -o loans.csv",
        "lastro report data-map",
        "lastro report ropa",
    )


def _check_libraries() -> None:
    from importlib.util import find_spec

    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise MissingExtra(
            _("the demo needs {names}").format(names=", ".join(missing)), do="pip install 'lastro[demo,http]'"
        )


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            _("{folder} is not an empty folder").format(folder=folder), where=str(folder), do=_("name a new folder")
        )

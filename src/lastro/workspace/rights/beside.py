"""What is recorded beside the tables, once people are erased: looks, incidents, alerts, the last round, what crashes
left.

Rules:

1. Tokens and identifiers leave every text. Of datasets that lost rows, and of those with personal contracts, the
   numbers that rules measured go, too (`alert.erased`): an extreme may be one person's.
2. Looks hold shares of rows and names, and no value: only the words of their errors are concerned.
3. Records stay in their order under their numbers; chains are written anew as a whole. Doing it twice does nothing.
4. What processes that are gone were preparing goes: a batch of a dataset that has no version yet, too.
5. A file that is damaged stands in no erasure's way. It stays as it is, `lastro verify` tells of it, and the search of
   the workspace's bytes tells what of these people is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from lastro.alert import book
from lastro.alert.erased import change_left, event_left
from lastro.alert.incident_file import IncidentFile
from lastro.model import scratch
from lastro.model.errors import ConfigurationError, Corrupted, DataRefused, NameRefused
from lastro.model.status import Step
from lastro.model.text import _
from lastro.store.lock import held
from lastro.workspace import configuration, last_round
from lastro.workspace.monitoring import looking, watch

if TYPE_CHECKING:
    from lastro.workspace.workspace import Workspace

Text = Callable[[str], str]


def take_out(workspace: Workspace, text: Text, lost: Collection[str]) -> None:
    """Takes these people out of all of it; `text` takes them out of a text, `lost` are the datasets of rule 1.

    Raises `Locked`, `WriteFailed`, `StoreError`.
    """
    _staged(workspace)
    chains = _looks(workspace, text)
    with suppress(Corrupted, ConfigurationError):  # rule 5
        IncidentFile(workspace.root / watch.INCIDENTS).rewrite(lambda change: change_left(change, text, lost, chains))
    _alerts(workspace, text, lost)
    last_round.take_out(workspace.root, lambda step: _step(step, text, lost), text)


def _staged(workspace: Workspace) -> None:
    """Rule 4: whoever takes a dataset's lock removes what dead holders left of it."""
    staging = workspace.root / ".lastro" / "staging"
    if not staging.is_dir():
        return
    scratch.sweep(staging)
    for dataset in sorted({folder.name.partition(".")[2] for folder in staging.iterdir()} - {""}):
        with suppress(NameRefused, Corrupted), workspace.table(dataset).lock():
            pass


def _looks(workspace: Workspace, text: Text) -> dict[str, str]:
    """Rule 2; gives the digests of looks that became others."""
    files, chains = looking.files(workspace), dict[str, str]()
    for monitor in files.monitors():
        with suppress(Corrupted, ConfigurationError), files.alone(monitor):  # rule 5
            chains |= files.rewrite(monitor, lambda look: replace(look, what=text(look.what), do=text(look.do)))
    return chains


def _alerts(workspace: Workspace, text: Text, lost: Collection[str]) -> None:
    path = workspace.root / watch.FILE
    if not path.exists():
        return
    with held(workspace.root / watch.LOCK, dataset=path.name, timeout_s=watch.PATIENCE_S), configuration.writing(path):
        found = book.read(path)
        entries = {
            key: replace(entry, event=event_left(entry.event, text, lost)) for key, entry in found.entries.items()
        }
        book.write(path, book.Book(entries))


def _step(step: Step, text: Text, lost: Collection[str]) -> Step:
    what = step.what
    if step.dataset in lost and step.code == DataRefused.code:
        what = _("{dataset} failed").format(dataset=step.dataset)
    return replace(step, what=text(what), do=text(step.do), where=text(step.where))

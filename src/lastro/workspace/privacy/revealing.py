"""Revealing: tokens turned back into values, for those who may.

Rules:

1. Nothing is revealed without a purpose. Where access control is on, a policy must give the action `reveal` (the gate,
   `admission`); else whoever holds the root key may, which nobody can keep from the owner of the files.
2. How many rows and which columns are revealed, by whom and for which purpose, is in the ledger before a value is
   shown, whether or not readings are recorded. No value and no token is.
3. Rows come from a version, so that what is shown is what stands there; a token that the vault no longer holds stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lastro.model.access import Act
from lastro.model.errors import NotPermitted, UsageError
from lastro.model.personal import Method
from lastro.model.text import _

if TYPE_CHECKING:
    from lastro.model.version import VersionInfo
    from lastro.workspace.dataset import Dataset

LIMIT = 20
LIMIT_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Revealed:
    """Rows of a version with values in the places of their tokens. `total` is how many rows matched."""

    reference: str
    purpose: str
    columns: tuple[str, ...]
    total: int
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)  # Any: column values


def reveal(
    dataset: Dataset,
    selector: str,
    *,
    tokens: Sequence[str] = (),
    where: str | None = None,
    purpose: str | None = None,
    limit: int = LIMIT,
) -> Revealed:
    """The rows in which one of the tokens stands, or for which a condition on the stored rows holds.

    Only the columns with tokens are given. Raises `NotPermitted`, `UsageError`, `UnknownName`, `Expired`, `SqlRefused`,
    and what the vault raises.
    """
    from lastro.workspace.access.opening import WorkspaceGate
    from lastro.workspace.version import Version

    info, named = dataset.find(selector), _named(purpose)
    gate = WorkspaceGate(dataset, Act.REVEAL, named)
    version = Version(info, dataset.table, dataset.workspace.engine(), gate=gate)
    columns = tuple(name for name in token_columns(dataset, info) if name in set(version.readable))
    if not columns:
        raise NotPermitted(
            _("{reference} has no column with tokens that you may reveal").format(reference=info.reference),
            do=_("see what you may read: lastro policy explain {dataset}").format(dataset=dataset.name),
        )
    matching = _matching(_of_tokens(columns, tokens), where, info.schema.names)
    found, total = _first(version.reader(*columns, where=matching), min(limit, LIMIT_MAX))
    dataset.workspace.ledger.revealed(info, columns, rows=len(found), purpose=named)
    return Revealed(info.reference, named, columns, total, tuple(_shown(dataset, found)))


def token_columns(dataset: Dataset, info: VersionInfo) -> tuple[str, ...]:
    """The columns of a version in which tokens stand, by the contract."""
    if not dataset.has_contract():
        return ()
    protections = dataset.contract().personal.protections
    known = {each.column for each in protections if each.method is Method.TOKEN}
    return tuple(name for name in info.schema.names if name in known)


def set_aside_revealed(dataset: Dataset, purpose: str | None, rows: int) -> None:
    """Permits and records that rows of the quarantine are shown with their values. Raises `NotPermitted`."""
    from lastro.workspace.access.admission import admit

    named, head = _named(purpose), dataset.workspace.table(f"{dataset.name}.quarantine").head()
    newest = dataset.table.head()
    if newest is not None:
        permitted = admit(dataset, newest, act=Act.REVEAL, purpose=named)
        if set(newest.schema.names) - set(permitted.readable(newest.schema.names)):
            raise NotPermitted(
                _("you may not reveal all columns of {dataset}, which stand in the rows set aside").format(
                    dataset=dataset.name
                ),
                do=_("see why: lastro policy explain {dataset}").format(dataset=dataset.name),
                state=_("nothing was shown"),
            )
    if head is not None:
        dataset.workspace.ledger.revealed(head, ("record",), rows=rows, purpose=named)


def _named(purpose: str | None) -> str:
    from lastro.workspace.access.admission import purpose_of

    named = purpose_of(purpose)
    if not named:
        raise UsageError(
            _("nothing is revealed without a purpose"),
            do=_("say what for: --purpose NAME, or LASTRO_PURPOSE"),
            state=_("nothing was shown"),
        )
    return named


def _of_tokens(columns: Sequence[str], tokens: Sequence[str]) -> str | None:
    from lastro.privacy.token import TOKEN

    for token in tokens:
        if not TOKEN.fullmatch(token):
            raise UsageError(
                _("{token!r} is no token").format(token=token[:40]),
                do=_("a token begins with tok_, and has 30 letters"),
            )
    if not tokens:
        return None
    listed = ", ".join(f"'{token}'" for token in dict.fromkeys(tokens))
    return " OR ".join(f'"{name.replace(chr(34), chr(34) * 2)}" IN ({listed})' for name in columns)


def _matching(named: str | None, where: str | None, names: Sequence[str]) -> str | None:
    """One condition of both, if the person's is one by itself. Raises `SqlRefused`."""
    from lastro.engine import columns_in
    from lastro.policy.grant import both

    if where is not None:
        columns_in(where, names, where="where")
    return both([each for each in (named, where) if each is not None])


def _first(reader: Iterable[Any], limit: int) -> tuple[list[dict[str, Any]], int]:  # Any: record batches
    rows: list[dict[str, Any]] = []  # Any: column values
    total = 0
    for batch in reader:
        total += batch.num_rows
        if len(rows) < limit:
            rows += batch.slice(0, limit - len(rows)).to_pylist()
    return rows, total


def _shown(
    dataset: Dataset,
    rows: Sequence[Mapping[str, Any]],  # Any: column values
) -> Iterable[Mapping[str, Any]]:  # Any: as above
    tokens = {value for row in rows for value in row.values() if isinstance(value, str)}
    entries = dataset.workspace.vault.reveal(tokens)
    for row in rows:
        yield {name: entries[value].value if value in entries else value for name, value in row.items()}

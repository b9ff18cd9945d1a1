"""Classifies a dataset's columns: samples a version, proposes classes, and writes what was asked for into the contract.

Rules:

1. At most `ROWS_MAX` rows are looked at, drawn by a seed from at most `FILES_MAX` files, spread over all of them, and
   from the first `DEEP` rows of each; wide tables give fewer, texts are cut: what is held is bounded.
2. Nothing is recorded of the values but shares and counts. That columns were looked at for this is no use of them.
3. A class that a person stated or confirmed is never replaced by a proposal; one that only Lastro proposed is, if the
   new proposal is another class or kind.
4. What a person says of a column is confirmed by that. Several commands at once: the contract's file is read again
   under the dataset's lock, and only what was asked for is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from lastro.contract.classes import with_classes
from lastro.contract.document import nearest
from lastro.model.errors import UnknownName, UsageError
from lastro.model.personal import Classified, Method, Personal, PersonalClass
from lastro.model.text import _
from lastro.model.version import FileEntry, VersionInfo
from lastro.pipeline import contract_file
from lastro.pipeline.sampling import sampled
from lastro.pipeline.target import Target
from lastro.privacy.detection.columns import propose
from lastro.privacy.detection.proposal import Classification, Proposal
from lastro.privacy.detection.sampled import LENGTH_MAX

ROWS_MAX, FILES_MAX, DEEP = 10_000, 32, 250_000
CELLS_MAX = 4_000_000
LONG = 4_096
"""From how many bytes a value on, on average, texts are cut before they are kept."""
SEED = 0
NAMES_MAX = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be put into the contract: the proposals (`write`), those of these columns as confirmed (`confirm`, of
    all with `everything`), and what a person says instead (`said`: column to class or `class:kind`), in whose name.
    """

    write: bool = False
    confirm: Sequence[str] = ()
    everything: bool = False
    said: Mapping[str, str] = field(default_factory=dict)
    actor: str = ""

    def __bool__(self) -> bool:
        return bool(self.write or self.confirm or self.everything or self.said)


def classify(
    target: Target,
    info: VersionInfo | None,
    wanted: Wanted,
    *,
    looked: Mapping[str, Any] = MappingProxyType({}),  # Any: pyarrow arrays
) -> Classification:
    """The proposals for a version's columns, and what was written. Without a version, values of the source tell
    (`looked`, by the source's names), or names alone.

    Raises `UnknownName`, `UsageError`, `Corrupted`, `Expired`, `EngineError`; if it writes, `Locked`, `ContractError`,
    `WriteFailed`.
    """
    names = target.plan.schema.names
    stated = _personal(target)
    of_source = {column.name: looked.get(column.source) for column in target.plan.columns}
    values = of_source if info is None else _sampled(target, info, names)
    rows = max((len(each) for each in values.values() if each is not None), default=0)
    protected = [each.column for each in stated.protections if each.method is not Method.ENCRYPT]
    proposals = propose(values, stated=stated.classes, protected=protected)
    reference = None if info is None else info.reference
    found = Classification(target.dataset, reference, rows, proposals, stated.classes)
    return _written(target, found, wanted) if wanted else found


def _personal(target: Target) -> Personal:
    return Personal() if target.contract is None else target.contract.personal


def _sampled(target: Target, info: VersionInfo, names: Sequence[str]) -> dict[str, Any]:  # Any: pyarrow arrays
    """Sampled values of these columns; None for those that the version does not have."""
    import pyarrow as pa

    known = [name for name in names if name in info.schema.names]
    count = min(ROWS_MAX, max(1, CELLS_MAX // max(1, len(known))))
    files = _spread([entry for entry in info.files if entry.rows])
    total = sum(entry.rows for entry in files)
    tables = []
    for entry in files if known else ():
        share = max(1, -(-count * entry.rows // total))
        (path,) = target.table.paths(replace(info, files=(entry,)))
        stream = target.engine.read([path], info.schema, columns=known)
        tables.append(_cut(sampled(stream, min(entry.rows, DEEP), share, seed=SEED)))
    drawn = pa.concat_tables(tables) if tables else None
    return {name: drawn.column(name) if drawn is not None and name in known else None for name in names}


def _spread(files: Sequence[FileEntry]) -> Sequence[FileEntry]:
    """Some of the files, evenly from the first to the last."""
    if len(files) <= FILES_MAX:
        return files
    return [files[place * (len(files) - 1) // (FILES_MAX - 1)] for place in range(FILES_MAX)]


def _cut(table: Any) -> Any:  # Any: pyarrow tables
    """The table with long texts cut, so that few large cells do not fill the memory."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, column in enumerate(table.schema):
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if is_text and table.column(place).nbytes > LONG * max(1, table.num_rows):
            shorter = pc.utf8_slice_codeunits(table.column(place), 0, LENGTH_MAX)
            table = table.set_column(place, column.name, shorter)
    return table


def _written(target: Target, found: Classification, wanted: Wanted) -> Classification:
    """Puts what is wanted into the contract's file, under the lock by which ingestions amend it."""
    said = {name: _said(name, text, wanted.actor) for name, text in wanted.said.items()}
    known = {each.column: each for each in found.proposals}
    for name in (*wanted.confirm, *said):
        if name not in known:
            raise _unknown(name, target.dataset, list(known))
    empty = [name for name in wanted.confirm if known[name].of is None and name not in said]
    if empty:
        raise UsageError(
            _("nothing is proposed for {column}").format(column=empty[0]),
            where=target.dataset,
            do=_("say what it is: --as {column}=feature").format(column=empty[0]),
        )
    if target.contract is None or target.contract_file is None:
        return found
    with target.table.lock(looking=True):
        contract = contract_file.read(target.contract, target.contract_file)
        now = {each.column: each for each in contract.personal.classes}
        classes = [
            new
            for each in found.proposals
            if (new := said.get(each.column) or _new(each, now.get(each.column), wanted))
        ]
        changed = tuple(each.column for each in classes if now.get(each.column) != each)
        amended = with_classes(contract, classes)
        if amended is not contract:
            target.engine.check(amended.plan())
            contract_file.write(target.contract_file, amended)
    written = target.contract_file if amended is not contract else None
    return replace(found, classes=amended.personal.classes, changed=changed, written=written)


def _new(proposal: Proposal, now: Classified | None, wanted: Wanted) -> Classified | None:
    """What the contract is to say of a column by a proposal; None if nothing else than now."""
    if proposal.of is None or (now is not None and now.is_settled):
        return None
    is_same = now is not None and (now.of, now.kind) == (proposal.of, proposal.kind)
    if wanted.everything or proposal.column in wanted.confirm:
        held = now if now is not None and is_same else proposal.classified()
        return None if held is None else replace(held, confirmed=wanted.actor)
    return None if is_same or not wanted.write else proposal.classified()


def _said(column: str, text: str, actor: str) -> Classified:
    """What a person says of a column, as in `identifier:cpf`."""
    of, _colon, kind = text.partition(":")
    try:
        return Classified(column, PersonalClass(of.strip()), kind.strip(), confirmed=actor)
    except ValueError:
        meant = nearest(of, list(PersonalClass))
        do = _("did you mean {key}?").format(key=meant) if meant else ""
        raise UsageError(
            _("{value!r} is no class of personal values").format(value=of[:80]),
            where=column,
            do=do or _("use one of {keys}").format(keys=", ".join(PersonalClass)),
        ) from None


def _unknown(name: str, dataset: str, known: Sequence[str]) -> UnknownName:
    return UnknownName(
        _("{dataset} has no column {name!r}").format(dataset=dataset, name=name[:80]),
        do=_("its columns: {names}").format(names=", ".join(known[:NAMES_MAX])),
    )

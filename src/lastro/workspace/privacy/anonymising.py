"""Anonymising a version: read, made coarser, and kept as a dataset of its own.

Rules:

1. The version is read as any reader reads it, so that the ledger has it: once, its needed columns only, into memory.
   That takes what those columns take as Arrow data, and at most some hundred bytes a row beside it.
2. The result is a dataset with a contract of its own, which says of which version it was made, what was done and what
   was reached. It goes through that contract like any rows, and its commit names the version that it came of.
3. Done again for the same dataset, it makes the next version there. A dataset that is anything else is left alone.
4. If nothing can be shown that holds what is asked, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, UnknownName
from lastro.model.personal import Classified, Method, Personal, PersonalClass
from lastro.model.sample import Sample
from lastro.model.schema import Field, Primitive
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.workspace import configuration
from lastro.workspace.configuration import DatasetEntry

if TYPE_CHECKING:
    from lastro.governance.anonymise import Chosen
    from lastro.pipeline.result import IngestResult
    from lastro.privacy.anonymity.given import Given
    from lastro.privacy.anonymity.outcome import Anonymised, Measured
    from lastro.source.protocol import Cursor, Opened
    from lastro.workspace.version import Version
    from lastro.workspace.workspace import Workspace

Tree = Path | str | Mapping[str, str] | Mapping[str, Sequence[str]]
"""A hierarchy: a file, or of each value its labels, or of each value and label the one above it."""


def measure(workspace: Workspace, reference: str, asking: Mapping[str, Any]) -> Measured:  # Any: fields of `Asked`
    """How anonymous a version is. Raises `UnknownName`, `UsageError`, `Expired`, `Corrupted`."""
    from lastro.governance.anonymise import Source, chosen, measured
    from lastro.privacy.anonymity.outcome import Asked

    version = workspace.version(reference)
    personal = _personal(workspace, version)
    said = {name: asking[name] for name in ("quasi", "sensitive") if name in asking}
    columns = chosen(version.columns, personal, Asked(1, **said))
    needed = (*columns.quasi, *columns.sensitive, *([columns.subject] if columns.subject else []))
    rows = version.to_arrow(*needed)
    people = _people(workspace, asking.get("population"), columns)
    return measured(Source(version.reference, version.digest, rows, personal, *people), columns)


def anonymise(
    workspace: Workspace,
    reference: str,
    asking: Mapping[str, Any],  # Any: fields of `Asked`
    *,
    hierarchies: Mapping[str, Tree],
    to: str | None,
) -> Anonymised:
    """Makes the dataset. Raises `UnknownName`, `UsageError`, `ConfigurationError`, `DataRefused`, `SourceUnreachable`,
    `StoreError`.
    """
    from lastro.governance.anonymise import Source, anonymised, chosen, settled
    from lastro.workspace.rights.erasing import finish_first

    finish_first(workspace)
    version = workspace.version(reference)
    personal = _personal(workspace, version)
    said = dict(asking)
    population = said.pop("population", None)
    asked = settled(personal.thresholds, said)
    columns = chosen(version.columns, personal, asked)
    given = {name: _tree(workspace, tree, name, columns) for name, tree in hierarchies.items()}
    name = to or f"{version.info.dataset}_k{asked.k}"
    _check_free(workspace, name, version.info.dataset)
    people = _people(workspace, population, columns)
    source = Source(version.reference, version.digest, version.to_arrow(*columns.needed), personal, *people)
    outcome, rows = anonymised(source, columns, asked, given)
    result = _kept(workspace, version, columns, replace(outcome, target=name), rows)
    info = workspace.table(name).version(result.version) if result.version is not None else None
    return replace(
        outcome,
        target=info.reference if info else name,
        target_digest=info.digest if info else "",
        notes=result.notes,
    )


def _personal(workspace: Workspace, version: Version) -> Personal:
    """What the dataset's contract says, of the columns that the version has."""
    dataset = workspace.dataset(version.info.dataset)
    return dataset.contract().personal if dataset.has_contract() else Personal()


def _people(workspace: Workspace, reference: str | None, columns: Chosen) -> tuple[str, Any]:  # Any: a pyarrow.Table
    """The population's version and its quasi-identifiers. Raises `UnknownName`."""
    if reference is None:
        return "", None
    version = workspace.version(reference)
    return version.reference, version.to_arrow(*columns.quasi)


def _tree(workspace: Workspace, tree: Tree, column: str, columns: Chosen) -> Given:
    from lastro.privacy.anonymity.given import from_mapping, read

    if column not in columns.quasi:
        raise UnknownName(
            _("{column} is no quasi-identifier, so that no hierarchy belongs to it").format(column=column),
            do=_("choose among: {names}").format(names=", ".join(columns.quasi)),
        )
    if isinstance(tree, Mapping):
        return from_mapping(tree, where=column)
    return read(workspace.root / tree if not Path(tree).is_absolute() and not Path(tree).exists() else Path(tree))


def _check_free(workspace: Workspace, name: str, origin: str) -> None:
    """Raises `ConfigurationError` for a dataset that was not made so before (rule 3)."""
    from lastro.contract.recoded import made_from

    configuration.check_dataset_name(name)
    contract = workspace.root / "contracts" / f"{name}.odcs.yaml"
    if name in workspace.settings.datasets:
        dataset = workspace.dataset(name)
        if dataset.has_contract() and made_from(dataset.contract()) == origin:
            return
    elif not contract.exists():
        return
    raise ConfigurationError(
        _("there is a dataset {name} already").format(name=name),
        where=str(contract),
        do=_("choose another name with --to"),
    )


def _kept(
    workspace: Workspace,
    version: Version,
    columns: Chosen,
    outcome: Anonymised,
    rows: Any,  # Any: a pyarrow.Table
) -> IngestResult:
    """The rows as a new version of the dataset, with its contract and its entry in `lastro.yaml`."""
    from lastro.openlineage.event import Work
    from lastro.pipeline.ingest import ingest
    from lastro.workspace.dataset import run_id
    from lastro.workspace.lineage.emitting import told

    name = outcome.target
    path = workspace.root / "contracts" / f"{name}.odcs.yaml"
    if name in workspace.settings.datasets:
        path = workspace.root / workspace.dataset(name).entry.contract
    text = _contract(workspace, version, columns, outcome, rows)
    with configuration.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, text.encode())
    if name not in workspace.settings.datasets:
        entry = DatasetEntry(name, str(path.relative_to(workspace.root)), Mode.OVERWRITE, {})
        configuration.add_dataset(workspace.root, entry)
        workspace.settings = configuration.read(workspace.root)
    dataset = workspace.dataset(name)
    source = _Made(rows, version.info.dataset)
    inputs = (f"{version.reference} {version.digest}",)
    doing = partial(
        ingest, dataset.target(), source, mode=Mode.OVERWRITE, run=run_id(), inputs=inputs, on_commit=dataset.enter
    )
    return told(workspace, Work.BUILD, name, doing, inputs=inputs)


def _contract(
    workspace: Workspace,
    version: Version,
    columns: Chosen,
    outcome: Anonymised,
    rows: Any,  # Any: a pyarrow.Table
) -> str:
    from lastro.contract.recoded import ANONYMISED, recoded_contract

    dataset = workspace.dataset(version.info.dataset)
    known = dataset.contract().personal if dataset.has_contract() else Personal()
    withheld = dataset.target().withheld if dataset.has_contract() else frozenset(version.columns)
    classes = {name: _class(name, columns, known) for name in columns.kept}
    after = outcome.after
    done = {
        "of": version.info.dataset,
        "version": f"{version.reference} {version.digest}",
        "result": ANONYMISED if outcome.is_anonymised else "pseudonymised",
        "k": after.k,
        **({"l": after.l, "t": round(after.t or 0.0, 6)} if after.l is not None else {}),
        "quasi": list(columns.quasi),
        "suppressed": outcome.suppressed,
        "loss": round(outcome.loss, 6),
    }
    return recoded_contract(
        outcome.target,
        [
            replace(
                _sample(name, version, columns, rows, is_withheld=name in withheld),
                encrypted=_is_encrypted(name, known),
            )
            for name in columns.kept
        ],
        source=version.reference,
        today=workspace.clock().date(),
        classes={name: found for name, found in classes.items() if found is not None},
        thresholds=outcome.thresholds,
        done=done,
    )


def _class(name: str, columns: Chosen, known: Personal) -> Classified | None:
    """The class of a column of the result: what it was, or what the call said."""
    found = known.of(name)
    if name in columns.quasi:
        return replace(found, of=PersonalClass.QUASI) if found else Classified(name, PersonalClass.QUASI)
    if name in columns.sensitive:
        return replace(found, of=PersonalClass.SENSITIVE) if found else Classified(name, PersonalClass.SENSITIVE)
    return found


def _is_encrypted(name: str, known: Personal) -> bool:
    found = known.protection(name)
    return found is not None and found.method is Method.ENCRYPT


def _sample(
    name: str,
    version: Version,
    columns: Chosen,
    rows: Any,  # Any: a pyarrow.Table
    *,
    is_withheld: bool,
) -> Sample:
    """What the contract needs to know of a column; no value of it."""
    is_quasi = name in columns.quasi
    return Sample(
        column=Field(name, Primitive.STRING if is_quasi else version.schema.field(name).type),
        rows=rows.num_rows,
        nulls=rows.num_rows if is_quasi else rows[name].null_count,  # what is missing now need not be another time
        distinct=0,
        unique=False,
        minimum=None,
        maximum=None,
        length_max=None,
        values=(),
        format=None,
        all_read=True,
        personal=not is_quasi and (is_withheld or name in columns.sensitive),
        declared=True,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """The rows that were made, as a source. Implements `source.protocol.Source`."""

    rows: Any  # Any: a pyarrow.Table
    dataset: str
    label: str = "lastro anonymise"
    kind: str = "anonymised"

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened]:
        from lastro.engine.scan import StreamScan
        from lastro.source.protocol import Opened

        del cursor, mode
        names = tuple(self.rows.column_names)
        columns: Callable[[], Mapping[str, Sequence[tuple[str, str]]]] = partial(_origins, self.dataset, names)
        yield Opened(StreamScan(self.rows, self.label, rows=self.rows.num_rows), dict, self.label, columns=columns)


def _origins(dataset: str, names: Sequence[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Each column comes from the column of its name."""
    return {name: ((dataset, name),) for name in names}

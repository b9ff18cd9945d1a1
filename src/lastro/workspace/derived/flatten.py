"""Flattening: child datasets for the lists in a dataset, written as files of `transforms/` and `contracts/`.

Rules:

1. A child is a derived dataset: one SELECT, which a person may read and change. Nothing else makes it, so that it has
   versions, lineage and staleness as any, and is made whole by the next build whenever a process dies.
2. A list whose child is there – a dataset whose contract says so (`elements`), or a step of the child's name that reads
   the parent – is left alone; its own lists are looked for in the contract it has.
3. No file is written over, and no name taken from another dataset.
4. The contract is written before the SELECT: a child is never built without its key and its protection. A process that
   dies between the two leaves a contract that the next one finds to be its own.
5. A name that is too long is cut, and ends with digits of its digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model import digest
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, ContractError, LastroError
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.transform.derived.step import FOLDER, Step
from lastro.workspace import configuration
from lastro.workspace.attempt import failed
from lastro.workspace.derived.steps import found as steps

if TYPE_CHECKING:
    from lastro.contract import Contract
    from lastro.contract.elements import Elements
    from lastro.model.schema import Field
    from lastro.model.status import Step as Tried
    from lastro.workspace.workspace import Workspace

NAME_MAX = 63 - len(configuration.RESERVED_SUFFIX)
"""A longer name is cut and marked: so that children keep the names that they were found by before."""
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Child:
    """A child of a list: its name, its parent, the path of the list in it, and its two files with their texts.

    A child that `is_there` was found, and nothing is to be written; then its texts are empty.
    """

    dataset: str
    parent: str
    path: tuple[str, ...]
    file: str
    contract: str
    key: tuple[str, ...]
    columns: int
    is_there: bool = False
    sql: str = ""
    contract_text: str = ""

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The child as plain values."""
        return {
            "dataset": self.dataset,
            "parent": self.parent,
            "list": list(self.path),
            "file": self.file,
            "contract": self.contract,
            "key": list(self.key),
            "columns": self.columns,
            "there": self.is_there,
            "sql": self.sql or None,
        }


def flatten(workspace: Workspace, name: str, *, plan: bool = False) -> tuple[Child, ...]:
    """The children of the lists in a dataset, and of the lists in them; their files are written, unless `plan`.

    Raises `UnknownName`, `ContractError`, `ConfigurationError`, `WriteFailed`.
    """
    workspace.settings = configuration.read(workspace.root)
    dataset = workspace.dataset(name)
    planning = _Planning(workspace, steps(workspace), dict(_children(workspace)))
    found = tuple(planning.of(dataset.contract(), history=_history(workspace, name)))
    if not plan:
        configuration.refuse_link(workspace.root, FOLDER)
        for child in found:
            _write(workspace.root, child)
        workspace.settings = configuration.read(workspace.root)
    return found


def complete(workspace: Workspace, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Tried, ...]]:
    """Writes the files that lack for datasets with `flatten: true` (of these names, if there are any).

    Gives the names of the new children, and a failed step for each dataset whose children could not be written.
    """
    workspace.settings = configuration.read(workspace.root)
    made: list[str] = []
    faults: list[Tried] = []
    for name, entry in workspace.settings.datasets.items():
        if not entry.flatten or (names and name not in names) or not workspace.dataset(name).has_contract():
            continue
        try:
            made += [child.dataset for child in flatten(workspace, name) if not child.is_there]
        except LastroError as error:
            faults.append(failed(name, error, workspace.clock()))
    return tuple(made), tuple(faults)


def check(contract: Contract) -> None:
    """Raises `ContractError` if the lists of a dataset that is to be added cannot become children."""
    from lastro.contract.elements import elements_of

    try:
        elements_of(contract)
    except ContractError as error:
        if not contract.plan().primary_key:
            error.do = _(
                "add it without --flatten, mark its key with `primaryKey: true` in its contract, "
                "then lastro flatten {name}"
            ).format(name=contract.dataset)
        raise


@dataclass(frozen=True, slots=True)
class _Planning:
    """What there is: the steps, and the children by their parent and path."""

    workspace: Workspace
    steps: Mapping[str, Step]
    children: dict[tuple[str, tuple[str, ...]], str]

    def of(
        self, contract: Contract, *, history: tuple[Field, ...] = (), above: tuple[str, ...] = ()
    ) -> Iterator[Child]:
        """The children of a dataset, each followed by its own; `above` are those that led here."""
        from lastro.contract import parse
        from lastro.contract.elements import elements_of

        taken: set[str] = set()
        above = (*above, contract.dataset)
        for found in elements_of(contract, history=history):
            there = self._there(found, taken)
            if there is not None:
                taken.add(there)
                yield from self._left(found, there, above)
                continue
            child = self._new(found, taken)
            taken.add(child.dataset)
            yield child
            yield from self.of(parse(child.contract_text, name=child.contract), above=above)

    def _there(self, found: Elements, taken: set[str]) -> str | None:
        """The dataset that is the list's child already."""
        known = self.children.get((found.parent, found.path))
        if known is not None:
            return known
        name = _name(found, taken)
        step = self.steps.get(name)
        if step is None or found.parent not in step.upstream or name in self.children.values():
            return None
        is_half = not self.workspace.dataset(name).has_contract() and _holds(
            self.workspace.root / step.file, _select(found)
        )
        return None if is_half else name

    def _left(self, found: Elements, name: str, above: tuple[str, ...]) -> Iterator[Child]:
        dataset = self.workspace.dataset(name)
        contract = dataset.contract() if dataset.has_contract() else None
        plan = None if contract is None else contract.plan()
        yield Child(
            dataset=name,
            parent=found.parent,
            path=found.path,
            file=self.steps[name].file if name in self.steps else "",
            contract=dataset.entry.contract,
            key=plan.primary_key if plan else (),
            columns=len(plan.columns) if plan else 0,
            is_there=True,
        )
        if contract is not None and contract.plan().primary_key and name not in above:
            yield from self.of(contract, above=above)

    def _new(self, found: Elements, taken: set[str]) -> Child:
        from lastro.contract.elements import text_of

        name = _name(found, taken)
        child = Child(
            dataset=name,
            parent=found.parent,
            path=found.path,
            file=f"{FOLDER}/{name}.sql",
            contract=f"contracts/{name}.odcs.yaml",
            key=found.key,
            columns=len(found.key) + len(found.members),
            sql=_select(found),
            contract_text=text_of(found, name),
        )
        self._check_free(child)
        return child

    def _check_free(self, child: Child) -> None:
        root = self.workspace.root
        what = _("the elements of {path} in {name} would be the dataset {child}, and that is taken").format(
            path=".".join(child.path)[:80], name=child.parent, child=child.dataset
        )
        entry = self.workspace.settings.datasets.get(child.dataset)
        if entry is not None and not (entry.derived and _holds(root / child.file, child.sql)):
            raise ConfigurationError(
                what,
                where=self.steps[child.dataset].file if child.dataset in self.steps else configuration.FILE,
                do=_("rename the dataset that is there, or say in its contract that it is the list's: `elements`"),
            )
        for file, text in ((child.file, child.sql), (child.contract, child.contract_text)):
            if _exists(root / file) and not _holds(root / file, text):
                raise ConfigurationError(what, where=file, do=_("move the file away, or rename it"))


def _name(found: Elements, taken: set[str]) -> str:
    """The child's name: distinct among those of the parent's lists, and short enough (rule 5)."""
    from lastro.contract.elements import child_name
    from lastro.contract.naming import distinct

    name = distinct(child_name(found.parent, found.path), taken)
    if len(name) > NAME_MAX:
        mark = digest.of_value([found.parent, *found.path]).removeprefix(digest.PREFIX)[:_DIGITS]
        name = f"{name[: NAME_MAX - _DIGITS - 1].rstrip('_.-')}_{mark}"
    return configuration.check_dataset_name(name)


def _select(found: Elements) -> str:
    from lastro.engine import elements

    sql = elements(
        found.parent,
        found.path,
        keys=[(key.source, key.name) for key in found.keys],
        position=found.position,
        members=[(member.path, member.name) for member in found.members],
    )
    place = ".".join((found.parent, *found.path))
    return (
        f"-- One row for each element of {place if place.isprintable() else found.parent}. Written by lastro flatten,\n"
        f"-- which never writes over a file: change it as you like.\n{sql}"
    )


def _children(workspace: Workspace) -> Iterator[tuple[tuple[str, tuple[str, ...]], str]]:
    """The derived datasets that say whose elements they are."""
    from lastro.contract.elements import origin

    for name, entry in workspace.settings.datasets.items():
        dataset = workspace.dataset(name)
        if entry.derived and dataset.has_contract() and (said := origin(dataset.contract())) is not None:
            yield said, name


def _history(workspace: Workspace, name: str) -> tuple[Field, ...]:
    """The column that tells the states of one key apart, if the dataset is a history."""
    dataset = workspace.dataset(name)
    history, head = dataset.entry.history, dataset.table.head()
    schema = dataset.contract().plan().schema
    is_history = dataset.entry.mode is Mode.SCD2
    if head is not None:
        is_history = set(history.columns) <= set(head.schema.names)
    return history.fields(schema)[:1] if is_history else ()


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _holds(path: Path, text: str) -> bool:
    try:
        return not path.is_symlink() and path.read_bytes() == text.encode()
    except OSError:
        return False


def _write(root: Path, child: Child) -> None:
    for file, text in ((child.contract, child.contract_text), (child.file, child.sql)):
        if not child.is_there and not _exists(root / file):
            with configuration.writing(root / file):
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                write_durably(root / file, text.encode())

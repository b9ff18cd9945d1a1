"""Private answers about a version, within the budget of its dataset.

Rules:

1. The budget stands in the contract (`privacyBudget`); a dataset without one gives no private answers.
2. Whether OpenDP is there and the question makes sense is found out before anything is spent.
3. The version is read as any reader reads it, so that policies hold and the ledger has it: the question's column and
   the subject's, into memory. Only once that was allowed and done, the budget is taken from.
4. A known answer is given to those only who may read all of the version as it is stored; others see other rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lastro.model import clock
from lastro.model.errors import ContractError, UnknownName, UsageError
from lastro.model.personal import Personal
from lastro.model.schema import Decimal, Primitive, type_text
from lastro.model.text import _

if TYPE_CHECKING:
    from lastro.privacy.dp import Question
    from lastro.workspace.version import Version
    from lastro.workspace.workspace import Workspace

_NUMBERS = frozenset(
    {Primitive.LONG, Primitive.INTEGER, Primitive.SHORT, Primitive.BYTE, Primitive.DOUBLE, Primitive.FLOAT}
)


@dataclass(frozen=True, slots=True)
class PrivateAnswer:
    """The answer: the statistic of the column, its numbers – of a histogram one for each label –, how far each may be
    off with a confidence of 95 %, what it cost, and what is spent of the budget now. `again` says that it was known.
    """

    reference: str
    digest: str
    statistic: str
    column: str
    labels: tuple[str, ...]
    numbers: tuple[float, ...]
    within: float | None
    epsilon: float
    spent: float
    budget: float
    subject: str
    contributions: int
    again: bool = False

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The answer as plain values."""
        return asdict(self)


def answer(
    workspace: Workspace,
    reference: str,
    statistic: str,
    column: str,
    asking: Mapping[str, Any],  # Any: fields of `Question`
) -> PrivateAnswer:
    """The answer to one question. Raises as `Workspace.dp` says."""
    from lastro.privacy.budget import MILLION, Asking, Budgets, millionths
    from lastro.privacy.dp import Private, available, private
    from lastro.workspace.audit.ledger import actor

    version = workspace.version(reference)
    dataset = workspace.dataset(version.info.dataset)
    personal = dataset.contract().personal
    question = _question(statistic, column, asking)
    cost = millionths(question.epsilon)
    question = replace(question, epsilon=cost / MILLION)
    _check_column(version, question)
    budget = _budget(personal, dataset.name, dataset.entry.contract)
    available()
    subject = personal.subject.column if personal.subject and personal.subject.column in version.columns else ""
    about = "" if question.values else json.dumps({**asdict(question), "subject": subject}, sort_keys=True)
    told = Asking(
        clock.to_text(workspace.clock()), actor(), dataset.name, version.digest, question.statistic, column, about
    )
    budgets = Budgets(workspace.root / ".lastro")
    is_plain = version.is_plain
    try:
        known = budgets.known(told) if is_plain else None
        if known is None:
            column_read = _column(version, question, subject, personal.subject.kind if personal.subject else "")
            number = budgets.take(told, cost, int(round(budget * MILLION, 3)))
            found = private(question, column_read)
            if about and is_plain:
                budgets.remember(number, json.dumps(asdict(found)))
        else:
            said = json.loads(known)
            found = Private(tuple(said["numbers"]), said["within"])
        spent = budgets.spent(dataset.name)
    finally:
        budgets.close()
    return PrivateAnswer(
        reference=version.reference,
        digest=version.digest,
        statistic=question.statistic.value,
        column=column,
        labels=_labels(question),
        numbers=found.numbers,
        within=found.within,
        epsilon=0.0 if known is not None else question.epsilon,
        spent=spent,
        budget=budget,
        subject=subject,
        contributions=question.contributions,
        again=known is not None,
    )


def _question(statistic: str, column: str, asking: Mapping[str, Any]) -> Question:  # Any: its fields
    from lastro.privacy.dp import Question, Statistic, checked

    try:
        what = Statistic(statistic)
    except ValueError as error:
        raise UsageError(
            _("{statistic} cannot be asked for").format(statistic=statistic[:40]),
            do=_("choose among: {names}").format(names=", ".join(Statistic)),
        ) from error
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in asking.items()}
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}  # Any: as `asking`
    return checked(Question(what, column, **said))


def _check_column(version: Version, question: Question) -> None:
    name = question.column
    if not name:
        return
    if name not in version.columns:
        raise UnknownName(
            _("there is no column {name}").format(name=name),
            do=_("choose among: {names}").format(names=", ".join(version.columns)),
        )
    kind = version.schema.field(name).type
    is_number = isinstance(kind, Decimal) or kind in _NUMBERS
    if question.is_of_numbers and not is_number:
        raise UsageError(
            _("{name} is {type}, not a number").format(name=name, type=type_text(kind)),
            do=_("name a numeric column, or ask for a histogram with --values"),
        )
    if not isinstance(kind, Decimal | Primitive):
        raise UsageError(
            _("{name} is {type}, whose values cannot be counted").format(name=name, type=type_text(kind)),
            do=_("make a dataset of its elements: lastro flatten"),
        )


def _budget(personal: Personal, name: str, contract: str) -> float:
    if personal.budget is None:
        raise ContractError(
            _("{name} has no privacy budget, so that it gives no private answers").format(name=name),
            where=contract,
            do=_("write the property `privacyBudget: 3` into its contract"),
        )
    return personal.budget


def _column(version: Version, question: Question, subject: str, kind: str) -> Any:  # Any: a numpy array
    """The rows' values, of each subject, named by this kind of identifier, as many as it may have."""
    import numpy as np
    import pyarrow as pa

    from lastro.privacy.anonymity.values import persons, values_of

    names = tuple(dict.fromkeys(name for name in (question.column, subject) if name))
    table = version.to_arrow(*(names or version.columns[:1]))
    kept = np.ones(table.num_rows, dtype=np.bool_)
    if subject:
        named, of_row = values_of(table[subject])
        whose = persons(named, kind)[of_row]
        order = np.argsort(whose, kind="stable")
        begins = np.concatenate(([True], whose[order][1:] != whose[order][:-1])) if len(order) else kept
        place = np.arange(len(order)) - np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
        kept[order] = place < question.contributions
    if not question.column:
        return kept[kept]
    if question.is_of_numbers:
        return table[question.column].cast(pa.float64(), safe=False).to_numpy()[kept]
    values, rows = values_of(table[question.column])
    return np.array([*values.texts, None], dtype=object)[rows][kept]


def _labels(question: Question) -> tuple[str, ...]:
    if question.values:
        return (*question.values, _("all else"))
    if question.edges:
        last = len(question.edges) - 2
        bins = [
            f"[{low:g}, {high:g}{']' if place == last else ')'}"
            for place, (low, high) in enumerate(pairwise(question.edges))
        ]
        return (*bins, _("all else"))
    return ()

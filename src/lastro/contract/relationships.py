"""The `relationships` of a contract as rules over the table: each key has its row in the other dataset.

Rules:

1. They stand at a column, or at the schema object with `from`; composite keys are lists. Ends are written
   `dataset.column`; full paths and other files' are kept, and noted as not executed.
2. A relationship describes rather than demands: it warns, unless its own property `policy` says `fail`.
3. Where the other dataset is not there, nothing is judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from lastro.contract.context import Context
from lastro.contract.document import Node
from lastro.contract.policy import check_own, own_policy, table_policy
from lastro.model.errors import NameRefused
from lastro.model.finding import Policy, Severity
from lastro.model.plan import Operator, Orphans, TableRule, Threshold
from lastro.model.reference import check_name
from lastro.model.text import _

KIND = "relationship"


def relationship_rules(node: Node, context: Context, dataset: str) -> Iterator[TableRule]:
    """The rules under an element's `relationships`, of the dataset of that name."""
    for relationship in node.sound("relationships"):
        check_own(relationship, ("policy",))
        policy = table_policy(relationship, own_policy(relationship), Policy.WARN, Severity.ERROR)
        measure = _measure(relationship, context, dataset)
        if measure is None:
            context.note(_("relationship kept, not executed"))
            continue
        column = context.column.name if context.column else None
        name = f"{column}.{KIND}" if column else KIND
        yield TableRule(name, measure, Threshold(Operator.MUST_BE, (0.0,)), policy, column=column)


def _measure(relationship: Node, context: Context, dataset: str) -> Orphans | None:
    """What it asks of the rows; None if an end is no column of a dataset that could be here."""
    targets = _ends(relationship.data.get("to"))
    own = [context.column.name] if context.column else []
    if context.column is None:
        sources = _ends(relationship.data.get("from"))
        own = [name for table, name in sources if table == dataset]
    others = {table for table, _name in targets}
    if len(own) != len(targets) or len(others) != 1 or not own or not set(own) <= context.columns.keys():
        return None
    try:
        other = check_name(others.pop())
    except NameRefused:
        return None
    return Orphans(other, tuple(zip(own, (name for _table, name in targets), strict=True)), optional=True)


def _ends(said: object) -> list[tuple[str, str]]:
    """Dataset and column of each end; nothing for ends that are written otherwise."""
    ends = said if isinstance(said, list) else [said]
    parts = [str(end).rpartition(".") for end in ends]
    return [(table, name) for table, _dot, name in parts if table and name and "/" not in table + name]

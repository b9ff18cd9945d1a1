"""The compiler: from an ODCS document to a `Plan`, pure data that an engine executes.

What it reads of a schema object and its properties, rule by rule (`types`, `rules`, `metrics`, `policy` say more):

1. One schema object makes one dataset; its `name` is the dataset's and obeys the rules of names. Several in a file are
   refused unless one is selected.
2. Each property makes a column, in the document's order; `semanticType: measure` is an aggregate and makes none.
   At most 2,000 columns, names valid in Delta Lake and distinct without regard to capitals.
3. `logicalType`, `logicalTypeOptions`, `physicalType`, `items`, `properties`, `map` give the type.
4. `physicalName` is the column's name in the source, else `name`; `transformLogic` is an SQL expression over the
   source's columns that cleans; `logicalTypeOptions.format` says how dates and times are written.
5. `primaryKey` and `primaryKeyPosition` give the key, whose columns are required. Columns without a position follow
   those with one, in the document's order.
6. `required`, `enum`, `logicalTypeOptions` give row rules named `<column>.<kind>`; `unique` gives the table rule
   `<column>.unique`.
7. `quality` gives rules named by their own `name`, made safe, else `<column>.<metric>`. A name that is taken gets a
   number. `relationships` give table rules, too (`relationships`).
8. Custom properties with `vendor: lastro`: `policy` (fail, quarantine, warn) on a rule, a column or the schema object,
   `quarantinedMax`, `ignored` and `elements` on the schema object, `scope` (batch, table) on a table rule; `added` and
   `widened` on a column, and `suggested` on a rule, say what Lastro did; `source` on a server is not the plan's, nor is
   what `personal` reads.
9. A `classification` that does not say that everyone may know the values (public, open, internal, none, 1) withholds
   them from statistics; a column that Lastro added has none until a person gives it one, and is withheld, too. In a
   contract that has a class of personal values, or a subject, so is every column without a `classification`, unless
   a person said that its class is feature or none: confirmed it, or wrote it without evidence.
10. A column whose protection is `drop` is none: it is not read, and its rules are not held; this is noted. What is
    protected otherwise is withheld from statistics.
11. A required column whose rule only warns stays nullable.
12. What is kept but not executed (other engines' rules, text rules, constraints within objects) is noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lastro.contract.context import Context
from lastro.contract.document import Node, Path, path_text, shown
from lastro.contract.formats import strptime_format
from lastro.contract.metrics import quality_rules
from lastro.contract.naming import distinct, snake
from lastro.contract.personal import OF_COLUMN, OF_DATASET, personal
from lastro.contract.policy import (
    ADDED,
    ELEMENTS,
    SOURCE,
    WIDENED,
    check_elements,
    check_own,
    ignored_columns,
    own_policy,
    own_property,
    quarantined_max,
)
from lastro.contract.relationships import relationship_rules
from lastro.contract.rules import built_in
from lastro.contract.types import COLUMNS_MAX, check_distinct, check_name, column_type, default_zone, option
from lastro.model.errors import NameRefused
from lastro.model.finding import Policy
from lastro.model.personal import OF_PERSONS, Method, Personal
from lastro.model.plan import ColumnPlan, Duplicates, NotNull, Operator, Plan, RowRule, TableRule, Threshold
from lastro.model.reference import check_name as check_dataset
from lastro.model.schema import Decimal, Primitive
from lastro.model.text import _

_OPEN = frozenset({"", "public", "open", "internal", "none", "1", "publico", "público", "interno"})

_CONSTRAINTS = ("required", "unique", "enum", "quality", "transformLogic", "primaryKey")
_LIMITS = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"),
        *("minLength", "maxLength", "minItems", "maxItems"),
    }
)

RESERVED = ("malformed", "primary_key", "schema_change", "erased")
"""Names under which an engine refuses rows on its own account."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan and what the contract says beyond it: the places of what is kept, but not executed."""

    plan: Plan
    notes: tuple[str, ...]
    personal: Personal = field(default_factory=Personal)


@dataclass(slots=True)
class _Work:
    """A plan under construction."""

    node: Node
    policy: Policy | None
    columns: dict[str, ColumnPlan] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    rows: list[RowRule] = field(default_factory=list)
    tables: list[TableRule] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=lambda: set(RESERVED))

    def note(self, path: Path, what: str) -> None:
        self.notes.append(f"{path_text(path)}: {what}")

    def add(self, rule: RowRule | TableRule) -> None:
        name = distinct(rule.name, self.names)
        self.names.add(name)
        if isinstance(rule, RowRule):
            self.rows.append(replace(rule, name=name))
        else:
            self.tables.append(replace(rule, name=name))


def compile_plan(root: Node, digest: str, *, dataset: str | None = None) -> Compiled | None:
    """The plan of a document, whose digest it carries. What is wrong is noted; None if there is no dataset at all."""
    node = _select(root, dataset)
    if node is None:
        return None
    for server in root.sound("servers"):
        check_own(server, (SOURCE,))
    check_own(node, ("policy", "quarantinedMax", "ignored", ELEMENTS, *OF_DATASET))
    check_elements(node)
    work = _Work(node, own_policy(node))
    _add_columns(work)
    key = _primary_key(work)
    for name, column in work.columns.items():
        _add_rules(work, work.nodes[name], column)
    context = Context(work.columns, None, work.policy, lambda what: work.note((*node.path, "quality"), what))
    for rule in (*quality_rules(node, context), *_related(work, node, None)):
        work.add(rule)
    limit = quarantined_max(node)
    said = personal(node, work.nodes, work.columns, key)
    protected = {each.column: each.method for each in said.protections}
    dropped = frozenset(name for name, method in protected.items() if method is Method.DROP)
    columns = tuple(column for column in work.columns.values() if column.name not in dropped)
    plan = Plan(
        dataset=str(node.data["name"]),
        contract_digest=digest,
        columns=columns,
        row_rules=tuple(rule for rule in work.rows if rule.column not in dropped),
        table_rules=tuple(rule for rule in work.tables if rule.column not in dropped),
        primary_key=key,
        quarantined_max=limit,
        ignored=ignored_columns(node) | {work.columns[name].source for name in dropped},
        withheld=frozenset(
            name
            for name, column in work.nodes.items()
            if name not in dropped and (name in protected or _is_withheld(column, name, said))
        ),
    )
    for name in sorted(dropped):
        work.note(work.nodes[name].path, _("the column is dropped: it is not read, and no rule is held to it"))
    if not columns and not node.problems.found:
        node.child("properties").refuse(_("every column is dropped"), _("keep one"))
    return Compiled(plan, tuple(work.notes), said)


def _select(root: Node, dataset: str | None) -> Node | None:
    """The schema object to compile, or None if there is none or too many."""
    schema = root.child("schema")
    objects = [schema.child(index) for index in range(len(schema.data if isinstance(schema.data, list) else []))]
    objects = [node for node in objects if isinstance(node.data, dict) and isinstance(node.data.get("name"), str)]
    if dataset is not None:
        objects = [node for node in objects if node.data["name"] == dataset]
    if not objects and not schema.problems.within(schema.path):
        name = shown(dataset or "loans")
        do = _("add `schema:` with one object, `name: {name}` and its `properties`").format(name=name)
        schema.refuse(_("the contract has no schema object") if dataset is None else _("no such schema object"), do)
    if len(objects) > 1:
        objects[1].refuse(_("the contract has several schema objects"), _("keep one in a file, or say which"))
    if len(objects) != 1:
        return None
    _check_dataset(objects[0])
    return objects[0]


def _check_dataset(node: Node) -> None:
    name = str(node.data["name"])
    try:
        check_dataset(name)
    except NameRefused as error:
        do = _("name it {name}; physicalName keeps the other").format(name=snake(name) or "loans")
        node.child("name").refuse(error.what, do)


def _add_columns(work: _Work) -> None:
    properties = work.node.child("properties")
    count = len(properties.data) if isinstance(properties.data, list) else 0
    if count > COLUMNS_MAX:
        what = _("{n} columns are more than {max}").format(n=count, max=COLUMNS_MAX)
        properties.refuse(what, _("split the dataset, or keep what is wide in one map column"))
        return
    nodes = list(work.node.sound("properties"))
    check_distinct(nodes)
    for node in nodes:
        if node.data.get("semanticType") == "measure":
            work.note(node.path, _("a measure is no column"))
        elif (column := _column(work, node)) is not None:
            work.columns[column.name] = column
            work.nodes[column.name] = node
    if not work.columns and not work.node.problems.found:
        properties.refuse(_("the dataset has no column"), _("add `properties:` with a name and a logicalType for each"))


def _column(work: _Work, node: Node) -> ColumnPlan | None:
    check_own(node, ("policy", ADDED, WIDENED, *OF_COLUMN))
    name, kind, form = check_name(node), column_type(node), strptime_format(node)
    if name is None or kind is None:
        return None
    expression = str(node.data.get("transformLogic") or "").strip() or None
    required = bool(node.data.get("required") or node.data.get("primaryKey"))
    _note_unexecuted(work, node)
    return ColumnPlan(
        name=name,
        source=node.data.get("physicalName", name),
        type=kind,
        expression=expression,
        format=form,
        nullable=not required,
        is_time=node.data["logicalType"] == "time",
        zone=default_zone(node) if kind is Primitive.TIMESTAMP else None,
    )


def _is_withheld(node: Node, name: str, said: Personal) -> bool:
    if not node.data.get("classification"):
        found = said.of(name)
        if said.classes or said.subject is not None:
            return found is None or found.of in OF_PERSONS or not found.is_settled
        return own_property(node, ADDED) is not None  # nobody has said yet who may know its values
    return withholds(str(node.data["classification"]))


def withholds(classification: str) -> bool:
    """True unless the classification says that everyone may know the values (rule 9)."""
    return classification.strip().lower() not in _OPEN


def _note_unexecuted(work: _Work, node: Node) -> None:
    if node.data.get("partitioned"):
        work.note(node.path, _("partitions are not made"))
    for key in ("uniqueItems", "minProperties", "maxProperties", "required"):
        if option(node, key):
            work.note((*node.path, "logicalTypeOptions", key), _("kept, not checked"))
    for inner in _inner(node):
        limits = _LIMITS & (inner.data.get("logicalTypeOptions") or {}).keys()
        for key in (*_CONSTRAINTS, *sorted(limits)):
            if key in limits or inner.data.get(key):
                work.note((*inner.path, key), _("kept, not checked within an object or list"))


def _inner(node: Node) -> Iterator[Node]:
    """The elements within a column, at any depth."""
    children = [*node.sound("properties"), node.child("items")]
    children += [node.child("map").child(part) for part in ("key", "value")]
    for child in children:
        if isinstance(child.data, dict):
            yield child
            yield from _inner(child)


def _primary_key(work: _Work) -> tuple[str, ...]:
    placed: list[tuple[float, int, str]] = []
    for order, (name, node) in enumerate(work.nodes.items()):
        if not node.data.get("primaryKey"):
            continue
        if not isinstance(work.columns[name].type, Primitive | Decimal):
            node.child("primaryKey").refuse(_("a list or object cannot be a key"), _("remove `primaryKey` here"))
        position = node.data.get("primaryKeyPosition", -1)
        placed.append((position if position > 0 else float("inf"), order, name))
        if position > 0 and [other for other, _order, _name in placed].count(position) > 1:
            what = _("two columns have the position {n} in the primary key").format(n=position)
            node.child("primaryKeyPosition").refuse(what, _("number them 1, 2, 3, …"))
    return tuple(name for _position, _order, name in sorted(placed))


def _add_rules(work: _Work, node: Node, column: ColumnPlan) -> None:
    stated = own_policy(node)
    policy = stated or work.policy or Policy.QUARANTINE
    for kind, condition in built_in(node, column):
        work.add(RowRule(f"{column.name}.{kind}", condition, policy, column=column.name))
        if isinstance(condition, NotNull) and policy is Policy.WARN:
            work.columns[column.name] = replace(column, nullable=True)
    if node.data.get("unique"):
        table_policy = Policy.WARN if policy is Policy.WARN else Policy.FAIL
        none = Threshold(Operator.MUST_BE, (0.0,))
        work.add(TableRule(f"{column.name}.unique", Duplicates((column.name,)), none, table_policy, column=column.name))
    context = Context(work.columns, column, work.policy, lambda what: work.note((*node.path, "quality"), what))
    for rule in (*quality_rules(node, context), *_related(work, node, column)):
        work.add(rule)


def _related(work: _Work, node: Node, column: ColumnPlan | None) -> Iterator[TableRule]:
    context = Context(work.columns, column, work.policy, lambda what: work.note((*node.path, "relationships"), what))
    yield from relationship_rules(node, context, str(work.node.data["name"]))

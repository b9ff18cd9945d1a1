"""Examples: what somebody should get, written beside the policies, and whether it is so.

Rules:

1. `policies/*.test.yaml` holds `tests:`, a list. Each names a `principal`, a `dataset` and the `columns` it is about
   with what is expected: `allow`, `deny`, `mask`, or `mask last2`.
2. `roles` stand in for those of `lastro.yaml`, `purpose` and `action` (`read` if not said) complete the question, and
   `name` says what the example is for.
3. `refused: true`, in place of columns, expects that the contract gives no basis for the purpose.
4. `rows` names conditions; what is expected is that exactly these rows are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lastro.contract.document import Node, nearest, read, shown
from lastro.model.access import Access, Act, ColumnAccess, Principal, Reach
from lastro.model.text import _

KEYS = ("name", "principal", "roles", "purpose", "action", "dataset", "columns", "rows", "refused")
EXPECTED = ("allow", "deny", "mask")
_WORDS = {Reach.CLEAR: "allow", Reach.DENIED: "deny", Reach.MASKED: "mask"}


@dataclass(frozen=True, slots=True)
class Example:
    """One example. `roles` is None where those of `lastro.yaml` are meant, `rows` where they do not matter."""

    file: str
    name: str
    principal: str
    dataset: str
    act: Act = Act.READ
    roles: tuple[str, ...] | None = None
    purpose: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: frozenset[str] | None = None
    refused: bool = False

    def who(self, known: Principal) -> Principal:
        """Whoever is asked about, whose roles in `lastro.yaml` are known."""
        return known if self.roles is None else Principal(self.principal, self.roles)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an example came to: what it missed, nothing if it holds."""

    example: Example
    missed: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True if everything is as expected."""
        return not self.missed


def examples(text: str, *, name: str) -> tuple[Example, ...]:
    """The examples of a file. Raises `ContractError` that names the line of every mistake."""
    values, problems = read(text, name=name)
    top = Node(values, (), problems)
    _known(top, ("tests",))
    tests = top.child("tests")
    if not isinstance(tests.data, list):
        tests.refuse(_("the examples are no list"), _("write `tests:` and a list of examples below it"))
        problems.refuse()
    found = tuple(
        example
        for index, each in enumerate(tests.data)
        if (example := _example(name, index + 1, each, tests.child(index))) is not None
    )
    problems.refuse()
    return found


def judged(example: Example, access: Access | None) -> Outcome:
    """What an example came to; `access` is None if there is no basis for the purpose."""
    if access is None or example.refused:
        expected = access is None and example.refused
        refused, read_ = _("there is no basis for the purpose"), _("the purpose has a basis, or needs none")
        return Outcome(example, () if expected else (refused if access is None else read_,))
    return Outcome(example, tuple(_missed(example, access)))


def told(column: ColumnAccess) -> str:
    """What a column's reach is in the words of an example."""
    word = _WORDS[column.reach]
    return f"{word} {column.mask}" if column.mask is not None else word


def _missed(example: Example, access: Access) -> Iterator[str]:
    by_name = {each.column: each for each in access.columns}
    for name, expected in example.columns.items():
        column = by_name.get(name)
        if column is None:
            yield _("there is no column {name}").format(name=name)
        elif expected not in {told(column), told(column).split(" ", 1)[0]}:
            yield _("{column}: expected {expected}, found {found} ({why})").format(
                column=name, expected=expected, found=told(column), why=column.why
            )
        elif example.rows is not None and example.rows != set(column.rows):
            yield _("{column}: other rows, {rows}").format(column=name, rows=" / ".join(column.rows) or _("all"))


def _example(file: str, place: int, said: object, node: Node) -> Example | None:
    if not isinstance(said, dict) or not _known(node, KEYS):
        if not isinstance(said, dict):
            node.refuse(_("an example is keys and values"), _("write `- principal: ana`, and more keys below it"))
        return None
    texts = {key: _text(node, key) for key in ("principal", "dataset")}
    columns = _columns(node.child("columns"))
    refused = said.get("refused", False)
    if refused is not True and not columns:
        node.refuse(_("an example expects nothing"), _("write `columns: {income: allow, cpf: deny}`"))
    act = said.get("action", Act.READ.value)
    if act not in tuple(Act):
        node.child("action").refuse(
            _("{action!r} is no action").format(action=shown(act)), _("use one of {keys}").format(keys=", ".join(Act))
        )
        return None
    if node.problems.within(node.path):
        return None
    return Example(
        file,
        str(said.get("name") or place),
        texts["principal"],
        texts["dataset"],
        Act(act),
        _names(node.child("roles")),
        str(said.get("purpose") or ""),
        columns,
        None if "rows" not in said else frozenset(_names(node.child("rows")) or ()),
        refused is True,
    )


def _text(node: Node, key: str) -> str:
    value = node.child(key).data
    if not (isinstance(value, str) and value.strip()):
        node.child(key).refuse(_("{key} is missing").format(key=key), _("write {key}: NAME").format(key=key))
        return ""
    return value.strip()


def _names(node: Node) -> tuple[str, ...] | None:
    if node.data is None:
        return None
    names: Sequence[object] = node.data if isinstance(node.data, list) else [node.data]
    if not all(isinstance(each, str) for each in names):
        node.refuse(_("a list of names belongs here"), _("write [NAME, NAME]"))
        return None
    return tuple(str(each) for each in names)


def _columns(node: Node) -> dict[str, str]:
    if node.data is None:
        return {}
    said = node.data if isinstance(node.data, dict) else {}
    if not said or not all(isinstance(each, str) and each.split(" ")[0] in EXPECTED for each in said.values()):
        node.refuse(
            _("the columns do not say what is expected of each"),
            _("use one of {keys}").format(keys=", ".join(EXPECTED)),
        )
        return {}
    return {str(name): str(each) for name, each in said.items()}


def _known(node: Node, keys: tuple[str, ...]) -> bool:
    for key in (key for key in node.data if key not in keys):
        meant = nearest(str(key), list(keys))
        do = _("did you mean {key}?").format(key=meant) if meant else _("use one of {keys}")
        node.child(key).refuse(
            _("the key {key} is unknown here").format(key=shown(key)), do.format(keys=", ".join(keys))
        )
    return not node.problems.within(node.path)

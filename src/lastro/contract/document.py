"""YAML documents: plain values, the line of every key, and every problem that was found.

Rules:

1. The text is kept as it came; what is unchanged is written back byte for byte.
2. At most 1 MiB, UTF-8, at most 64 levels; no anchors, aliases, merge keys, tags, duplicate keys or second document.
3. YAML 1.2: `yes` and `no` are text. A plain date is text too, since JSON Schema knows no dates.
4. The text is read as a stream of events, so that nothing hostile is built before it is refused.
5. Problems are collected, not raised one by one; each names line, key and repair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NoReturn

from lastro.model.errors import ContractError
from lastro.model.text import _

SIZE_MAX = 1 << 20
DEPTH_MAX = 64
DIGITS_MAX = 100
LISTED_MAX = 20

Path = tuple[str | int, ...]
"""Where a value stands in the document: keys and list positions, from the root."""

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_INTEGER = re.compile(r"([-+]?)(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: the key it is about, what it is, and the repair."""

    path: Path
    what: str
    do: str
    line: int | None = None


@dataclass(slots=True)
class Problems:
    """Everything found wrong in one document so far. `lines` maps each key to its line, counted from 1."""

    name: str
    lines: dict[Path, int] = field(default_factory=dict)
    found: list[Problem] = field(default_factory=list)

    def add(self, path: Path, what: str, do: str, *, line: int | None = None) -> None:
        """Notes one problem."""
        self.found.append(Problem(path, what, do, line))

    def within(self, path: Path) -> bool:
        """True if something at or below this key is wrong already."""
        return any(problem.path[: len(path)] == path for problem in self.found)

    def line(self, path: Path) -> int:
        """The line of a key, else of the nearest key above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def refuse(self) -> None:
        """Raises one `ContractError` with all that was found, in the document's order; returns if nothing was."""
        if not self.found:
            return
        ordered = sorted(dict.fromkeys(self.found), key=self._line_of)
        first, rest = ordered[0], ordered[1:]
        what = first.what
        if rest:
            what = _("{n} errors in the contract, the first: {what}").format(n=len(ordered), what=first.what)
        shown = [
            _("{where} – {what}; {do}").format(where=self._where(problem), what=problem.what, do=problem.do)
            for problem in rest[:LISTED_MAX]
        ]
        if len(rest) > LISTED_MAX:
            shown.append(_("… and {n} more").format(n=len(rest) - LISTED_MAX))
        raise ContractError(what, where="\n         ".join([self._where(first), *shown]), do=first.do)

    def _line_of(self, problem: Problem) -> int:
        return problem.line or self.line(problem.path)

    def _where(self, problem: Problem) -> str:
        place = f"{self.name}:{self._line_of(problem)}"
        return f"{place}: {path_text(problem.path)}" if problem.path else place


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document together with its place, so that whoever reads it can say what is wrong with it."""

    data: Any  # Any: a JSON value
    path: Path
    problems: Problems

    def child(self, key: str | int) -> Node:
        """The value under a key or list position; its data is None where there is none."""
        if isinstance(key, int):
            return Node(self.data[key], (*self.path, key), self.problems)
        return Node(self.data.get(key) if isinstance(self.data, dict) else None, (*self.path, key), self.problems)

    def sound(self, key: str) -> Iterator[Node]:
        """The objects of the list under a key, without those in which something is wrong already."""
        items = self.child(key)
        for index, item in enumerate(items.data if isinstance(items.data, list) else ()):
            if isinstance(item, dict) and not self.problems.within((*items.path, index)):
                yield items.child(index)

    def refuse(self, what: str, do: str) -> None:
        """Notes a problem at this place."""
        self.problems.add(self.path, what, do)


def path_text(path: Path) -> str:
    """The path as a person reads it: `schema[0].properties[3].enum`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in path)
    return text.removeprefix(".")


def shown(value: object) -> str:
    """A value of the contract as it may stand in a message: short, and on one line."""
    text = str(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text[:60])
    return text + ("…" if len(str(value)) > 60 else "")


def nearest(word: str, known: Iterator[str] | list[str]) -> str | None:
    """The known word that was most likely meant."""
    words = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    return words[found[0]] if found else None


def decode(content: bytes, *, name: str) -> str:
    """The text of a contract file. Raises `ContractError` if it is too large or not UTF-8."""
    _check_size(len(content), name)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _refuse_line(name, line, _("the file is not UTF-8 text"), _("save it with the encoding UTF-8"), error)


def read(text: str, *, name: str) -> tuple[dict[str, Any], Problems]:  # Any: JSON values
    """The document's values and the line of each key; `name` is the file named in errors. Raises `ContractError`."""
    _check_text(text, name)
    problems = Problems(name)
    builder = _Builder(problems)
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        for event in yaml.parse(text):
            builder.take(event, yaml.resolver)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse_syntax(name, mark.line + 1 if mark else 1, error.problem or "", error)
    except YAMLError as error:
        _refuse_syntax(name, 1, "", error)
    problems.refuse()
    if not isinstance(builder.root, dict):
        _refuse_line(name, 1, _("a contract is a mapping of keys to values"), _("start with `version: 1.0.0`"), None)
    return builder.root, problems


class _Builder:
    """Builds plain values from YAML events; the stack holds one frame for each open mapping or list."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.root: Any = None  # Any: a JSON value
        self.documents = 0
        self.stack: list[_Frame] = []
        self.placed: Path = ()

    def take(self, event: Any, resolver: Any) -> None:  # Any: ruamel.yaml's events and resolver have no types
        """One event of the stream."""
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind == "DocumentStartEvent":
            self.documents += 1
            if event.version is not None:
                self._stop((), line, _("a YAML directive stands here"), _("remove it; contracts are YAML 1.2"))
            if self.documents > 1:
                self._stop((), line, _("a second document begins here"), _("keep one contract in a file"))
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._refuse_reference(event, line)
            self._open({} if kind == "MappingStartEvent" else [], line)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self.stack.pop()
        elif kind == "ScalarEvent":
            self._refuse_reference(event, line)
            self._put(self._scalar(event, resolver, line), line)
        elif kind == "AliasEvent":
            self._refuse_alias(line)
            self._put(None, line)

    def _path(self) -> Path:
        return self.stack[-1].place() if self.stack else ()

    def _stop(self, path: Path, line: int, what: str, do: str) -> None:
        self.problems.add(path, what, do, line=line)
        self.problems.refuse()

    def _refuse_alias(self, line: int) -> None:
        self.problems.add(
            self._path(), _("aliases are not allowed in a contract"), _("write the value out here"), line=line
        )

    def _refuse_reference(self, event: Any, line: int) -> None:  # Any: ruamel.yaml's events have no types
        if event.anchor:
            do = _("remove `&{anchor}` and write out each value where it is used").format(anchor=shown(event.anchor))
            self.problems.add(self._path(), _("anchors are not allowed in a contract"), do, line=line)
        tag = str(event.tag or "")
        if tag not in ("", "!"):
            what = _("tags such as {tag} are not allowed in a contract").format(tag=shown(tag))
            self.problems.add(self._path(), what, _("remove the tag; quote the value to make it text"), line=line)

    def _open(self, container: Any, line: int) -> None:  # Any: a dict or list under construction
        if len(self.stack) >= DEPTH_MAX:
            what = _("the document is nested deeper than {n} levels").format(n=DEPTH_MAX)
            self._stop((), line, what, _("flatten it; no contract needs that depth"))
        self._put(container, line)
        self.stack.append(_Frame(container, self.placed))

    def _scalar(self, event: Any, resolver: Any, line: int) -> Any:  # Any: untyped events; a JSON scalar
        from ruamel.yaml.nodes import ScalarNode

        if not event.implicit[0]:
            return event.value
        tag = str(resolver.resolve(ScalarNode, event.value, event.implicit)).rpartition(":")[2]
        try:
            return _plain(tag, event.value)
        except ValueError:
            what = _("{value} is not a number that can be kept").format(value=shown(event.value))
            self.problems.add(self._path(), what, _("write a finite number, or quote it as text"), line=line)
            return None

    def _put(self, value: Any, line: int) -> None:  # Any: a JSON value
        if not self.stack:
            self.root, self.placed = value, ()
            return
        frame = self.stack[-1]
        if isinstance(frame.container, list):
            self.placed = frame.place()
            frame.container.append(value)
            self.problems.lines[self.placed] = line
        elif frame.key is None:
            self._key(frame, value, line)
        else:
            self.placed = frame.place()
            frame.container[frame.key] = value
            frame.key = None

    def _key(self, frame: _Frame, value: Any, line: int) -> None:  # Any: a JSON value
        if not isinstance(value, str):
            self._stop(frame.path, line, _("a key must be text"), _("quote the key, or write `key: value`"))
        if value in frame.container:
            what = _("the key {key} stands here a second time").format(key=shown(value))
            self.problems.add((*frame.path, value), what, _("keep one of the two"), line=line)
        if value == "<<":
            self.problems.add(
                frame.path, _("merge keys are not allowed in a contract"), _("write the keys out here"), line=line
            )
        frame.key = value
        self.problems.lines.setdefault((*frame.path, value), line)


@dataclass(slots=True)
class _Frame:
    """A mapping or list under construction; `key` is the key whose value comes next."""

    container: Any  # Any: a dict or a list of JSON values
    path: Path
    key: str | None = None

    def place(self) -> Path:
        if isinstance(self.container, list):
            return (*self.path, len(self.container))
        return self.path if self.key is None else (*self.path, self.key)


def _plain(tag: str, text: str) -> str | int | float | bool | None:
    match tag:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return _integer(text)
        case "float":
            return _number(text)
        case _:
            return text


def _integer(text: str) -> int:
    found = _INTEGER.fullmatch(text)
    if found is None or len(text) > DIGITS_MAX:
        raise ValueError(text)
    body = found[2].replace("_", "")
    base = {"0b": 2, "0o": 8, "0x": 16}.get(body[:2], 10)
    return int(found[1] + (body if base == 10 else body[2:]), base)


def _number(text: str) -> float:
    value = float(text.replace("_", ""))
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


def _check_size(size: int, name: str) -> None:
    if size > SIZE_MAX:
        what = _("the contract is larger than {n} bytes").format(n=SIZE_MAX)
        _refuse_line(name, 1, what, _("a contract describes one dataset; move the rest elsewhere"), None)


def _check_text(text: str, name: str) -> None:
    try:
        _check_size(len(text.encode("utf-8")), name)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        _refuse_line(name, line, _("the text holds half a character"), _("save it with the encoding UTF-8"), error)
    if not text.strip("\ufeff \t\r\n"):
        _refuse_line(name, 1, _("the contract is empty"), _("write one, or let `lastro add` guess it"), None)
    if found := _NOT_TEXT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        what = _("the contract holds the control character U+{code:04X}").format(code=ord(found[0]))
        _refuse_line(name, line, what, _("remove it; a contract is plain text"), None)


def _refuse_syntax(name: str, line: int, problem: str, error: Exception) -> NoReturn:
    if "\\t" in problem or "tab" in problem.lower():
        _refuse_line(name, line, _("a tab stands where spaces must"), _("indent with spaces"), error)
    what = _("this is not YAML: {problem}").format(problem=shown(problem or type(error).__name__))
    _refuse_line(name, line, what, _("check indentation, quotes and colons in and above this line"), error)


def _refuse_line(name: str, line: int, what: str, do: str, cause: Exception | None) -> NoReturn:
    raise ContractError(what, where=f"{name}:{line}", do=do) from cause

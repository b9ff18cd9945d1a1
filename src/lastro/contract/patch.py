"""Texts of contracts changed in place: only the lines that must change do.

Rules:

1. The old and the new document are compared from the top; only what differs is touched.
2. In a block, values are replaced where they stand, keys and list items are put in after the last one, keys that go
   take their lines with them.
3. What cannot be changed so – a mapping on one line, an item that becomes another – is refused with `ContractError`.
   `rewritten` then writes the whole text with a YAML writer that keeps comments, order and quotes.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

from lastro.contract.scalar import scalar
from lastro.model.errors import ContractError
from lastro.model.text import _

_PLAIN = re.compile(r"[A-Za-z][\w().,-]*|\d+\.\d+\.\d+", re.ASCII)
Node = Any  # Any: a node of ruamel.yaml, which has no types
Value = Any  # Any: a JSON value


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """The text between two places becomes another."""

    start: int
    end: int
    text: str


def patched(text: str, document: Value) -> str:
    """The text changed so that it says what the document says. Raises `ContractError` where that cannot be done."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    edits = sorted(_Patch(text).mapping(yaml.compose(text), yaml.load(text), document), reverse=True)
    for edit in edits:
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def rewritten(text: str, document: Value) -> str:
    """The text written anew with what the document says; comments, order and quotes stay."""
    from ruamel.yaml import YAML
    from ruamel.yaml.util import load_yaml_guess_indent

    yaml = YAML(typ="rt", pure=True)
    _data, indent, offset = load_yaml_guess_indent(text)
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=indent or 2, offset=offset or 0)
    loaded = yaml.load(text)
    _merge(loaded, document)
    stream = StringIO()
    yaml.dump(loaded, stream)
    return stream.getvalue()


def _merge(old: Value, new: Value) -> None:
    """Makes `old`, with its comments, say what `new` says."""
    if isinstance(new, dict):
        for key in [key for key in old if key not in new]:
            del old[key]
        for key, value in new.items():
            _put(old, key, value, is_there=key in old)
    else:
        del old[len(new) :]
        for index, value in enumerate(new):
            if index < len(old):
                _put(old, index, value, is_there=True)
            else:
                old.append(copy.deepcopy(value))


def _put(parent: Value, key: str | int, value: Value, *, is_there: bool) -> None:
    same_kind = is_there and isinstance(value, dict | list) and isinstance(parent[key], type(value))
    if same_kind:
        _merge(parent[key], value)
    elif not is_there or parent[key] != value:
        parent[key] = copy.deepcopy(value)


class _Patch:
    """The edits of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.line_end = "\r\n" if "\r\n" in text else "\n"

    def mapping(self, node: Node, old: Value, new: Value) -> Iterator[Edit]:
        if old == new:
            return
        if node.flow_style:
            raise _inline(node)
        by_key = {key.value: (key, value) for key, value in node.value}
        for key, (key_node, value_node) in by_key.items():
            if key not in new:
                yield self._without(node, key_node, value_node)
            elif old[key] != new[key]:
                yield from self._value(value_node, old[key], new[key])
        fresh = {key: value for key, value in new.items() if key not in by_key}
        if fresh:
            last = [value for key, (_key, value) in by_key.items() if key in new][-1]
            lines = block(fresh, node.value[0][0].start_mark.column)
            yield self._after(last, lines)

    def _value(self, node: Node, old: Value, new: Value) -> Iterator[Edit]:
        match old, new:
            case dict(), dict():
                yield from self.mapping(node, old, new)
            case list(), list():
                yield from self._items(node, old, new)
            case (dict() | list(), _) | (_, dict() | list()):
                raise _inline(node)
            case _ if node.style in ("|", ">"):
                raise _inline(node)
            case _:
                yield Edit(node.start_mark.index, node.end_mark.index, _like(node, new))

    def _items(self, node: Node, old: Value, new: Value) -> Iterator[Edit]:
        if old == new:
            return
        if node.flow_style or len(new) < len(old) or not old:
            raise _inline(node)
        for each, before, after in zip(node.value, old, new, strict=False):
            if before != after:
                yield from self._value(each, before, after)
        if len(new) > len(old):
            column = node.start_mark.column
            lines = [line for item in new[len(old) :] for line in block([item], column)]
            yield self._after(node.value[-1], lines, column=column)

    def _after(self, node: Node, lines: list[str], *, column: int | None = None) -> Edit:
        """Lines put in after the line on which a value ends, and after the comments beyond a column, which are its."""
        end = self._end(node)
        stop = self.text.find("\n", end)
        if column is not None and (found := re.compile(rf"(?:\r?\n {{{column + 1},}}#[^\n]*)+").match(self.text, stop)):
            stop = self.text.find("\n", found.end())
        place = len(self.text) if stop < 0 else stop + 1
        start = "" if stop >= 0 or not self.text or self.text.endswith("\n") else self.line_end
        return Edit(place, place, start + "".join(line + self.line_end for line in lines))

    def _without(self, node: Node, key: Node, value: Node) -> Edit:
        start = self.text.rfind("\n", 0, key.start_mark.index) + 1
        if self.text[start : key.start_mark.index].strip():
            raise _inline(node)  # the first key of a list's item: the dash stands on its line
        stop = self.text.find("\n", self._end(value))
        return Edit(start, len(self.text) if stop < 0 else stop + 1, "")

    def _end(self, node: Node) -> int:
        """Where the last letter of a value is; a block's own end lies behind the blank lines and comments after it."""
        if not isinstance(node.value, str):
            last = node.value[-1] if node.value else None
            if last is not None and not node.flow_style:
                return self._end(last[1] if isinstance(last, tuple) else last)
            return int(node.end_mark.index) - 1
        if node.style in ("|", ">"):
            return len(self.text[: node.end_mark.index].rstrip()) - 1
        return max(int(node.start_mark.index), int(node.end_mark.index) - 1)


def block(value: Value, column: int) -> list[str]:
    """A mapping's keys, or a list's items, as lines that begin at a column."""
    pad = " " * column
    lines: list[str] = []
    if isinstance(value, list):
        for item in value:
            inner = (
                block(item, column + 2) if isinstance(item, dict | list) and item else [pad + "  " + _inline_text(item)]
            )
            lines += [pad + "- " + inner[0][column + 2 :], *inner[1:]]
        return lines
    for key, item in value.items():
        if isinstance(item, dict | list) and item:
            lines += [f"{pad}{scalar(key)}:", *block(item, column + 2)]
        else:
            lines.append(f"{pad}{scalar(key)}: {_inline_text(item)}")
    return lines


def _inline_text(value: Value) -> str:
    if isinstance(value, str):
        return scalar(value)
    return json.dumps(value, ensure_ascii=False)


def _like(node: Node, value: Value) -> str:
    """A new scalar in the quotes of the old one."""
    if not isinstance(value, str):
        return json.dumps(value)
    if node.style in ("'", '"') and re.fullmatch(r"[\w.(), -]+", value, re.ASCII):
        return f"{node.style}{value}{node.style}"
    return value if node.style is None and _PLAIN.fullmatch(value) else scalar(value)


def _inline(node: Node) -> ContractError:
    return ContractError(
        _("the contract cannot be changed in place"),
        where=str(node.start_mark.line + 1),
        do=_("write each key on a line of its own"),
    )

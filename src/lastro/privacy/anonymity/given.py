"""Hierarchies that a person gives: a file of rows, or a mapping.

Rules:

1. A row is a value, then what it becomes at each level: `São Paulo;Sudeste;Brasil`. There is no header. All rows are as
   long as the first; `*` is added where the last level is not one label.
2. A label of one level stands for one label of the next, wherever it stands. Else groups would not lie within groups.
3. A label that stands at two levels is the same branch there (`DF;DF;Centro-Oeste`). `a;b` and `b;a` would be a circle.
4. A value may stand twice if it says the same both times.
5. A value of the column that the file does not have is one of the group `*` above level 0; the rest is as it would be
   without it. A file that has no value at all of the column is another column's.
6. No error quotes a label or a value: lines and counts only.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lastro.model.errors import ConfigurationError, SourceUnreachable
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.privacy.anonymity.hierarchy import ALL, Hierarchy, Step, hierarchy
from lastro.privacy.anonymity.values import Values

BYTES_MAX = 256 << 20
LEVELS_MAX = 24
Given = Mapping[str, tuple[str, ...]]
"""Of each value its label at every level above 0; all of one length."""


def read(path: Path) -> Given:
    """A hierarchy's file. Raises `SourceUnreachable`, `ConfigurationError`."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise _wrong(str(path), _("a hierarchy's file is larger than 256 MiB"))
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SourceUnreachable(
            _("the hierarchy cannot be read: {reason}").format(reason=reason_of(error)),
            where=str(path),
            do=_("check the path"),
        ) from error
    except UnicodeDecodeError as error:
        raise _wrong(str(path), _("the file is no UTF-8 text")) from error
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    try:
        rows = [tuple(cell.strip() for cell in row) for row in csv.reader(text.splitlines(), delimiter=delimiter)]
    except csv.Error as error:
        raise _wrong(str(path), _("the file is no table of text")) from error
    return checked(rows, where=str(path))


def from_mapping(mapping: Mapping[str, str] | Mapping[str, Sequence[str]], *, where: str) -> Given:
    """A hierarchy from a mapping: of each value its labels, or of each value and label the label above it.

    Raises `ConfigurationError`.
    """
    if all(isinstance(labels, str) for labels in mapping.values()):
        parents = {str(child): str(parent) for child, parent in mapping.items()}
        above = set(parents.values())
        chains = [_chain(value, parents, where) for value in parents if value not in above]
        length = max(map(len, chains), default=0)
        return checked([(*chain, *chain[-1:] * (length - len(chain))) for chain in chains], where=where)
    return checked([(str(value), *map(str, labels)) for value, labels in mapping.items()], where=where)


def _chain(value: str, parents: Mapping[str, str], where: str) -> tuple[str, ...]:
    chain = [value]
    while (parent := parents.get(chain[-1])) is not None:
        if len(chain) > LEVELS_MAX or parent in chain:
            raise _wrong(where, _("labels lead back to themselves in a circle"))
        chain.append(parent)
    return tuple(chain)


def checked(rows: Iterable[Sequence[str]], *, where: str) -> Given:
    """The rows as a hierarchy, once they keep the rules. Raises `ConfigurationError`."""
    found: dict[str, tuple[str, ...]] = {}
    length = 0
    for line, row in enumerate(rows, 1):
        if not any(row):
            continue
        at = f"{where}:{line}"
        length = length or len(row)
        if len(row) != length or not 2 <= length <= LEVELS_MAX:
            raise _wrong(at, _("a line has another number of levels than the first, or none"))
        if not all(row):
            raise _wrong(at, _("a label is missing"))
        value, *labels = row
        if found.setdefault(value, tuple(labels)) != tuple(labels):
            raise _wrong(at, _("a value stands here again, under other labels"))
    if not found:
        raise _wrong(where, _("the hierarchy is empty"))
    _check_branches(found, where)
    return found


def _check_branches(found: Given, where: str) -> None:
    """Rules 2 and 3."""
    above: list[dict[str, str]] = [{} for _level in range(len(next(iter(found.values()))))]
    for line, (value, labels) in enumerate(found.items(), 1):
        for level, (lower, upper) in enumerate(zip((value, *labels), labels, strict=False)):
            if above[level].setdefault(lower, upper) != upper:
                raise _wrong(f"{where}:{line}", _("a label stands for two labels of the next level"))
    seen: dict[str, int] = {}
    for level, branch in enumerate((*above, {})):
        names = branch if branch else {upper for lower in above[-1:] for upper in lower.values()}
        for name in names:
            first = seen.setdefault(name, level)
            if first != level and name != ALL and _climbed(name, first, level, above) != name:
                raise _wrong(where, _("a label stands at two levels, in two branches"))


def _climbed(name: str, first: int, level: int, above: Sequence[Mapping[str, str]]) -> str:
    for each in above[first:level]:
        name = each[name]
    return name


def fitted(given: Given, values: Values, *, column: str, where: str) -> tuple[Hierarchy, int]:
    """The hierarchy of a column's values, and how many of them the file does not have. Raises `ConfigurationError`."""
    folded = {value.casefold(): labels for value, labels in given.items()}
    found = [None if text is None else given.get(text, folded.get(text.casefold())) for text in values.texts]
    absent = sum(labels is None and text is not None for labels, text in zip(found, values.texts, strict=True))
    if absent and absent == sum(text is not None for text in values.texts):
        what = _("the hierarchy has none of the values of {column}").format(column=column)
        raise ConfigurationError(what, where=where, do=_("give the file that was made for this column"))
    steps = [Step("values", values.texts)]
    for level in range(len(next(iter(given.values())))):
        labels = [
            (None if text is None else ALL) if known is None else known[level]
            for known, text in zip(found, values.texts, strict=True)
        ]
        steps.append(Step(str(level + 1), labels))
    try:
        return hierarchy("given", steps), absent
    except ValueError as error:
        raise _wrong(where, _("a label stands for two labels of the next level")) from error


def _wrong(where: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        what,
        where=where,
        do=_("write a line for each value: the value, then its label at each level, such as SP;Sudeste"),
    )

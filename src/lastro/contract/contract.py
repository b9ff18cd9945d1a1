"""Contracts: an ODCS document that was read, validated and compiled.

Rules:

1. A `Contract` exists only if nothing is wrong with its document: every error is raised when it is read.
2. `text` is the file as it came; `dump` gives it back byte for byte, or upgraded if it was of an older version.
3. `digest` covers all that the document says, after the upgrade: not its layout, comments, quotes or order of keys.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lastro.contract.document import Node, Problems, decode, read
from lastro.contract.plan import compile_plan
from lastro.contract.upgrade import upgrade
from lastro.model import digest as digests
from lastro.model.errors import ContractError
from lastro.model.personal import Personal
from lastro.model.plan import Plan
from lastro.model.system import reason_of
from lastro.model.text import _

EXACT_MAX = 1 << 53
"""Up to here a number with a point and zeros after it is the same number as without."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What was promised about one dataset.

    `version` is the contract's own, `digest` its meaning's, `changes` says what the upgrade from an older version of
    the standard changed, `notes` what is kept but not executed. `document` holds the values, upgraded.
    """

    name: str
    dataset: str
    version: str
    digest: str
    text: str = field(repr=False)
    document: dict[str, Any] = field(repr=False)  # Any: JSON values
    compiled: Plan = field(repr=False)
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    personal: Personal = field(default_factory=Personal)
    """What it says of personal values."""

    def plan(self) -> Plan:
        """What the contract asks of a batch, as pure data."""
        return self.compiled

    def dump(self) -> str:
        """The document as YAML: unchanged if nothing was upgraded, else upgraded with its comments kept."""
        return _rewritten(self.text) if self.changes else self.text


def load(path: Path, *, dataset: str | None = None) -> Contract:
    """Reads a contract from a file. Raises `ContractError`, naming file, line, key and repair.

    `dataset` selects one of several schema objects.
    """
    return parse(_text(path), name=path.name, dataset=dataset)


def load_all(path: Path) -> tuple[Contract, ...]:
    """Reads a contract from a file, once for each of its schema objects, in their order. Raises `ContractError`."""
    text = _text(path)
    document, problems = read(text, name=path.name)
    problems.refuse()
    objects = document.get("schema")
    names = [each.get("name") for each in objects if isinstance(each, dict)] if isinstance(objects, list) else []
    if len(names) < 2 or len(set(map(str, names))) < len(names):  # what is wrong with it, `parse` tells
        return (parse(text, name=path.name),)
    return tuple(parse(text, name=path.name, dataset=str(name)) for name in names)


def _text(path: Path) -> str:
    try:
        # A pipe would never answer; a link could lead out of the workspace, and errors quote what they find.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as stream:
            content = stream.read((1 << 20) + 1) if stat.S_ISREG(os.fstat(stream.fileno()).st_mode) else None
    except OSError as error:
        what = _("the contract cannot be read: {why}").format(why=reason_of(error))
        raise ContractError(what, where=str(path), do=_("check that the file exists and may be read")) from error
    if content is None:
        raise ContractError(
            _("the contract is no regular file"), where=str(path), do=_("write it to a file of its own")
        )
    return decode(content, name=path.name)


def parse(text: str, *, name: str, dataset: str | None = None) -> Contract:
    """Reads a contract from a text; `name` is the file that errors name. Raises `ContractError` with all errors."""
    from lastro.contract.validate import validate

    document, problems = read(text, name=name)
    changes = upgrade(document, problems)
    problems.refuse()
    validate(document, problems)
    digest = digests.of_value(meaning(document))
    compiled = compile_plan(Node(document, (), problems), digest, dataset=dataset)
    problems.refuse()
    if compiled is None:  # pragma: no cover - whatever left no plan was noted and refused above
        raise ContractError(_("the contract has no schema object"), where=name, do=_("add `schema:`"))
    return Contract(
        name=name,
        dataset=compiled.plan.dataset,
        version=document["version"],
        digest=digest,
        text=text,
        document=document,
        compiled=compiled.plan,
        changes=changes,
        notes=compiled.notes,
        personal=compiled.personal,
    )


def meaning(value: Any) -> Any:  # Any: JSON values
    """The value with numbers in one form, so that `1` and `1.0` mean the same."""
    match value:
        case dict():
            return {key: meaning(item) for key, item in value.items()}
        case list():
            return [meaning(item) for item in value]
        case float() if value.is_integer() and abs(value) < EXACT_MAX:
            return int(value)
        case _:
            return value


def _rewritten(text: str) -> str:
    """The upgraded text, with the comments, quotes, order and indentation it had."""
    from io import StringIO

    from ruamel.yaml import YAML
    from ruamel.yaml.util import load_yaml_guess_indent

    yaml = YAML(typ="rt", pure=True)
    _data, indent, offset = load_yaml_guess_indent(text)
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=indent or 2, offset=offset or 0)
    document = yaml.load(text)
    upgrade(document, Problems(""))
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()

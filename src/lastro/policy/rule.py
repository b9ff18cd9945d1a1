"""A rule of a policy file, and what Cedar cannot say: which values are masked, which rows are read.

Rules:

1. `@id("analysts")` names a rule; without one, it is named by its file and its place in it. Names are not given twice.
2. `@mask("cpf: last4; email: null")` belongs to a `permit`: whoever reads these columns by it alone reads them masked.
   `*` means every column. Masks are `null`, `lastN` and `firstN` characters, `year`, `month`, and `roundN`.
3. `@rows("uf = 'SP'")` belongs to a `permit`, too: an SQL condition over the dataset's columns; only rows for which it
   is true are read by it.
4. `@reason`, `@article` and `@description` are for people. Other annotations are errors: a typing mistake must never
   switch a promise off.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from lastro.model.access import Hiding, Mask
from lastro.model.errors import ConfigurationError, SqlRefused
from lastro.model.text import _

KNOWN = ("id", "mask", "rows", "reason", "article", "description")
EVERY = "*"
_MASK = re.compile(r"(null|year|month|first|last|round)([1-9][0-9]{0,5})?", re.ASCII)
_COUNTED = frozenset({Hiding.FIRST, Hiding.LAST, Hiding.ROUND})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `masks` are by the folded name of the column."""

    name: str
    file: str
    permits: bool
    masks: Mapping[str, Mask] = field(default_factory=dict)
    rows: str = ""
    reason: str = ""

    def mask(self, column: str) -> Mask | None:
        """How it hides a column's values; None if it does not."""
        return self.masks.get(folded(column)) or self.masks.get(EVERY)


def folded(name: str) -> str:
    """The name as columns are compared: without regard to capitals, or to how a letter's accent is written."""
    return unicodedata.normalize("NFC", name).casefold()


def rule(file: str, place: int, effect: str, annotations: Mapping[str, str | None]) -> Rule:
    """The rule that stands at a place of a file, from 1. Raises `ConfigurationError`."""
    name = annotations.get("id") or f"{file}:{place}"
    where = f"{file}: {name}"
    unknown = [key for key in annotations if key not in KNOWN]
    if unknown:
        raise ConfigurationError(
            _("the annotation @{name} is not known").format(name=unknown[0][:80]),
            where=where,
            do=_("use one of {keys}").format(keys=", ".join(f"@{key}" for key in KNOWN)),
        )
    permits = effect == "permit"
    if not permits and ("mask" in annotations or "rows" in annotations):
        raise ConfigurationError(
            _("a forbid forbids as a whole: it has neither masks nor rows"),
            where=where,
            do=_("put @mask and @rows on a permit"),
        )
    masks = _masks(annotations["mask"] or "", where) if "mask" in annotations else {}
    rows = _rows(annotations["rows"] or "", where) if "rows" in annotations else ""
    return Rule(name, file, permits, masks, rows, annotations.get("reason") or "")


def _masks(text: str, where: str) -> dict[str, Mask]:
    found: dict[str, Mask] = {}
    for part in text.split(";"):
        column, colon, how = part.rpartition(":")
        name, said = column.strip(), _MASK.fullmatch(how.strip())
        if not (colon and name and said) or (Hiding(said[1]) in _COUNTED) is not bool(said[2]) or folded(name) in found:
            raise ConfigurationError(
                _("@mask does not say how a column is hidden, once for each"),
                where=where,
                do=_('write @mask("cpf: last4; email: null"), with null, lastN, firstN, year, month or roundN'),
            )
        found[EVERY if name == EVERY else folded(name)] = Mask(Hiding(said[1]), int(said[2] or 0))
    return found


def _rows(text: str, where: str) -> str:
    from lastro.engine import columns_in

    try:
        columns_in(text, None, where=f"{where}: @rows")
    except SqlRefused as error:
        raise ConfigurationError(error.what, where=f"{where}: @rows", do=error.do) from error
    return text.strip()

"""What data is read for, and whether the law gives a basis for it: GDPR 5(1)(b), 6; LGPD 6 I, 7.

Rules:

1. A purpose is a short name: letters, digits, `.`, `-`, `_`, `/` and single blanks. It goes into the ledger, so that it
   may be no sentence and hold no value.
2. A dataset with a list of purposes is read for one of them only. Capitals and the way accents are written make no
   difference.
3. A dataset without a list is read for any purpose, or none; `lastro doctor` names those that hold personal values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from lastro.model.errors import NotPermitted, UsageError
from lastro.model.personal import Purpose
from lastro.model.text import _

VARIABLE = "LASTRO_PURPOSE"
"""The environment variable that names the purpose where nobody else does."""
LENGTH_MAX = 63
_NAME = re.compile(r"[^\W_](?:[\w./-]| (?! ))*")


def checked(purpose: str) -> str:
    """The purpose in one form; nothing if none is named. Raises `UsageError` if it is no name (rule 1)."""
    name = unicodedata.normalize("NFC", purpose).strip()
    if name and (len(name) > LENGTH_MAX or not _NAME.fullmatch(name)):
        raise UsageError(
            _("this is no name of a purpose"),
            do=_("use at most {n} letters, digits, dots, hyphens: credit-scoring").format(n=LENGTH_MAX),
        )
    return name


def settled(dataset: str, purposes: Sequence[Purpose] | None, purpose: str) -> Purpose | None:
    """The purpose as the list has it; None if there is no list. Raises `NotPermitted` (rule 2)."""
    if purposes is None:
        return None
    found = next((each for each in purposes if folded(each.name) == folded(purpose)), None)
    if found is not None:
        return found
    listed = ", ".join(each.name for each in purposes)
    without = _("{dataset} holds personal data, and no purpose was named: no basis, no read (GDPR art. 6, LGPD art. 7)")
    other = _("{dataset} may not be read for {purpose}: its contract gives no basis (GDPR art. 6, LGPD art. 7)")
    raise NotPermitted(
        (other if purpose else without).format(dataset=dataset, purpose=purpose),
        do=_("name one of its purposes, with --purpose or LASTRO_PURPOSE: {purposes}").format(purposes=listed)
        if listed
        else _("the datasets that it was made of share no purpose: list some in its contract"),
        state=_("nothing was read"),
    )


def folded(name: str) -> str:
    """The name as purposes are compared: without blanks around it, capitals, or a way to write accents."""
    return unicodedata.normalize("NFC", name).strip().casefold()

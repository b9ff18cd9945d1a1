"""What a contract says of access: which roles may read, and what each column of a version is to a policy.

Rules:

1. ODCS `roles` give their `access` in words; a role whose words include `read` may read the columns that are not
   restricted.
2. A column is restricted unless a person said that it is not: by the class `feature` or `none`, which nobody has to
   confirm only where no evidence says that it was proposed; or, without a class, by a classification that is open.
3. A classification that withholds values restricts a column, whatever its class.
4. Versions are judged by today's contract: a column that it does not know is not classified. Names are compared
   without regard to capitals, as engines do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from lastro.contract.contract import Contract
from lastro.contract.plan import withholds
from lastro.model.access import ColumnFacts, Resource
from lastro.model.personal import Classified, PersonalClass

READ = "read"
_OPEN = frozenset({PersonalClass.FEATURE, PersonalClass.NONE})


def resource(
    contract: Contract, names: Sequence[str], *, withheld: Iterable[str] = (), own: Iterable[str] = ()
) -> Resource:
    """What policies know of these columns of a version; `withheld` are restricted whatever the contract says, and `own`
    are columns that Lastro itself keeps beside the contract's, which tell of no person.
    """
    personal = contract.personal
    classes = {_folded(each.column): each for each in personal.classes}
    classifications = {_folded(name): text for name, text in _classifications(contract).items()}
    hidden, own = {_folded(name) for name in withheld}, frozenset(own)
    found = []
    for name in names:
        if name in own and _folded(name) not in classifications:
            found.append(ColumnFacts(name, PersonalClass.NONE, restricted=False))
            continue
        said, text = classes.get(_folded(name)), classifications.get(_folded(name), "")
        restricted = _is_restricted(said, text) or _folded(name) in hidden
        found.append(ColumnFacts(name, said.of if said else None, said.kind if said else "", text, restricted))
    return Resource(contract.dataset, tuple(found), personal.is_personal, readers(contract))


def readers(contract: Contract) -> frozenset[str]:
    """The roles that may read (rule 1)."""
    roles = contract.document.get("roles")
    return frozenset(
        str(each["role"])
        for each in (roles if isinstance(roles, list) else ())
        if isinstance(each, dict)
        and each.get("role")
        and READ in re.findall(r"[a-z]+", str(each.get("access")).lower())
    )


def _is_restricted(said: Classified | None, classification: str) -> bool:
    if withholds(classification):
        return True
    if said is None:
        return not classification.strip()
    return said.of not in _OPEN or bool(said.evidence and not said.confirmed)


def _classifications(contract: Contract) -> dict[str, str]:
    whole = next(each for each in contract.document["schema"] if each["name"] == contract.dataset)
    return {each["name"]: str(each.get("classification") or "") for each in whole["properties"]}


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()

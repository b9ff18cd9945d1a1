"""Decisions for tests: somebody who asks, something that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from lastro.model.access import Access, Act, Asked, ColumnFacts, Principal, Resource
from lastro.model.personal import PersonalClass
from lastro.policy import cedar
from lastro.policy.cedar import Policies
from lastro.policy.decide import decide

COLUMNS = ("cpf", "income", "uf", "note")
FACTS = (
    ColumnFacts("cpf", PersonalClass.IDENTIFIER, "cpf"),
    ColumnFacts("income", PersonalClass.FEATURE, restricted=False),
    ColumnFacts("uf", PersonalClass.NONE, restricted=False),
    ColumnFacts("note"),
)


def asked(name: str = "ana", *, roles: Sequence[str] = ("analyst",), act: Act = Act.READ, purpose: str = "") -> Asked:
    """Ana, an analyst, who reads."""
    return Asked(Principal(name, tuple(roles)), act, purpose)


def resource(*columns: ColumnFacts, readers: Sequence[str] = ()) -> Resource:
    """The dataset `loans`."""
    return Resource("loans", columns or FACTS, personal=True, readers=frozenset(readers))


def policies(text: str) -> Policies:
    """The policies of one file."""
    return cedar.read({"people.cedar": text})


def decided(
    text: str | Policies, *, who: Asked | None = None, on: Resource | None = None, readers: Sequence[str] = ()
) -> Access:
    """What is decided under these policies."""
    read = policies(text) if isinstance(text, str) else text
    return decide(who or asked(), on or resource(readers=readers), read)

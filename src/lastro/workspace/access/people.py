"""What `lastro.yaml` says of people: which roles they have (`access:`), and where their consents stand (`consent:`).

Rules:

1. `access: {people: {ana: [analyst, dpo]}}` switches access control on, as a file `policies/*.cedar` does. Whoever is
   not named has no role.
2. `consent: {dataset: consents, subject: cpf, purpose: purpose, granted: granted_at, withdrawn: withdrawn_at}` names a
   dataset of this workspace and four of its columns (`lastro.policy.consent`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from lastro.contract.document import Node, shown
from lastro.model.text import _
from lastro.policy.consent import Consents
from lastro.workspace.keeping import values_of

_CONSENT = ("dataset", "subject", "purpose", "granted", "withdrawn")


@dataclass(frozen=True, slots=True)
class People:
    """The roles of people, by name."""

    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def people(node: Node) -> People | None:
    """Who has which roles; None if the file says nothing."""
    if node.data is None:
        return None
    values_of(node, ("people",))
    found: dict[str, tuple[str, ...]] = {}
    given = node.child("people")
    if given.data is None:
        return People()
    if not isinstance(given.data, dict):
        given.refuse(_("the people are no names with roles"), _("write `people: {ana: [analyst]}`"))
        return People()
    for name, roles in given.data.items():
        if isinstance(roles, list) and all(isinstance(role, str) and role.strip() for role in roles):
            found[str(name)] = tuple(role.strip() for role in roles)
        else:
            given.child(name).refuse(
                _("{name} has no list of roles").format(name=shown(name)), _("write `ana: [analyst, dpo]`")
            )
    return People(found)


def consents(node: Node, datasets: Collection[str]) -> Consents | None:
    """Where consents stand; None if the file says nothing, or something wrong, which is noted."""
    values = values_of(node, _CONSENT)
    if not values:
        return None
    lacking = [key for key in _CONSENT if not (isinstance(values.get(key), str) and values[key].strip())]
    if lacking:
        node.refuse(
            _("consent lacks {keys}").format(keys=", ".join(lacking)),
            _("name the dataset, and its columns subject, purpose, granted and withdrawn"),
        )
        return None
    if values["dataset"] not in datasets:
        node.child("dataset").refuse(
            _("there is no dataset {name}").format(name=shown(values["dataset"])), _("name a dataset of this file")
        )
        return None
    return Consents(**{key: values[key].strip() for key in _CONSENT})

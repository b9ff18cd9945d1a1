"""The dossier: what a workspace knows that a document of the law asks for.

Everything in it happened, or stands in a contract; only the organisation and the judgements are typed by people, in
`lastro.yaml`. No value from the data is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lastro.model.personal import Personal
from lastro.model.version import VersionInfo


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who processes or receives data: in which `role` (processor, joint controller, recipient), in which
    country, and by which `safeguard` it may go there (GDPR 46, LGPD 33).
    """

    name: str
    role: str = ""
    country: str = ""
    contact: str = ""
    safeguard: str = ""
    datasets: tuple[str, ...] = ()
    """Which datasets it has to do with; all if none is named."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """The controller, its data protection officer (LGPD: encarregado), and the other parties."""

    name: str = ""
    contact: str = ""
    country: str = ""
    officer: str = ""
    officer_contact: str = ""
    parties: tuple[Party, ...] = ()


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk to people's rights as somebody judged it, and what is done about it."""

    risk: str
    likelihood: str = ""
    severity: str = ""
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Judgements:
    """What only people can say. `subjects` are the categories of people, `necessity` why less would not do."""

    subjects: str = ""
    necessity: str = ""
    consultation: str = ""
    security: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """All that an actor did with a dataset for one purpose: how often, of which versions and columns, and when."""

    actor: str
    action: str
    dataset: str
    purpose: str
    refused: bool
    times: int
    versions: tuple[int, ...]
    columns: tuple[str, ...]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Training:
    """A recorded run, and the versions that it read."""

    id: str
    name: str
    started: datetime
    status: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """Where the ledger stood when the document was made."""

    size: int
    root: str
    key: str


@dataclass(frozen=True, slots=True)
class Holding:
    """One dataset: what its contract says, where it came from, which versions there are.

    `unclassified` are columns without a class, `withheld` those whose values stand in no statistics, `quarantined` the
    rows that are set aside and open. `retention` is as the contract's service levels have it.
    """

    name: str
    description: str = ""
    purpose: str = ""
    limitations: str = ""
    contract_version: str = ""
    contract_digest: str = ""
    personal: Personal = field(default_factory=Personal)
    columns: tuple[str, ...] = ()
    unclassified: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    newest: VersionInfo | None = None
    versions: int = 0
    tags: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    retention: str = ""
    quarantined: int = 0
    rules: int = 0
    fault: str = ""
    """Why nothing more is known of it: its contract or its table cannot be read."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """All facts, as of `made`."""

    made: datetime
    organisation: Organisation
    judgements: Judgements
    holdings: tuple[Holding, ...]
    accesses: tuple[Access, ...] = ()
    trainings: tuple[Training, ...] = ()
    head: Head | None = None

    @property
    def personal(self) -> tuple[Holding, ...]:
        """The datasets that are known to hold values of natural persons."""
        return tuple(each for each in self.holdings if each.personal.is_personal)

    def parties_of(self, dataset: str) -> tuple[Party, ...]:
        """Who has to do with a dataset."""
        return tuple(each for each in self.organisation.parties if not each.datasets or dataset in each.datasets)

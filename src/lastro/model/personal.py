"""What a contract says of personal values: which columns hold them, how they are protected, whose they are, what for.

The classes are those of the law: GDPR 4(1), 4(5), 9; LGPD 5 I–III, 13 §4. A column without a class is not classified
yet: it counts as restricted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class PersonalClass(StrEnum):
    """What a column's values are to a natural person."""

    IDENTIFIER = "identifier"
    QUASI = "quasi-identifier"
    SENSITIVE = "sensitive"
    FEATURE = "feature"
    NONE = "none"


OF_PERSONS = (PersonalClass.IDENTIFIER, PersonalClass.QUASI, PersonalClass.SENSITIVE)
"""The classes of columns that tell who somebody is, or what the law protects most."""


@dataclass(frozen=True, slots=True)
class Classified:
    """The class of a column. `kind` says what its values are (`cpf`, `email`, `name`, …), `evidence` how that was
    found, and `confirmed` by whom; a class that Lastro proposed and nobody confirmed is not settled.
    """

    column: str
    of: PersonalClass
    kind: str = ""
    evidence: str = ""
    confirmed: str = ""

    @property
    def is_settled(self) -> bool:
        """True if a person said so: confirmed it, or wrote it without evidence, as only Lastro's proposals have."""
        return bool(self.confirmed or not self.evidence)


class Method(StrEnum):
    """How values are protected before anything durable is written."""

    TOKEN = "token"  # noqa: S105 – the name of a method, no secret
    HASH = "hash"
    MASK = "mask"
    GENERALISE = "generalise"
    REDACT = "redact"
    ENCRYPT = "encrypt"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Protection:
    """How one column is protected; `options` depend on the method (`keep`, `to`, `bins`, …)."""

    column: str
    method: Method
    kind: str = ""
    """What the values are: columns of one kind share their tokens."""
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """The column that says whom a row is about, and the kind of its values (`cpf`, `customer_id`, …)."""

    column: str
    kind: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a dataset may be read for, and on which legal basis (GDPR 6, LGPD 7). With `consent`, only the rows of
    subjects who consented to the purpose are read.
    """

    name: str
    basis: str
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """A duty to keep rows that is stronger than a wish to erase them: the article, and until when (None: no end)."""

    basis: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on a dataset is called anonymised: the least k and l, the largest t."""

    k: int
    l: int | None = None  # noqa: E741 – the name that the measure has (Machanavajjhala et al., 2007)
    t: float | None = None


@dataclass(frozen=True, slots=True)
class Personal:
    """All that a contract says of personal values in its dataset."""

    classes: tuple[Classified, ...] = ()
    protections: tuple[Protection, ...] = ()
    subject: Subject | None = None
    purposes: tuple[Purpose, ...] = ()
    hold: Hold | None = None
    thresholds: Thresholds | None = None
    budget: float | None = None
    """How much epsilon all private answers together may cost; None: there are none."""

    def of(self, column: str) -> Classified | None:
        """The class of a column, None if it has none."""
        return next((each for each in self.classes if each.column == column), None)

    def protection(self, column: str) -> Protection | None:
        """How a column is protected, None if it is not."""
        return next((each for each in self.protections if each.column == column), None)

    def columns(self, *classes: PersonalClass) -> tuple[str, ...]:
        """The columns of these classes, in the contract's order."""
        return tuple(each.column for each in self.classes if each.of in classes)

    @property
    def is_personal(self) -> bool:
        """True if the dataset is known to hold values of natural persons."""
        return self.subject is not None or bool(self.columns(*OF_PERSONS))

"""Plans: what a contract asks of one batch, as pure data.

A plan holds no engine, no path and no clock. `contract` compiles it, an engine executes it, `quality` judges what was
measured. SQL texts in it are a person's own: they pass the engine's allow-list before anything runs.

The order of one batch: source columns -> `ColumnPlan.expression` or plain cast -> row rules (one bit each) -> split ->
table rules on the kept rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lastro.model.finding import Policy, Severity
from lastro.model.schema import Field, Schema, Type


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How one column of the dataset is made.

    `source` is the column's name in the source (`physicalName`, else `name`). `expression` is an SQL expression over
    the source's columns, as text (cleaning), whose result is then cast to `type`; None means the source column itself.
    `format` is how dates and times are written, in strptime notation (`%d/%m/%Y`); None means ISO 8601. `zone` is the
    time zone (`America/Sao_Paulo`) in which a moment is meant whose text tells none; None means UTC.
    A value that is present and cannot be cast breaks the rule `<name>.type`; nothing is rounded or cut silently.
    """

    name: str
    source: str
    type: Type
    expression: str | None = None
    format: str | None = None
    nullable: bool = True
    is_time: bool = False
    """True for a time of day: checked as one, stored as the text `HH:MM:SS[.ffffff]` (Delta has no such type)."""
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class NotNull:
    """The column has a value."""

    column: str


@dataclass(frozen=True, slots=True)
class CastHolds:
    """The column's source value, where present, can be read as the column's type."""

    column: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of these (compared as text); a missing value passes."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """The value is none of these placeholders for 'missing' (compared as text), nor NULL if `null_is_missing`."""

    column: str
    values: tuple[str, ...]
    null_is_missing: bool = True


@dataclass(frozen=True, slots=True)
class Matches:
    """The whole value matches a regular expression (RE2 syntax: no back-references, linear time); missing passes."""

    column: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Within:
    """The value lies between two bounds, each optional, written as SQL literals' text; a missing value passes."""

    column: str
    minimum: str | None = None
    maximum: str | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False


@dataclass(frozen=True, slots=True)
class LengthWithin:
    """The text's length in characters (a list's in items) lies between two bounds; a missing value passes."""

    column: str
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class MultipleOf:
    """The number is a multiple of another; a missing value passes."""

    column: str
    factor: str


@dataclass(frozen=True, slots=True)
class Holds:
    """A person's boolean SQL expression over the cleaned row is not false; NULL passes, as in an SQL CHECK."""

    expression: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these conditions holds (used by `invalidValues` with both `validValues` and `pattern`)."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The record holds no value that the plan does not read: none in another column, none in another JSON member."""


class IdentifierKind(StrEnum):
    """Registers and forms whose identifiers can be told from other text without asking anyone."""

    CPF = "cpf"
    CNPJ = "cnpj"
    CEP = "cep"
    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    URL = "url"
    IP = "ip"
    UUID = "uuid"


@dataclass(frozen=True, slots=True)
class Identifier:
    """The text is an identifier of this kind, by form and check digits; a missing value passes."""

    column: str
    kind: IdentifierKind


@dataclass(frozen=True, slots=True)
class CleanText:
    """The text holds nothing that a wrong encoding leaves behind: `Ã£` for `ã`, U+FFFD, control characters."""

    column: str


Condition = (
    NotNull
    | CastHolds
    | OneOf
    | NoneOf
    | Matches
    | Within
    | LengthWithin
    | MultipleOf
    | Holds
    | AllOf
    | Foreseen
    | Identifier
    | CleanText
)


class Operator(StrEnum):
    """ODCS's eight comparisons, by their key in the document."""

    MUST_BE = "mustBe"
    MUST_NOT_BE = "mustNotBe"
    GREATER = "mustBeGreaterThan"
    GREATER_OR_EQUAL = "mustBeGreaterOrEqualTo"
    LESS = "mustBeLessThan"
    LESS_OR_EQUAL = "mustBeLessOrEqualTo"
    BETWEEN = "mustBeBetween"
    NOT_BETWEEN = "mustNotBeBetween"


class Unit(StrEnum):
    """What a measured number counts."""

    ROWS = "rows"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A comparison that a measured number must satisfy; two `operands` for the `Between` operators, else one.

    Between is inclusive of both ends, as ODCS defines it. Without a unit the number has that of the column itself.
    """

    operator: Operator
    operands: tuple[float, ...]
    unit: Unit | None = Unit.ROWS


@dataclass(frozen=True, slots=True)
class RowRule:
    """A condition on each row. A row for which it is false is refused, and `policy` says what becomes of it.

    With `quarantine`, refused rows are set aside; if `threshold` is given and the number refused (rows, or percent of
    the rows read) does not satisfy it, the batch fails. With `fail` and `warn`, no threshold means `mustBe 0`.
    """

    name: str
    condition: Condition
    policy: Policy
    severity: Severity = Severity.ERROR
    column: str | None = None
    dimension: str | None = None
    threshold: Threshold | None = None


@dataclass(frozen=True, slots=True)
class Duplicates:
    """How many rows repeat an earlier row's values in these columns; rows with a NULL among them do not count.

    With `approximate`, texts are equal that differ in case, accents, or blanks.
    """

    columns: tuple[str, ...]
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows there are."""


@dataclass(frozen=True, slots=True)
class Query:
    """A person's SELECT giving one number. The table is written `{object}` or by its name; `{property}` is `column`."""

    text: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Orphans:
    """How many rows have a key that no row of another dataset has; rows with a NULL in the key do not count.

    `columns` pairs each column with the one it is looked up in. `dataset` is a reference, `customers` or
    `customers@17`; the table's own name means the very rows that are measured. Where it is `optional`, nothing is
    judged while the other dataset is not there.
    """

    dataset: str
    columns: tuple[tuple[str, str], ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Breaks:
    """At how many rows a sequence breaks: the value is not the one before it plus `step`, or, without one, not larger.

    Rows follow each other by `by`, and by the column itself where that is None or equal. Missing values do not count.
    """

    column: str
    step: str | None = None
    by: str | None = None


class StatisticKind(StrEnum):
    """What one number says of a column's numbers; the deviation is that of a sample."""

    MEAN = "mean"
    MEDIAN = "median"
    QUANTILE = "quantile"
    DEVIATION = "deviation"
    SUM = "sum"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic of a column of numbers, of those that are there; none of them measures nothing.

    `quantile` lies between 0 and 1, for that kind only; between two values it is interpolated.
    """

    column: str
    kind: StatisticKind
    quantile: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """How many rows have this value, written as text."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Spellings:
    """How many rows write a value otherwise than most that mean it: it differs in case, accents, or blanks only."""

    column: str


Measure = Duplicates | RowCount | Query | Orphans | Breaks | Statistic | Share | Spellings


class Scope(StrEnum):
    """Which rows a table rule sees: those of the batch, or the whole table as it would be after the commit."""

    BATCH = "batch"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class TableRule:
    """A measure over many rows and what it must be. `policy` is `fail` or `warn` – never `quarantine`."""

    name: str
    measure: Measure
    threshold: Threshold
    policy: Policy = Policy.FAIL
    severity: Severity = Severity.ERROR
    column: str | None = None
    dimension: str | None = None
    scope: Scope = Scope.TABLE


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a contract asks of a batch.

    `primary_key` rows must be unique: in a batch the first of equal keys is kept for `append` and `overwrite`, the last
    for `upsert`; the others go to quarantine under the rule `primary_key`. `quarantined_max` bounds how much of a batch
    may be set aside before the whole batch fails.
    """

    dataset: str
    contract_digest: str
    columns: tuple[ColumnPlan, ...]
    row_rules: tuple[RowRule, ...] = ()
    table_rules: tuple[TableRule, ...] = ()
    primary_key: tuple[str, ...] = ()
    quarantined_max: Threshold | None = None
    withheld: frozenset[str] = frozenset()
    """Columns whose smallest, largest and most frequent values may stand in no statistics (their `classification`)."""
    absent: frozenset[str] = frozenset()
    """Columns of the source that may be missing: they then read as NULL."""
    ignored: frozenset[str] = frozenset()
    """Columns of the source that are known, and left out on purpose."""

    @property
    def schema(self) -> Schema:
        """The schema of the dataset's table."""
        return Schema(tuple(Field(column.name, column.type, column.nullable) for column in self.columns))

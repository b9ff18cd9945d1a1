"""Anonymising: rows whose persons nobody finds again with reasonable means (GDPR recital 26; LGPD art. 5 III, 12).

Rules:

1. Direct identifiers and the subject's column are left out. So are columns that nobody classified, unless they are kept
   by name, and quasi-identifiers and sensitive columns beyond those that are asked for, if some are.
2. Quasi-identifiers become text, and coarser, until every class holds what is asked. Rows of which nothing that holds
   could be shown are left out: they are counted, and each counts as a whole loss.
3. Where the contract names the subject and subjects have several rows, k counts subjects.
4. Rows stand in the order of what they show, so that their place tells nothing.
5. t is held against all rows in the search, and against the rows of the result in the end: what is asked of the search
   is made stricter until the result has it.
6. The result is called anonymised only if the thresholds hold, every column was classified by a person, none that the
   contract calls a quasi-identifier or sensitive is kept beside those that are counted, and none holds tokens or
   hashes, which lead on to other tables; else it is pseudonymised (LGPD art. 13 §4), and stays personal data.
7. No value stands in an error or in the report, but the levels' names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lastro.model.errors import DataRefused, UnknownName, UsageError
from lastro.model.personal import Method, Personal, PersonalClass, Thresholds
from lastro.model.text import _
from lastro.privacy.anonymity.outcome import (
    Anonymised,
    Asked,
    Coarsened,
    Doubt,
    Effort,
    LeftOut,
    Measured,
    Risk,
    doubts,
)

if TYPE_CHECKING:
    from lastro.privacy.anonymity.criteria import Criteria
    from lastro.privacy.anonymity.given import Given
    from lastro.privacy.anonymity.hierarchy import Codes, Hierarchy
    from lastro.privacy.anonymity.lattice import Found
    from lastro.privacy.anonymity.recoding import Recoded
    from lastro.privacy.anonymity.tuples import Tuples
    from lastro.privacy.anonymity.values import Values

COLUMNS_MAX = 22
"""How many quasi-identifiers there may be: with two levels each, about as many nodes as can be searched."""
_TIGHTENED = 4


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which columns are what: quasi-identifiers, sensitive, others that stay, the subject's with its kind, those left
    out, and those that give reason to doubt whether the result is anonymised.
    """

    quasi: tuple[str, ...]
    sensitive: tuple[str, ...]
    others: tuple[str, ...]
    subject: str
    left_out: Mapping[str, LeftOut]
    kind: str = ""
    doubtful: Mapping[Doubt, tuple[str, ...]] = field(default_factory=dict)

    @property
    def kept(self) -> tuple[str, ...]:
        """The result's columns."""
        return (*self.quasi, *self.sensitive, *self.others)

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (*self.kept, *([self.subject] if self.subject else []))


@dataclass(frozen=True, slots=True)
class Source:
    """The rows: which version, its digest, its rows as a `pyarrow.Table`, and what the contract says of them."""

    reference: str
    digest: str
    table: Any  # Any: a pyarrow.Table
    personal: Personal
    population: str = ""
    """The version that is the population, if one is known, a row a person; `people` are its rows."""
    people: Any = None  # Any: a pyarrow.Table


@dataclass(frozen=True, slots=True, eq=False)
class _Posed:
    """The rows as tuples, of each row its tuple, the hierarchies, how many values each given one lacks, and the leaves
    of the population.
    """

    tuples: Tuples
    of_row: Codes
    hierarchies: tuple[Hierarchy, ...]
    absent: Mapping[str, int]
    people: tuple[Codes, ...]


def settled(thresholds: Thresholds | None, asking: Mapping[str, Any]) -> Asked:  # Any: fields of `Asked`
    """What is asked, with the contract's thresholds where nothing is said. Raises `UsageError`."""
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in asking.items()}
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}  # Any: the same
    if thresholds is not None:
        said = {"k": thresholds.k, "l": thresholds.l, "t": thresholds.t, **said}
    if "k" not in said:
        raise UsageError(
            _("neither the call nor the contract says k"),
            do=_("say --k 5, or write `anonymity: {k: 5}` in the contract"),
        )
    made = Asked(**said)
    if made.k < 1 or (made.l is not None and made.l < 1):
        raise UsageError(_("k and l are whole numbers from 1"), do=_("say --k 5 --l 2"))
    if not 0 <= made.suppress < 1 or not (made.t is None or 0 <= made.t <= 1):
        raise UsageError(_("t and the share to leave out lie between 0 and 1"), do=_("say --t 0.2 --suppress 2%"))
    return made


def chosen(columns: Sequence[str], personal: Personal, asked: Asked) -> Chosen:
    """Which columns are what. Raises `UnknownName`, `UsageError`."""
    subject = personal.subject.column if personal.subject and personal.subject.column in columns else ""
    direct = {*personal.columns(PersonalClass.IDENTIFIER), *([subject] if subject else [])}
    _check(columns, direct, asked)
    quasi = asked.quasi or tuple(
        name for name in personal.columns(PersonalClass.QUASI) if name in columns and name not in asked.sensitive
    )
    sensitive = asked.sensitive or tuple(
        name for name in personal.columns(PersonalClass.SENSITIVE) if name in columns and name not in quasi
    )
    if not quasi or len(quasi) > COLUMNS_MAX:
        raise UsageError(
            _("from 1 to {most} quasi-identifiers are needed").format(most=COLUMNS_MAX),
            do=_("name them with --quasi, or give columns the class quasi-identifier in the contract"),
        )
    if asked.l is not None and not sensitive and asked.l > 1:
        raise UsageError(
            _("l is asked for, but no column is sensitive"),
            do=_("name it with --sensitive, or give it the class sensitive in the contract"),
        )
    free = {*personal.columns(PersonalClass.FEATURE, PersonalClass.NONE), *asked.keep}
    others = tuple(name for name in columns if name in free and name not in {*quasi, *sensitive, *direct})
    kept = {*quasi, *sensitive, *others}
    left_out = {name: _why(name, subject, personal) for name in columns if name not in kept}
    return Chosen(
        quasi=quasi,
        sensitive=sensitive,
        others=others,
        subject=subject,
        left_out=left_out,
        kind=personal.subject.kind if personal.subject else "",
        doubtful=_doubtful(personal, quasi, sensitive, others),
    )


def _doubtful(
    personal: Personal, quasi: Sequence[str], sensitive: Sequence[str], others: Sequence[str]
) -> Mapping[Doubt, tuple[str, ...]]:
    """The columns because of which the result is not called anonymised (rule 6)."""
    tokens = {each.column for each in personal.protections if each.method in {Method.TOKEN, Method.HASH}}
    beside = {*personal.columns(PersonalClass.QUASI)} & {*sensitive, *others}
    beside |= {*personal.columns(PersonalClass.SENSITIVE)} & {*others}
    classes = [(name, personal.of(name)) for name in (*quasi, *sensitive, *others)]
    return {
        Doubt.UNCLASSIFIED: tuple(name for name in others if personal.of(name) is None),
        Doubt.UNCONFIRMED: tuple(name for name, found in classes if found and found.evidence and not found.confirmed),
        Doubt.AS_IT_IS: tuple(sorted(beside)),
        Doubt.TOKENS: tuple(sorted(tokens & {*sensitive, *others})),
    }


def _check(columns: Sequence[str], direct: set[str], asked: Asked) -> None:
    named = (*asked.quasi, *asked.sensitive, *asked.keep)
    for name in named:
        if name not in columns:
            raise UnknownName(
                _("there is no column {name}").format(name=name),
                do=_("choose among: {names}").format(names=", ".join(columns)),
            )
        if name in direct:
            raise UsageError(
                _("{name} identifies persons directly, and is always left out").format(name=name),
                do=_("leave it out, or correct its class in the contract"),
            )
        if named.count(name) > 1:
            raise UsageError(_("{name} is named twice").format(name=name), do=_("say of each column one thing"))


def _why(name: str, subject: str, personal: Personal) -> LeftOut:
    found = personal.of(name)
    if name == subject:
        return LeftOut.SUBJECT
    if found is None:
        return LeftOut.UNCLASSIFIED
    return LeftOut.IDENTIFIER if found.of is PersonalClass.IDENTIFIER else LeftOut.UNASKED


def measured(source: Source, columns: Chosen) -> Measured:
    """How anonymous rows are as they stand. Raises `UsageError` for nested columns."""
    found = _before(source, _posed(source, columns, {}))
    return Measured(source.reference, source.digest, columns.quasi, columns.sensitive, columns.subject, found)


def anonymised(
    source: Source, columns: Chosen, asked: Asked, hierarchies: Mapping[str, Given]
) -> tuple[Anonymised, Any]:  # Any: a pyarrow.Table
    """What anonymising comes to, and the rows that may be shown. Raises `DataRefused` if none may be, `UsageError`."""
    posed = _posed(source, columns, hierarchies)
    if not posed.tuples.rows:
        raise DataRefused(
            _("{reference} has no rows").format(reference=source.reference), do=_("choose a version that has some")
        )
    found, done, after = _solved(source, posed, asked)
    thresholds = source.personal.thresholds or Thresholds(asked.k, asked.l, asked.t)
    outcome = Anonymised(
        source=source.reference,
        source_digest=source.digest,
        asked=asked,
        thresholds=thresholds,
        columns=tuple(_coarsened(posed, found, done, columns.quasi)),
        sensitive=columns.sensitive,
        subject=columns.subject,
        left_out=columns.left_out,
        effort=Effort(found.nodes, found.checked, found.loss, found.suppressed, found.proven),
        loss=done.loss,
        rows=posed.tuples.rows,
        suppressed=done.suppressed,
        before=_before(source, posed),
        after=after,
        doubts=doubts(thresholds, after, columns.doubtful),
    )
    return outcome, _shown(source.table, columns, posed, done)


def _posed(source: Source, columns: Chosen, given: Mapping[str, Given]) -> _Posed:
    from lastro.privacy.anonymity.inferred import thinned
    from lastro.privacy.anonymity.lattice import NODES_MAX
    from lastro.privacy.anonymity.tuples import tuples_of
    from lastro.privacy.anonymity.values import Nature, persons

    hierarchies, codes, absent = [], [], {}
    rows = source.table.num_rows
    for name in columns.quasi:
        values, own = _values(source, name, people=True)
        codes.append(own)
        found, absent[name] = _hierarchy(source, name, values, given)
        hierarchies.append(found)
    sensitive = []
    for name in columns.sensitive:
        values, own = _values(source, name)
        sensitive.append((name, values.order()[own], values.nature is not Nature.TEXT))
    subjects = None
    if columns.subject:
        values, own = _values(source, columns.subject)
        subjects = persons(values, columns.kind)[own]
    tuples, of_row = tuples_of([own[:rows] for own in codes], sensitive=sensitive, subjects=subjects)
    people = tuple(own[rows:] for own in codes)
    return _Posed(tuples, of_row, thinned(hierarchies, NODES_MAX), absent, people)


def _hierarchy(source: Source, name: str, values: Values, given: Mapping[str, Given]) -> tuple[Hierarchy, int]:
    from lastro.privacy.anonymity.given import fitted
    from lastro.privacy.anonymity.inferred import inferred

    if name in given:
        return fitted(given[name], values, column=name, where=name)
    said = source.personal.of(name)
    return inferred(values, kind=said.kind if said else ""), 0


def _values(source: Source, name: str, *, people: bool = False) -> tuple[Values, Codes]:
    """The values of a column and of each row which; with `people`, the population's rows come after the rows."""
    import pyarrow as pa

    from lastro.privacy.anonymity.values import values_of

    column = source.table[name]
    if people and source.people is not None:
        column = pa.chunked_array([*column.chunks, *source.people[name].cast(column.type).chunks], column.type)
    try:
        return values_of(column)
    except TypeError as error:
        raise UsageError(
            _("{name} is nested, which cannot be made coarser").format(name=name),
            do=_("leave it out, or make a dataset of its own: lastro flatten"),
        ) from error


def _solved(source: Source, posed: _Posed, asked: Asked) -> tuple[Found, Recoded, Risk]:
    """The best node, what recoding made of it, and what that reaches (rule 5). Raises `DataRefused`."""
    from lastro.privacy.anonymity.criteria import Criteria
    from lastro.privacy.anonymity.lattice import search

    tuples, hierarchies = posed.tuples, posed.hierarchies
    criteria = Criteria(asked.k, asked.l, asked.t, asked.entropy)
    for _attempt in range(_TIGHTENED):
        found = search(tuples, hierarchies, criteria, limit=int(asked.suppress * tuples.rows))
        if found is None:
            break
        done = _recoded(tuples, hierarchies, criteria, found, recode=asked.recode)
        after = _reached(source, posed, done)
        over = (after.t or 0.0) - asked.t if asked.t is not None else 0.0
        if over <= 1e-9 or criteria.t is None:
            return found, done, after
        criteria = replace(criteria, t=max(0.0, criteria.t - over - 1e-9))
    raise DataRefused(
        _("no generalisation of {reference} holds what is asked").format(reference=source.reference),
        where=_("{rows} rows, at most {share} % left out").format(rows=tuples.rows, share=f"{100 * asked.suppress:g}"),
        do=_("ask for a smaller k or l or a larger t, or let more rows be left out: --suppress"),
        state=_("nothing was written"),
    )


def _recoded(
    tuples: Tuples, hierarchies: Sequence[Hierarchy], criteria: Criteria, found: Found, *, recode: bool
) -> Recoded:
    import numpy as np

    from lastro.privacy.anonymity.recoding import Recoded, recoded

    if recode:
        return recoded(tuples, hierarchies, criteria, found)
    levels = np.tile(np.array(found.node, dtype=np.int64), (len(tuples.counts), 1))
    return Recoded(found.classes, levels, found.loss, found.suppressed)


def _before(source: Source, posed: _Posed) -> Risk:
    """The risk of the rows as they are."""
    import numpy as np

    tuples = posed.tuples
    classes = np.arange(len(tuples.counts))
    return _risk(source, posed, tuples, classes, np.zeros((len(classes), len(tuples.codes)), dtype=np.int64))


def _reached(source: Source, posed: _Posed, done: Recoded) -> Risk:
    """The risk of what is shown, its distances taken from what is shown."""
    import numpy as np

    tuples, kept = posed.tuples, done.classes >= 0
    sensitive = []
    for each in tuples.sensitive:
        there = kept[each.tuples]
        shares = np.bincount(each.values[there], each.counts[there], minlength=len(each.shares))
        sensitive.append(replace(each, shares=shares / max(float(shares.sum()), 1.0)))
    return _risk(source, posed, tuples.with_shares(sensitive), done.classes, done.levels)


def _risk(source: Source, posed: _Posed, tuples: Tuples, classes: Codes, levels: Codes) -> Risk:
    from lastro.privacy.anonymity.risk import in_population, risk

    if source.people is None:
        return risk(tuples, classes)
    alike = in_population(tuples, posed.hierarchies, classes, levels, posed.people)
    return risk(tuples, classes, in_population=alike, population=source.population)


def _coarsened(posed: _Posed, found: Found, done: Recoded, names: Sequence[str]) -> list[Coarsened]:
    import numpy as np

    tuples, hierarchies = posed.tuples, posed.hierarchies
    kept = done.classes >= 0
    rows = max(float(tuples.counts[kept].sum()), 1.0)
    made = []
    for place, (name, each) in enumerate(zip(names, hierarchies, strict=True)):
        levels, codes = done.levels[kept, place], tuples.codes[place][kept]
        shares = np.bincount(levels, tuples.counts[kept], minlength=len(each.levels)) / rows
        losses = np.stack([level.losses[level.groups] for level in each.levels])[levels, codes]
        made.append(
            Coarsened(
                column=name,
                hierarchy=each.kind,
                levels=tuple(level.name for level in each.levels),
                best=found.node[place],
                shares=tuple(float(share) for share in shares),
                loss=float((losses * tuples.counts[kept]).sum() / rows),
                absent=posed.absent[name],
            )
        )
    return made


def _shown(
    table: Any,  # Any: a pyarrow.Table
    columns: Chosen,
    posed: _Posed,
    done: Recoded,
) -> Any:  # Any: a pyarrow.Table
    """The rows that may be shown (rules 2 and 4)."""
    import numpy as np
    import pyarrow as pa

    arrays, of_row = {}, posed.of_row
    for place, (name, each) in enumerate(zip(columns.quasi, posed.hierarchies, strict=True)):
        labels = pa.array([label for level in each.levels for label in level.labels], pa.string())
        begins = np.cumsum([0, *(len(level.labels) for level in each.levels)])
        groups = np.stack([level.groups for level in each.levels])
        levels = done.levels[:, place]
        chosen_labels = begins[levels] + groups[levels, posed.tuples.codes[place]]
        arrays[name] = labels.take(pa.array(chosen_labels[of_row]))
    arrays |= {name: table[name] for name in (*columns.sensitive, *columns.others)}
    made = pa.table(arrays).filter(pa.array(done.classes[of_row] >= 0))
    order = [(name, "ascending") for name in made.column_names if not pa.types.is_nested(made.schema.field(name).type)]
    return made.sort_by(order) if made.num_rows else made

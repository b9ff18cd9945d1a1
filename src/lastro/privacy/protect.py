"""Protection on the way in: each batch, before a byte of it is written.

Rules:

1. A row of somebody who was erased does not come in: it counts as refused, and nothing of it is kept.
2. Of kept rows each protected column is changed by its method (`methods`; `token` by the vault). Tokens of other
   columns belong to the person whom the row's subject column names, whether that column itself is protected or not.
3. Of refused rows, what is protected, withheld, or in no column of the plan, stands as tokens (`records`), where the
   contract protects anything at all.
4. Columns that are encrypted stay as they are in kept rows: whoever writes the file encrypts them (`sealing`).
5. Protecting twice gives what protecting once gives: derived datasets and corrected rows hold tokens already.
6. It can be pickled: a worker process opens the vault for itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lastro.engine.protocol import ERASED
from lastro.model.personal import Method, Personal, Protection, Subject
from lastro.model.plan import Plan
from lastro.privacy import methods, records
from lastro.privacy.columns import VaultColumnKeys
from lastro.privacy.vault import Vault

if TYPE_CHECKING:
    from lastro.engine.encrypted import Sealing

_HEXADECIMAL = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Protector:
    """What a contract protects, and the vault. Implements `engine.protocol.Protect`."""

    vault: Vault
    protections: tuple[Protection, ...] = ()
    subject: Subject | None = None
    columns: Mapping[str, records.Columns] = field(default_factory=dict)
    """Of records of the quarantine, by their form."""
    is_protected: bool = False
    """True if kept rows come as they were stored: then they are taken as they are."""

    @property
    def names(self) -> frozenset[str]:
        """The columns whose values are not stored as they came."""
        return frozenset(each.column for each in self.protections if each.method is not Method.ENCRYPT)

    @property
    def is_shut(self) -> bool:
        """True if anything is protected, so that tokens stand in the quarantine."""
        return any(each.is_shut for each in self.columns.values())

    @property
    def sealing(self) -> Sealing | None:
        """Which columns of kept rows are encrypted where they stand; None if none is."""
        columns = frozenset(each.column for each in self.protections if each.method is Method.ENCRYPT)
        if not columns:
            return None
        from lastro.engine.encrypted import Sealing

        return Sealing(columns, VaultColumnKeys(self.vault))

    def stored(self) -> Protector:
        """The same, for kept rows that were protected before."""
        return replace(self, is_protected=True)

    def erased(self, batch: pa.RecordBatch) -> pa.Array | None:
        """Which kept rows, as they came, are about somebody who was erased; None if none is."""
        if self.subject is None or self.is_protected or self.subject.column not in batch.schema.names:
            return None
        if not self.vault.blocks():
            return None
        coded = _texts(batch.column(self.subject.column)).dictionary_encode()
        blocked = self.vault.blocked(self.subject.kind, coded.dictionary.to_pylist())
        if not any(blocked):
            return None
        return pa.array(blocked, pa.bool_()).take(coded.indices).fill_null(False)

    def kept(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Kept rows, protected. Raises what `Vault` raises."""
        if self.is_protected or not self.protections or not batch.num_rows:
            return batch
        persons = self._persons(batch)
        for each in self.protections:
            if each.method is Method.ENCRYPT:
                continue  # whoever writes the file encrypts the column
            place = batch.schema.get_field_index(each.column)
            if place >= 0:
                column = self._protected(each, batch.column(place), persons)
                batch = batch.set_column(place, batch.schema.field(place), column)
        return batch

    def refused(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rows of the quarantine, protected. Raises what `Vault` raises."""
        if not batch.num_rows:
            return batch
        kind = self.subject.kind if self.subject is not None else ""
        forms, texts, gone = records.sealed(
            self.vault,
            batch.column("form").to_pylist(),
            batch.column("record").to_pylist(),
            self.columns,
            subject_kind=kind,
        )
        changed = {"form": pa.array(forms, pa.string()), "record": pa.array(texts, pa.string())}
        if any(gone):
            rules = batch.column("rules").to_pylist()
            rules = [[ERASED] if erased else names for erased, names in zip(gone, rules, strict=True)]
            changed["rules"] = pa.array(rules, batch.schema.field("rules").type)
        return _with(batch, changed)

    def opened(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rows of the quarantine as they were refused, in memory."""
        texts = records.opened(self.vault, batch.column("form").to_pylist(), batch.column("record").to_pylist())
        return _with(batch, {"record": pa.array(texts, pa.string())})

    def _persons(self, batch: pa.RecordBatch) -> _Persons | None:
        subject = self.subject
        tokens = any(each.method is Method.TOKEN for each in self.protections)
        if subject is None or not tokens or subject.column not in batch.schema.names:
            return None
        coded = _texts(batch.column(subject.column)).dictionary_encode()
        return _Persons(coded, self.vault.tokens(subject.kind, coded.dictionary.to_pylist(), is_subject=True))

    def _protected(self, protection: Protection, column: pa.Array, persons: _Persons | None) -> pa.Array:
        match protection.method:
            case Method.TOKEN:
                return self._tokens(protection, column, persons)
            case Method.HASH:
                known = records.HASHED + protection.kind
                return methods.hashed(
                    column,
                    protection.kind,
                    self.vault.hasher(),
                    known=lambda text: bool(_HEXADECIMAL.fullmatch(text)) and self.vault.find(known, text) is not None,
                )
            case Method.MASK:
                return methods.masked(column, protection.options)
            case Method.GENERALISE:
                return methods.generalised(column, protection.options)
            case Method.REDACT:
                return methods.redacted(column)
        raise AssertionError(protection.method)

    def _tokens(self, protection: Protection, column: pa.Array, persons: _Persons | None) -> pa.Array:
        if persons is not None and self.subject is not None and self.subject.column == protection.column:
            return _filled(persons.coded, persons.tokens, column.type)
        coded = column.dictionary_encode()
        values = coded.dictionary.to_pylist()
        if persons is None:
            return _filled(coded, self.vault.tokens(protection.kind, values), column.type)
        places, subjects = persons.pairs(coded, len(values))
        found = self.vault.tokens(protection.kind, [values[place] for place in places], subjects=subjects)
        tokens = [""] * len(values)
        for place, token in zip(places, found, strict=True):
            tokens[place] = token
        return _filled(coded, tokens, column.type)


@dataclass(frozen=True, slots=True)
class _Persons:
    """Whom each row of a batch is about: the subject's column, coded, and the token of each of its values."""

    coded: pa.DictionaryArray
    tokens: Sequence[str]

    def pairs(self, coded: pa.DictionaryArray, count: int) -> tuple[list[int], list[str | None]]:
        """The different pairs of a value of another column, by its place among `count`, and a person."""
        mine = coded.indices.fill_null(count).to_numpy(zero_copy_only=False).astype(np.int64)
        nobody = len(self.tokens)
        theirs = self.coded.indices.fill_null(nobody).to_numpy(zero_copy_only=False).astype(np.int64)
        pairs = np.unique(mine[mine < count] * (nobody + 1) + theirs[mine < count])
        tokens = [*(token or None for token in self.tokens), None]
        return (pairs // (nobody + 1)).tolist(), [tokens[place] for place in (pairs % (nobody + 1)).tolist()]


def protector(
    plan: Plan,
    personal: Personal,
    vault: Vault,
    *,
    withheld: frozenset[str],
    open_also: frozenset[str] = frozenset(),
) -> Protector | None:
    """What protects the rows of a contract; None if it protects nothing and names no subject. `open_also` are columns
    of the source that are none of the contract's, and personal to nobody.
    """
    stored = tuple(each for each in personal.protections if each.method is not Method.DROP)
    if not personal.protections and personal.subject is None:
        return None
    return Protector(vault, stored, personal.subject, _columns(plan, personal, withheld, open_also))


def _columns(
    plan: Plan, personal: Personal, withheld: frozenset[str], open_also: frozenset[str]
) -> Mapping[str, records.Columns]:
    is_shut = bool(personal.protections)  # else only whether somebody was erased is asked
    methods_of = {each.column: each for each in personal.protections}
    dropped = frozenset(name for name, each in methods_of.items() if each.method is Method.DROP)
    shut = withheld | set(methods_of)
    of_source: dict[str, set[str]] = {}
    for column in plan.columns:
        of_source.setdefault(column.source, set()).add(column.name)
    open_sources = frozenset(source for source, names in of_source.items() if not names & shut)
    tokens = {name: each.kind for name, each in methods_of.items() if each.method is Method.TOKEN}
    if personal.subject is not None:
        tokens.setdefault(personal.subject.column, personal.subject.kind)
    kinds = {source: tokens[name] for source, names in of_source.items() for name in sorted(names & set(tokens))}
    subject = personal.subject.column if personal.subject is not None else None
    at = next((column.source for column in plan.columns if column.name == subject), subject)
    hashes = {name: records.HASHED + each.kind for name, each in methods_of.items() if each.method is Method.HASH}
    return {
        "raw": records.Columns((open_sources | open_also) - dropped, dropped, kinds, at, is_shut),
        "clean": records.Columns(frozenset(set(plan.schema.names) - shut), dropped, tokens | hashes, subject, is_shut),
    }


def _texts(column: pa.Array) -> pa.Array:
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _filled(coded: pa.DictionaryArray, tokens: Sequence[str], kind: pa.DataType) -> pa.Array:
    """The tokens in the values' places; what has none, being blank, stays."""
    if "" in tokens:
        tokens = [token or value for token, value in zip(tokens, coded.dictionary.to_pylist(), strict=True)]
    return pa.array(tokens, kind).take(coded.indices)


def _with(batch: pa.RecordBatch, changed: Mapping[str, pa.Array]) -> pa.RecordBatch:
    columns = [changed.get(name, batch.column(name)) for name in batch.schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)

"""What looks personal in a source that is about to become a dataset, from the sample that inference took of it.

Rules:

1. It is the judgement that `lastro classify` makes of a version (`privacy.detection`), of fewer values. Lists and
   objects are judged by their names.
2. Quasi-identifiers are told where something else identifies somebody, or is sensitive: a state or an age alone is
   nobody's.
3. Nothing is settled by it, and no value of the sample leaves.
4. Few values make no proposal for names of people; but where one of those that a contract would list begins with a
   known given name, or half of them are such, none is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lastro.contract.infer import BARE
from lastro.model.personal import OF_PERSONS, Classified
from lastro.model.sample import Sample
from lastro.model.schema import Decimal, Primitive
from lastro.privacy.detection import people
from lastro.privacy.detection.columns import column, propose
from lastro.privacy.detection.forms import plain_words

_TOLD_ALONE = frozenset({"cpf", "cnpj", "email", "iban", "card", "pis", "cns", "titulo_eleitor"})
"""The kinds that one value by itself can be told to be of, by its check digits or its form."""
_WHOLE = frozenset({Primitive.LONG, Primitive.INTEGER, Primitive.SHORT, Primitive.BYTE})
_MOMENTS = frozenset({Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ})


def proposed(samples: Sequence[Sample]) -> dict[str, Classified]:
    """The classes proposed for columns that look personal, by the source's names."""
    found = {each.column: each.classified() for each in propose({one.column.name: values_of(one) for one in samples})}
    told = {name: each for name, each in found.items() if each is not None and each.of in OF_PERSONS}
    return told if any(each.of in BARE for each in told.values()) else {}


def listable(sample: Sample) -> Sample:
    """The sample, without its values if one of them is somebody's name (rule 4)."""
    said = [_spoken(value) for value in sample.values]
    alone = sum(len(words) == 1 and words[0] in people.GIVEN for words in said)
    full = any(len(words) > 1 and words[0] in people.GIVEN and all(map(str.isalpha, words)) for words in said)
    return replace(sample, values=()) if full or (alone > 1 and 2 * alone >= len(said)) else sample


def _spoken(value: str) -> list[str]:
    """The words of a value, without titles and marks."""
    words = (word.strip(".,'’`-") for word in plain_words(value))
    return [word for word in words if word and word not in people.TITLES]


def is_value(name: str) -> bool:
    """True if what stands as a column's name is somebody's identifier or contact, as where the first line is a row."""
    import pyarrow as pa

    return column("value", pa.array([name], pa.string())).kind in _TOLD_ALONE


def values_of(sample: Sample) -> Any:  # Any: a pyarrow array, or None
    """The sampled values as the column's type has them; as texts where they cannot be read so."""
    import pyarrow as pa

    texts, kind = pa.array(sample.looked_at, pa.string()), sample.column.type
    if not isinstance(kind, Primitive | Decimal) or kind is Primitive.BINARY or not sample.looked_at:
        return None
    if kind is Primitive.STRING:
        return texts
    try:
        return texts.cast(_arrow(kind))
    except pa.ArrowInvalid:  # written with a comma, or a format of its own: only its range is known
        return _range(sample, _arrow(kind))


def _arrow(kind: Primitive | Decimal) -> Any:  # Any: a pyarrow type
    import pyarrow as pa

    if kind in _WHOLE:
        return pa.int64()
    if isinstance(kind, Decimal):
        return pa.decimal128(38, 0) if not kind.scale else pa.float64()
    if kind is Primitive.BOOLEAN:
        return pa.bool_()
    if kind is Primitive.DATE:
        return pa.date32()
    return pa.timestamp("us") if kind in _MOMENTS else pa.float64()


def _range(sample: Sample, kind: Any) -> Any:  # Any: a pyarrow type, and a pyarrow array or None
    import pyarrow as pa

    try:
        return pa.array([text for text in (sample.minimum, sample.maximum) if text], pa.string()).cast(kind)
    except pa.ArrowInvalid:
        return None

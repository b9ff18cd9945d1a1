"""The class of each column of a dataset, proposed from its name and sampled values.

Rules:

1. Values decide over names where they have check digits or a form of their own: a column `cpf` full of prices is none,
   and nothing is proposed for it. Names decide the rest, as far as the values do not speak against them.
2. Values are of a kind if most distinct ones are, and that so far above chance that it is none: the likelihood against
   values of the same form drawn at random is at least `10 ** CERTAIN`; where the name says so, too, or the written form
   is that kind's own, `10 ** LIKELY` and half of the values are enough.
3. A form that other things have, too (an SSN, a number plate), is not taken where the name is that of a thing. A CEP
   or an old number plate is taken where the name says so; a CEP with its dash also where another column of the dataset
   is personal, and the name is not that of a thing.
4. Names of people are known given names before known surnames in enough of the values; names of firms are none.
5. Text that holds identifiers is itself an identifier, of the kind `text`. Those without separators count only if most
   of the digits that could be one are.
6. Where nothing is found: `feature` in a dataset with personal columns, `none` in another. Nothing is proposed for
   columns without values, for long free text, which tells of people in words, and where name and values disagree.
7. A column of objects or lists gets the most personal class of what is in it.
8. What a person stated or confirmed stays. A protected column no longer holds the values that its class is about: its
   name alone is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lastro.model.personal import OF_PERSONS, Classified, PersonalClass
from lastro.privacy.detection.column_names import kind_named, names_thing
from lastro.privacy.detection.judging import judged
from lastro.privacy.detection.kinds import CLASS_OF
from lastro.privacy.detection.proposal import Because, Proposal
from lastro.privacy.detection.sampled import leaves, sampled

_ORDER = (PersonalClass.IDENTIFIER, PersonalClass.SENSITIVE, PersonalClass.QUASI, PersonalClass.FEATURE)
_DOUBTS = (Because.DOUBT, Because.PROSE, Because.NOTHING, Because.EMPTY)


def propose(
    columns: Mapping[str, Any],  # Any: pyarrow arrays
    *,
    stated: Sequence[Classified] = (),
    protected: Sequence[str] = (),
) -> tuple[Proposal, ...]:
    """A proposal for each column, in their order; the values are sampled ones, None where there are none.

    `stated` is what the contract says already, `protected` names the columns whose values were replaced.
    """
    said = {each.column: each for each in stated}
    first = {}
    for name, values in columns.items():
        if name in said and said[name].is_settled:
            own = said[name]
            first[name] = Proposal(name, own.of, own.kind, Because.STATED, stated=own)
        else:
            first[name] = column(name, None if name in protected else values)
    is_personal = any(each.of in OF_PERSONS for each in first.values())
    return tuple(_in_context(each, is_personal=is_personal) for each in first.values())


def column(name: str, values: Any) -> Proposal:  # Any: a pyarrow array, or None
    """The proposal for a column by itself."""
    if values is None:
        return _unseen(name)
    found = []
    for member, inner in leaves(name, values):
        proposal = judged(member, sampled(inner))
        is_inside = inner is not values and member != name
        found.append(replace(proposal, column=name, member=member if is_inside else ""))
    return min(found, key=_rank, default=_unseen(name))


def _rank(proposal: Proposal) -> int:
    """The most personal class first; then doubts before what is nothing."""
    return _ORDER.index(proposal.of) if proposal.of in _ORDER else len(_ORDER) + _DOUBTS.index(proposal.because)


def _unseen(name: str) -> Proposal:
    kind = kind_named(name)
    return Proposal(name, CLASS_OF.get(kind), kind, Because.EMPTY, named=kind)


def _in_context(proposal: Proposal, *, is_personal: bool) -> Proposal:
    """The proposal in sight of the dataset's other columns."""
    if proposal.because is not Because.NOTHING:
        return proposal
    if proposal.kind and is_personal and not names_thing(proposal.column):
        return replace(proposal, of=CLASS_OF[proposal.kind], because=Because.VALUES)
    of = PersonalClass.FEATURE if is_personal else PersonalClass.NONE
    return replace(proposal, of=of, kind="", matched=0)

"""Cedar, the language of policies: read, checked against the schema, and asked. The only home of its library.

Rules:

1. A policy that cannot be read, or does not fit the schema, stops every reading: nothing is decided without it.
2. Everybody is a `Principal`, and a member of the `Role`s that `lastro.yaml` gives; a person who is called like a role
   does not have it.
3. What is asked for is a `Column`, whose id is `dataset/column`, in its `Dataset`; of columns, capitals and the way
   accents are written make no difference.
4. `context.purpose` is what the data is read for, `context.basis` its legal basis; both are empty texts where nothing
   was said.
5. A rule that fails while it is asked makes the answer no.
6. A rule that forbids, and a mask, say which datasets and columns they speak of: a name that is misspelt would keep
   nobody from anything.
7. Of many rules only those are asked whose head (`principal ==`, `in`; `resource ==`, `in`) does not rule out that they
   concern this principal and dataset.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lastro.model.access import Asked, ColumnFacts, Resource
from lastro.model.errors import ConfigurationError, MissingExtra
from lastro.model.text import _
from lastro.policy.rule import EVERY, Rule, folded, rule

SCHEMA = """
entity Role;
entity Principal in [Role];
entity Dataset { name: String, column: String, class: String, kind: String, classification: String, restricted: Bool,
  personal: Bool };
entity Column in [Dataset] { name: String, column: String, class: String, kind: String, classification: String,
  restricted: Bool, personal: Bool };
action read, export, reveal, erase, ingest, build appliesTo {
  principal: [Principal], resource: [Column, Dataset], context: { purpose: String, basis: String } };
"""
UNCLASSIFIED = "unclassified"
"""The class of a column that has none yet."""
BYTES_MAX = 4 << 20
FEW = 100
"""So many rules are asked without looking at their heads first."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What Cedar says of one column: whether it may be had, the rules that decided, and how many could not be asked."""

    allowed: bool
    rules: tuple[Rule, ...] = ()
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A dataset, and perhaps a column by its folded name, of which a rule speaks that forbids or masks (rule 6)."""

    rule: Rule
    dataset: str
    column: str = ""

    def is_missing(self) -> ConfigurationError:
        """The error that there is none such."""
        what = _("a policy speaks of {name}, which there is not").format(
            name=f"{self.dataset}/{self.column}" if self.column else self.dataset
        )
        return ConfigurationError(
            what,
            where=f"{self.rule.file}: {self.rule.name}",
            do=_("correct the name; until then nobody reads anything"),
        )


@dataclass(frozen=True, slots=True)
class Policies:
    """The rules of a workspace's policy files, in their order, and what they speak of."""

    rules: tuple[Rule, ...] = ()
    spoken: tuple[Spoken, ...] = ()
    _handle: Any = field(default=None, repr=False)  # Any: the library's own
    _texts: Mapping[str, Any] = field(default_factory=dict, repr=False)  # Any: Cedar's JSON

    def judge(self, asked: Asked, resource: Resource) -> tuple[Judged, ...]:
        """One answer for each column of the resource, in its order; where it has none, one for the dataset."""
        import cedarpy

        if self._handle is None:
            return tuple(Judged(allowed=False) for _each in resource.columns or (None,))
        ids = [_id(resource.dataset, each.name) for each in resource.columns]
        things = [_uid("Column", each) for each in ids] or [_uid("Dataset", resource.dataset)]
        answers = cedarpy.is_authorized_batch(
            [
                {
                    "principal": _uid("Principal", asked.principal.name),
                    "action": _uid("Action", asked.act.value),
                    "resource": each,
                    "context": {"purpose": asked.purpose, "basis": asked.basis},
                }
                for each in things
            ],
            self._concerned(asked, resource),
            json.dumps([*_people(asked), *_things(resource, ids)]),
        )
        return tuple(map(self._judged, answers))

    def _concerned(self, asked: Asked, resource: Resource) -> Any:  # Any: the library's own
        """The rules that are to be asked (rule 7)."""
        if len(self.rules) <= FEW:
            return self._handle
        people = {(each["type"], each["id"]) for each in _names(asked)}
        found = {
            key: each
            for key, each in self._texts.items()
            if _may_be(each["principal"], lambda kind, name: (kind, name) in people)
            and _may_be(each["resource"], lambda _kind, name: name.partition("/")[0] == resource.dataset)
        }
        return _handle(found)

    def _judged(self, answer: Any) -> Judged:  # Any: the library's own
        diagnostics = answer.diagnostics
        rules = tuple(sorted((self.rules[int(each)] for each in diagnostics.reasons), key=lambda each: each.name))
        failed = len(diagnostics.errors)
        return Judged(bool(answer.allowed) and not failed, rules, failed)


def read(texts: Mapping[str, str]) -> Policies:
    """The rules of these files, by their names. Raises `ConfigurationError`, `MissingExtra`."""
    rules: list[Rule] = []
    spoken: list[Spoken] = []
    merged: dict[str, Any] = {}  # Any: Cedar's JSON
    for file, text in texts.items():
        for place, said in enumerate(_parsed(file, text), 1):
            found = rule(file, place, said["effect"], said.pop("annotations", {}))
            merged[str(len(rules))] = _plain(said)
            rules.append(found)
            spoken += _spoken(found, said)
    _refuse_repeated(rules)
    if not rules:
        return Policies()
    return Policies(tuple(rules), tuple(spoken), _checked(merged, rules), merged)


def _parsed(file: str, text: str) -> list[dict[str, Any]]:  # Any: Cedar's JSON
    cedar = _library()
    if len(text) > BYTES_MAX:
        raise ConfigurationError(
            _("the policies are larger than {n:,} characters").format(n=BYTES_MAX),
            where=file,
            do=_("say by roles and attributes what is said by names"),
        )
    try:
        found = json.loads(cedar.policies_to_json_str(unicodedata.normalize("NFC", text)))
    except ValueError as error:
        # Cedar quotes what it could not read: the author's own words, no values of data.
        reason = " ".join(str(error).split())[:200]
        raise ConfigurationError(
            _("the policies cannot be read: {reason}").format(reason=reason),
            where=file,
            do=_("correct the file; until then nobody reads anything"),
        ) from error
    if found["templates"]:
        raise ConfigurationError(
            _("a policy has a slot, such as ?principal, which nothing fills"), where=file, do=_("name whom it is about")
        )
    static = found["staticPolicies"]
    return [static[key] for key in sorted(static, key=lambda key: int(key.removeprefix("policy")))]


def _checked(merged: Mapping[str, Any], rules: Sequence[Rule]) -> Any:  # Any: Cedar's JSON, the library's own
    import cedarpy

    whole = _whole(merged)
    result = cedarpy.validate_policies(cedarpy.policies_from_json_str(whole), SCHEMA)
    if not result.validation_passed:
        error = result.errors[0]
        # The text that was checked numbers the policies as they stand.
        place = int(error.policy_id.removeprefix("policy"))
        reason = " ".join(error.error.split())[:300]
        raise ConfigurationError(
            _("a policy does not fit what there is: {reason}").format(reason=reason),
            where=f"{rules[place].file}: {rules[place].name}",
            do=_("lastro policy explain shows what a column's policies know of it"),
        )
    return _handle(merged)


def _whole(policies: Mapping[str, Any]) -> str:  # Any: Cedar's JSON
    return json.dumps({"templates": {}, "staticPolicies": dict(policies), "templateLinks": []})


def _handle(policies: Mapping[str, Any]) -> Any:  # Any: Cedar's JSON, the library's own
    import cedarpy

    return cedarpy.PolicySet.from_json_str(_whole(policies))


def _may_be(head: Mapping[str, Any], fits: Callable[[str, str], bool]) -> bool:  # Any: Cedar's JSON
    """False only if the head of a rule names one entity that does not fit."""
    entity = head.get("entity")
    if head["op"] not in {"==", "in"} or not isinstance(entity, Mapping):
        return True
    return fits(str(entity.get("type")), str(entity.get("id")))


def _refuse_repeated(rules: Sequence[Rule]) -> None:
    seen: dict[str, str] = {}
    for each in rules:
        if each.name in seen:
            raise ConfigurationError(
                _("two policies have the name {name}").format(name=each.name[:80]),
                where=each.file,
                do=_("give each its own @id"),
            )
        seen[each.name] = each.file


def _spoken(found: Rule, said: Mapping[str, Any]) -> Iterator[Spoken]:  # Any: Cedar's JSON
    """What a rule speaks of (rule 6)."""
    if not found.permits:
        for kind, name in _entities(said):
            dataset, _slash, column = name.partition("/") if kind == "Column" else (name, "", "")
            yield Spoken(found, dataset, folded(column))
    head = said["resource"].get("entity")
    if found.masks and isinstance(head, Mapping) and head.get("type") == "Dataset":
        yield from (Spoken(found, str(head["id"]), column) for column in found.masks if column != EVERY)


def _entities(value: Any) -> Iterator[tuple[str, str]]:  # Any: Cedar's JSON
    match value:
        case {"type": "Dataset" | "Column" as kind, "id": str(name)}:
            yield str(kind), name
        case dict():
            yield from (found for each in value.values() for found in _entities(each))
        case list():
            yield from (found for each in value for found in _entities(each))


def _plain(value: Any) -> Any:  # Any: Cedar's JSON
    """The same policy with the ids of columns folded (rule 3)."""
    match value:
        case {"type": "Column", "id": str(text)}:
            return {**value, "id": _id(*text.split("/", 1)) if "/" in text else folded(text)}
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case _:
            return value


def _id(dataset: str, column: str) -> str:
    return f"{dataset}/{folded(column)}"


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": unicodedata.normalize("NFC", name)}


def _names(asked: Asked) -> list[dict[str, str]]:
    return [_uid("Principal", asked.principal.name), *(_uid("Role", role) for role in asked.principal.roles)]


def _people(asked: Asked) -> list[dict[str, Any]]:  # Any: JSON values
    roles = [_uid("Role", each) for each in dict.fromkeys(asked.principal.roles)]
    return [
        *({"uid": each, "attrs": {}, "parents": []} for each in roles),
        {"uid": _uid("Principal", asked.principal.name), "attrs": {}, "parents": roles},
    ]


def _things(resource: Resource, ids: Sequence[str]) -> list[dict[str, Any]]:  # Any: JSON values
    whole = _uid("Dataset", resource.dataset)
    unknown = ColumnFacts("", classification="", restricted=False)
    found = {
        one: {"uid": _uid("Column", one), "attrs": _attributes(resource, each), "parents": [whole]}
        for one, each in zip(ids, resource.columns, strict=True)
    }
    attributes = {**_attributes(resource, unknown), "class": ""}
    return [{"uid": whole, "attrs": attributes, "parents": []}, *found.values()]


def _attributes(resource: Resource, column: ColumnFacts) -> dict[str, str | bool]:
    return {
        "name": resource.dataset,
        "column": column.name,
        "class": column.of.value if column.of else UNCLASSIFIED,
        "kind": column.kind,
        "classification": column.classification,
        "restricted": column.restricted,
        "personal": resource.personal,
    }


def _library() -> Any:  # Any: a module
    try:
        import cedarpy
    except ImportError as error:
        raise MissingExtra(
            _("{library} is not installed").format(library="cedarpy"), do="pip install 'lastro[policy]'"
        ) from error
    return cedarpy

"""Policies, as their authors look at them: what they give to whom and why, and whether their examples hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.model.access import Access, Act, Asked, Reach
from lastro.model.errors import NotPermitted, UnknownName
from lastro.model.reference import Reference
from lastro.model.text import _
from lastro.policy import basis
from lastro.workspace.access import admission
from lastro.workspace.access.inherited import purposes

if TYPE_CHECKING:
    from lastro.policy.example import Example, Outcome
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace

TESTS = ".test.yaml"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What somebody gets of each column of a version (or of the contract, `reference` then has no number), and why.

    `is_on` is false where there is no access control: then everybody reads everything, whatever `access` says.
    `refusal` says why there is no basis for the purpose; then nothing is read at all.
    """

    reference: str
    access: Access
    is_on: bool
    refusal: str = ""
    consent: str = ""

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The explanation as plain values."""
        asked = self.access.asked
        return {
            "reference": self.reference,
            "principal": asked.principal.name,
            "roles": list(asked.principal.roles),
            "action": asked.act.value,
            "purpose": asked.purpose,
            "basis": asked.basis,
            "access_control": self.is_on,
            "refusal": self.refusal,
            "consent": self.consent,
            "columns": {
                each.column: {
                    "reach": each.reach.value,
                    "mask": str(each.mask) if each.mask else None,
                    "rows": list(each.rows),
                    "because": list(each.because),
                    "why": each.why,
                }
                for each in self.access.columns
            },
        }

    def __repr__(self) -> str:
        counts = {reach: len(self.access.named(reach)) for reach in Reach}
        told = ", ".join(f"{count} {reach}" for reach, count in counts.items() if count)
        return f"<{self.access.asked.principal.name} and {self.reference}: {told}>"


def explain(
    workspace: Workspace, reference: str, *, who: str | None = None, purpose: str | None = None, act: str = "read"
) -> Explanation:
    """What `Workspace.explain` gives."""
    wanted = Reference.parse(reference)
    dataset = workspace.dataset(wanted.name)
    principal = admission.principal(workspace, name=who)
    has_version = dataset.table.head() is not None
    if has_version or "@" in reference:
        info = dataset.table.find(wanted.selector, collected=True)
        label, names = info.reference, info.schema.names
    else:
        label, names = dataset.name, dataset.contract().plan().schema.names
    name = basis.checked(purpose) if purpose is not None else admission.purpose_of(None)
    asked, refusal = Asked(principal, _act(act), name), ""
    try:
        asked, consent = _settled(dataset, asked)
    except NotPermitted as error:
        refusal, consent = error.what, ""
    is_on = admission.is_on(workspace)
    return Explanation(label, _decided(dataset, names, asked, is_on=is_on), is_on, refusal, consent)


def tested(workspace: Workspace) -> tuple[Outcome, ...]:
    """What every example of the workspace comes to. Raises `ConfigurationError`, `ContractError`, `UnknownName`."""
    from lastro.policy.example import examples

    folder = workspace.root / admission.FOLDER
    files = sorted(folder.glob(f"*{TESTS}")) if folder.is_dir() else []
    found = [each for path in files for each in examples(admission.text_of(path), name=path.name)]
    if not found:
        raise UnknownName(
            _("there are no examples of what policies should give"),
            where=str(folder),
            do=_("write policies/people.test.yaml, with `tests:`"),
        )
    return tuple(_outcome(workspace, each) for each in found)


def _outcome(workspace: Workspace, example: Example) -> Outcome:
    from lastro.policy.example import judged

    dataset = workspace.dataset(example.dataset)
    who = example.who(admission.principal(workspace, name=example.principal))
    try:
        asked, _consent = _settled(dataset, Asked(who, example.act, basis.checked(example.purpose)))
    except NotPermitted:
        return judged(example, None)
    names = dataset.contract().plan().schema.names
    return judged(example, _decided(dataset, names, asked, is_on=True))


def _settled(dataset: Dataset, asked: Asked) -> tuple[Asked, str]:
    """The question with the purpose as the contract has it, and whose consent it takes. Raises `NotPermitted`."""
    contract = dataset.contract() if dataset.has_contract() else None
    found = basis.settled(dataset.name, purposes(dataset, dataset.table.head(), contract), asked.purpose)
    if found is None:
        return asked, ""
    consent = _("only rows of those who consented") if found.consent else ""
    return Asked(asked.principal, asked.act, found.name, found.basis), consent


def _decided(dataset: Dataset, names: tuple[str, ...], asked: Asked, *, is_on: bool) -> Access:
    from lastro.model.access import ColumnAccess
    from lastro.policy.decide import decide

    if not is_on:
        why = _("there is no access control in this workspace")
        return Access(asked, dataset.name, tuple(ColumnAccess(name, Reach.CLEAR, why) for name in names))
    policies = admission.policies(dataset.workspace)
    return decide(asked, admission.resource(dataset, names), policies)


def _act(text: str) -> Act:
    if text not in tuple(Act):
        raise UnknownName(
            _("{action!r} is no action").format(action=text[:80]), do=_("use one of {keys}").format(keys=", ".join(Act))
        )
    return Act(text)

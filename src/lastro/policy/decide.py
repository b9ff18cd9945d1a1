"""What a principal gets of each column, from what the contract and the policies say.

Rules:

1. Deny by default. One policy that forbids wins over all that permit, and over the contract.
2. A policy that permits gives a column. Where none speaks of it, the contract gives the columns that are not restricted
   to the roles to which it gives the access `read`: a policy may narrow what the contract gives.
3. A cell is had in the clear only if some rule gives it so: a column is masked unless a rule without a mask gives all
   its rows, or no rule that gives it has a mask. Of several masks the one that hides most is used.
4. The rows of a column are those of any rule that gives it: if one of them has no condition, all.
5. A rule whose condition speaks of columns that the version does not have gives nothing of that version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lastro.model.access import Access, Act, Asked, ColumnAccess, ColumnFacts, Hiding, Mask, Reach, Resource
from lastro.model.errors import SqlRefused
from lastro.model.text import _, ngettext
from lastro.policy.cedar import Judged, Policies
from lastro.policy.rule import Rule

CONTRACT = "contract"
"""What gives a column where no policy does: the roles of the contract."""
_ORDER = tuple(Hiding)


def decide(asked: Asked, resource: Resource, policies: Policies) -> Access:
    """What the principal gets of each column, and why."""
    names = tuple(each.name for each in resource.columns)
    usable = {rule.name: _is_usable(rule, names) for rule in policies.rules if rule.rows}
    judged = policies.judge(asked, resource) if resource.columns else ()
    reads = asked.act is Act.READ and bool(resource.readers & set(asked.principal.roles))
    pairs = zip(resource.columns, judged, strict=True)
    columns = tuple(_column(column, each, usable, reads=reads) for column, each in pairs)
    return Access(asked, resource.dataset, columns)


def is_forbidden(asked: Asked, resource: Resource, policies: Policies) -> tuple[str, ...]:
    """The policies that forbid an action which hands nobody values, such as an ingestion; none if it may go on."""
    (judged,) = policies.judge(asked, Resource(resource.dataset, personal=resource.personal))
    forbidding = tuple(rule.name for rule in judged.rules if not rule.permits)
    return forbidding or ((_("a policy that cannot be asked"),) if judged.failed else ())


def is_permitted(asked: Asked, resource: Resource, policies: Policies) -> bool:
    """Whether a policy permits an action on a dataset as a whole, and none forbids it."""
    (judged,) = policies.judge(asked, Resource(resource.dataset, personal=resource.personal))
    return judged.allowed


def _is_usable(rule: Rule, names: Sequence[str]) -> bool:
    from lastro.engine import columns_in

    try:
        columns_in(rule.rows, names, where="@rows")
    except SqlRefused:
        return False
    return True


def _column(column: ColumnFacts, judged: Judged, usable: dict[str, bool], *, reads: bool) -> ColumnAccess:
    forbids = tuple(rule.name for rule in judged.rules if not rule.permits)
    if forbids:
        return ColumnAccess(column.name, Reach.DENIED, _forbidden(judged), forbids)
    if judged.failed:
        failed = ngettext("{n} policy could not be asked", "{n} policies could not be asked", judged.failed)
        return ColumnAccess(column.name, Reach.DENIED, failed.format(n=judged.failed))
    permits = tuple(rule for rule in judged.rules if judged.allowed and usable.get(rule.name, True))
    if permits:
        mask = _mask(permits, column.name)
        names = tuple(rule.name for rule in permits)
        why = _("permitted: {rules}").format(rules=", ".join(names))
        return ColumnAccess(column.name, Reach.MASKED if mask else Reach.CLEAR, why, names, mask, _rows(permits))
    if reads and not column.restricted and not judged.rules:
        return ColumnAccess(column.name, Reach.CLEAR, _("open to a role of the contract"), (CONTRACT,))
    return ColumnAccess(column.name, Reach.DENIED, _why_not(column, judged))


def _mask(permits: Sequence[Rule], column: str) -> Mask | None:
    """Rule 3."""
    said = [(rule.mask(column), rule.rows) for rule in permits]
    masks = [mask for mask, _rows in said if mask is not None]
    if not masks or any(mask is None and not rows for mask, rows in said):
        return None
    return max(masks, key=lambda mask: (_ORDER.index(mask.how), mask.n if mask.how is Hiding.ROUND else -mask.n))


def _rows(permits: Iterable[Rule]) -> tuple[str, ...]:
    """Rule 4."""
    conditions = [rule.rows for rule in permits]
    return () if not all(conditions) else tuple(dict.fromkeys(conditions))


def _forbidden(judged: Judged) -> str:
    reasons = [rule.reason or rule.name for rule in judged.rules if not rule.permits]
    return _("forbidden: {reasons}").format(reasons=", ".join(reasons))


def _why_not(column: ColumnFacts, judged: Judged) -> str:
    if judged.rules:
        return _("the rows of {rules} cannot be told in this version").format(
            rules=", ".join(rule.name for rule in judged.rules)
        )
    if column.of is None and column.restricted:
        return _("not classified yet, and no policy permits it")
    return _("no policy permits it")

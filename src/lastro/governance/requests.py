"""The register of requests: who may wait until when, with nothing in it that says who it is.

GDPR 12(3), 12(4); LGPD 18 §3 to §5, 19.

Rules:

1. A request has a random id. The register holds no name, no value and no token: whose it is, the controller's letters
   say. What people type (`basis`, `outcome`) is theirs to keep free of values, and is short.
2. GDPR: the answer is due one month after the request came: on the same day of the next month, or on that month's last
   day. LGPD: after 15 days (19 II, for access; for other rights the law says at once, and 15 days is the yardstick).
3. Which law counts is what the basis names; both, where it names neither. A request is overdue after the first last day
   of these. Weekends and extensions (GDPR 12(3): two months more, said within the first) move nothing here.
4. The file is a chain (`lastro.model.chain`): what was entered stays, and later records say what became of it.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from lastro.model import chain
from lastro.model.errors import UnknownName, UsageError
from lastro.model.subject import Due, Request
from lastro.model.text import _
from lastro.store.lock import held

FILE = "requests.jsonl"
RIGHTS = ("access", "portability", "rectification", "erasure", "objection", "restriction", "retention")
TEXT_MAX = 200
_ID = re.compile(r"req-[0-9a-f]{12}", re.ASCII)
_LGPD_DAYS = 15
_PATIENCE_S = 60.0


def dues(received: date, basis: str) -> tuple[Due, ...]:
    """When the laws that a basis names want the answer (rules 2 and 3)."""
    gdpr, lgpd = "gdpr" in basis.casefold(), "lgpd" in basis.casefold()
    found = []
    if gdpr or not lgpd:
        found.append(Due("GDPR", "12(3)", month_after(received)))
    if lgpd or not gdpr:
        found.append(Due("LGPD", "19, II", received + timedelta(days=_LGPD_DAYS)))
    return tuple(found)


def month_after(day: date) -> date:
    """The same day of the next month, or that month's last day."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def new_id(random: bytes) -> str:
    """A request's id, of six random bytes."""
    return f"req-{random[:6].hex():0>12}"


def checked_id(text: str) -> str:
    """The id itself, if it is well formed. Raises `UsageError`, which does not hold it."""
    if not _ID.fullmatch(text):
        raise UsageError(_("this is no request's id"), do=_("lastro subject requests lists them: req-…"))
    return text


@dataclass(frozen=True, slots=True)
class Register:
    """The register in a file. Every method raises `Corrupted`, `ConfigurationError`, `StoreError`."""

    path: Path

    def read(self) -> tuple[Request, ...]:
        """Every request, in the order in which they were entered."""
        return tuple(_read(chain.read(self.path), self.path).values())

    def get(self, id_: str) -> Request:
        """One request. Raises `UsageError`, `UnknownName`."""
        found = {each.id: each for each in self.read()}.get(checked_id(id_))
        if found is None:
            raise UnknownName(_("there is no such request"), do=_("lastro subject requests lists them: req-…"))
        return found

    def enter(self, request: Request, *, actor: str) -> Request:
        """Enters a new request. Raises `UsageError`, `Locked`, `WriteFailed`."""
        if request.right not in RIGHTS:
            raise UsageError(
                _("this is no right of a person"), do=_("use one of {keys}").format(keys=", ".join(RIGHTS))
            )
        _check_text(request.basis)
        record = {
            "change": "entered",
            "request": request.id,
            "right": request.right,
            "received": request.received.isoformat(),
            "basis": request.basis,
            "actor": actor,
        }
        self._append(record)
        return replace(request, dues=dues(request.received, request.basis))

    def answer(self, id_: str, day: date, outcome: str, *, actor: str) -> Request:
        """Says that a request was answered, and how; said again, the newest answer counts. Raises as `get` and `enter`
        do.
        """
        found = self.get(id_)
        _check_text(outcome)
        self._append({"change": "answered", "request": id_, "day": day.isoformat(), "outcome": outcome, "actor": actor})
        return replace(found, answered=day, outcome=outcome)

    def _append(self, record: Mapping[str, Any]) -> None:  # Any: JSON values
        with held(self.path.with_suffix(".lock"), dataset=self.path.name, timeout_s=_PATIENCE_S):
            chain.append(self.path, [record])


def by_urgency(requests: tuple[Request, ...], today: date) -> tuple[Request, ...]:
    """Overdue ones first, then open ones by their last day, then those that were answered, the newest first."""
    still = sorted((each for each in requests if each.answered is None), key=lambda each: (each.due, each.id))
    overdue = [each for each in still if each.is_overdue(today)]
    rest = [each for each in still if not each.is_overdue(today)]
    done = sorted((each for each in requests if each.answered is not None), key=lambda each: str(each.answered))
    return (*overdue, *rest, *done[::-1])


def _check_text(text: str) -> None:
    if len(text) > TEXT_MAX or not text.isprintable():
        raise UsageError(
            _("the text is longer than {n} characters, or has control characters").format(n=TEXT_MAX),
            do=_("write the article, such as LGPD art. 18, II; no name and no value belongs into the register"),
        )


def _read(found: chain.Chain, path: Path) -> dict[str, Request]:
    requests: dict[str, Request] = {}
    for record in found.records:
        try:
            _take(requests, record)
        except (ValueError, LookupError, TypeError) as error:
            raise chain.damaged(f"{path}:{record['number'] + 1}") from error
    return requests


def _take(requests: dict[str, Request], record: Mapping[str, Any]) -> None:  # Any: JSON values
    id_ = str(record["request"])
    match record["change"]:
        case "entered":
            received, basis = date.fromisoformat(record["received"]), str(record["basis"])
            requests[id_] = Request(id_, str(record["right"]), received, basis, dues(received, basis))
        case "answered":
            day, outcome = date.fromisoformat(record["day"]), str(record["outcome"])
            requests[id_] = replace(requests[id_], answered=day, outcome=outcome)
        case other:
            raise ValueError(other)

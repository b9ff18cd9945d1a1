"""What stays of events and changes once people were erased. Values in, values out.

Rules:

1. Texts are given to `text`, which takes out what must not stay: sentences, advice, reasons. Names of datasets,
   monitors and rules, and who did something, stay.
2. Of the datasets in `lost`, the number goes that a rule or a refusal measured, and the sentence that says it: a mean
   or an extreme may be one person's value. Counts of rows are history, and stay.
3. A look whose chain was written anew is named by the chain's new beginning (`chains`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from lastro.alert.event import Event, Kind
from lastro.alert.incident import Change
from lastro.model.errors import DataRefused

Text = Callable[[str], str]
_MEASURED = "measured"


def event_left(event: Event, text: Text, lost: Collection[str]) -> Event:
    """What is left of an event; the very same if nothing goes."""
    what, numbers = event.what, event.numbers
    if event.dataset in lost and event.code == DataRefused.code:
        numbers = {name: number for name, number in numbers.items() if name != _MEASURED}
        says_rows = event.kind is Kind.BROKEN and numbers.get("refused")
        what = what if says_rows else event.title
    left = replace(event, what=text(what), do=text(event.do), numbers=numbers)
    return event if left == event else left


def change_left(change: Change, text: Text, lost: Collection[str], chains: Mapping[str, str]) -> Change:
    """What is left of a change; the very same if nothing goes."""
    left = replace(
        change,
        reason=text(change.reason),
        to=text(change.to),
        event=None if change.event is None else event_left(change.event, text, lost),
        chain=chains.get(change.chain, change.chain),
    )
    return change if left == change else left

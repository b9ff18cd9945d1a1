"""Errors as a person reads them: what, where, what to do, and in which state the data is."""

from __future__ import annotations

from lastro.model.errors import DataRefused, LastroError
from lastro.model.text import _
from lastro.report.blocks import Tone
from lastro.report.cells import clean, pad, width
from lastro.report.findings import findings
from lastro.report.plain import Page, painted, to_text


def problem(error: LastroError, page: Page) -> str:
    """The error in up to four paragraphs, the last three labelled; every line of them is escaped.

    Refused data is followed by the rules that it broke.
    """
    labels = ((_("where"), error.where), (_("do"), error.do), (_("state"), error.state))
    head = painted(_("error"), Tone.BAD, page)
    lines = [f"{head} {error.code}: {_hanging(error.what, 2)}"]
    wide = max(width(label) for label, _text in labels)
    lines += [f"  {pad(label, wide)}  {_hanging(text, wide + 4)}" for label, text in labels if text]
    if isinstance(error, DataRefused) and (broken := findings(error.findings, passed=False)):
        lines += ["", to_text(broken, page)]
    return "\n".join(lines)


def _hanging(text: str, indent: int) -> str:
    """Further lines are moved in, so that no text of an error can look like a line of its own."""
    return ("\n" + " " * indent).join(clean(line) for line in text.split("\n"))

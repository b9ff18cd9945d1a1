"""Where the story is told, and how its numbers are held against what was planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lastro.model.errors import LastroError
from lastro.model.text import _
from lastro.report.blocks import Blocks, Code, Column, Line, Title, Tone, bar, table
from lastro.report.numbers import number
from lastro.report.plain import Page, to_text


@dataclass(frozen=True, slots=True)
class Stage:
    """What says a line, and how wide a line may be."""

    out: Callable[[str], None]
    page: Page

    def chapter(self, title: str, *commands: str) -> None:
        """Begins a step: what it does, and the commands that do the same."""
        self.out("")
        self.show((Title(f"── {title}"), *(Code(f"$ {command}") for command in commands)))

    def show(self, blocks: Blocks) -> None:
        """Shows a part of a report."""
        self.out(to_text(blocks, self.page))

    def say(self, sentence: str, *, tone: Tone = Tone.PLAIN) -> None:
        """Says a sentence."""
        self.show((Line(sentence, tone),))


@dataclass(frozen=True, slots=True)
class Compared:
    """One number held against what was planted: in what words, and how many there are of each."""

    what: str
    planted: int
    found: int


def hold_against(stage: Stage, rows: list[Compared]) -> None:
    """Shows planted and found side by side. Raises `LastroError` at the first difference: the story would be a lie."""
    columns = (
        Column(_("planted fault")),
        Column(_("planted"), right=True),
        Column(_("found"), right=True),
        Column("", fixed=True),
    )
    most = max(row.found for row in rows)
    lines = ((row.what, number(row.planted), number(row.found), bar(row.found, most)) for row in rows)
    stage.show((table(columns, lines),))
    for row in rows:
        same(row.what, row.planted, row.found)


def same(what: str, expected: object, found: object) -> None:
    """Raises `LastroError` unless what was found is what was expected."""
    if expected != found:
        raise LastroError(
            _("the demo expected {expected} and found {found}: {what}").format(
                expected=expected, found=found, what=what
            ),
            do=_("this is a bug in Lastro; report it with the version that lastro --version prints"),
        )

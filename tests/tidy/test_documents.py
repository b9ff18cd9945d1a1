"""What the documents promise.

1. Every error code is explained, in both languages: what happened, why, what to do.
2. Every link to a place in this project leads there, headings included.
3. Every command and every `make` target that a page shows exists.
4. The glossary explains every word of the design's list.
5. The README and every tutorial stand in both languages, lead to each other in their first lines, and have the same
   sections, commands and code; what differs are comments, prose and what the commands print.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tidy.tree import ROOT, Block, blocks, pages, told

from lastro.model import errors

LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.*)$", re.MULTILINE)
COMMAND = re.compile(r"^\s*(?:\$ )?lastro ([a-z][a-z-]*)", re.MULTILINE)
TARGET = re.compile(r"^\s*(?:\$ )?make ([a-z]+)", re.MULTILINE)
SHELL = {"sh", "bash", "console", "shell"}

WORDS = (
    *("workspace", "source", "contract", "dataset", "version", "tag", "reference", "run"),
    *("finding", "quarantine", "subject", "token", "vault", "ledger", "certificate"),
)

TUTORIALS = ROOT / "docs" / "tutorial"
BOTH_LANGUAGES = [ROOT / "README.md", *(page for page in TUTORIALS.glob("*.md") if ".pt-BR" not in page.name)]
PRINTED = {"output", "story"}

ERRORS = {
    "errors.md": ("**What**", "**Why**", "**Do**"),
    "errors.pt-BR.md": ("**O quê**", "**Por quê**", "**O que fazer**"),
}


@pytest.mark.parametrize("page", ERRORS)
def test_every_error_code_is_explained(page: str) -> None:
    text = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    lacking = [
        f"{kind.code} {name}: {part}"
        for name, kind in error_classes().items()
        for part in ERRORS[page]
        if part not in section(text, f"{kind.code} {name}")
    ]

    assert not lacking, told(lacking)


@pytest.mark.parametrize("page", ERRORS)
def test_no_error_is_explained_that_does_not_exist(page: str) -> None:
    text = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")

    assert set(re.findall(r"LST-\d{4}", text)) <= {kind.code for kind in error_classes().values()}


def test_every_link_leads_somewhere() -> None:
    dead = [f"{page.relative_to(ROOT)}: {link}" for page in pages() for link in links(page) if not leads(page, link)]

    assert not dead, told(dead)


def test_every_command_exists() -> None:
    known = commands()
    unknown = [
        f"{block.at}: lastro {verb}"
        for page in pages()
        for block in blocks(page)
        if block.language in SHELL
        for verb in COMMAND.findall(block.text)
        if verb not in known
    ]

    assert not unknown, told(unknown)


def test_every_make_target_exists() -> None:
    known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    unknown = [
        f"{block.at}: make {target}"
        for page in pages()
        for block in blocks(page)
        if block.language in SHELL
        for target in TARGET.findall(block.text)
        if target not in known
    ]

    assert not unknown, told(unknown)


def test_the_glossary_explains_every_word() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").lower()

    assert [word for word in WORDS if f"**{word}**" not in text] == []


def test_every_tutorial_stands_in_both_languages() -> None:
    names = {page.name for page in TUTORIALS.glob("*.md")}
    lacking = sorted(name for name in names if counterpart(name) not in names)

    assert names
    assert not lacking, told(lacking)


@pytest.mark.parametrize("english", BOTH_LANGUAGES, ids=lambda page: page.stem)
def test_both_languages_say_the_same(english: Path) -> None:
    portuguese = english.with_name(counterpart(english.name))

    assert counterpart(english.name) in links(english)[:1]
    assert english.name in links(portuguese)[:1]
    assert len(headings(english)) == len(headings(portuguese))
    assert [*map(essence, blocks(english))] == [*map(essence, blocks(portuguese))]


def counterpart(name: str) -> str:
    """What a page is called in the other language."""
    base = name.removesuffix(".md")
    return f"{base.removesuffix('.pt-BR')}.md" if base.endswith(".pt-BR") else f"{base}.pt-BR.md"


def essence(block: Block) -> tuple[str, str, list[str]]:
    """What a block is and does in any language; of what is only printed, that it is there. Files that Lastro writes in
    both languages may be read in the page's own.
    """
    kind = block.remark.partition(":")[0]
    is_printed = kind in PRINTED or (block.language == "text" and not kind)
    return block.language, block.remark, [] if is_printed else commands_of(block.text.replace(".pt-BR.", ".en."))


def error_classes() -> dict[str, type[errors.LastroError]]:
    """Every error class by its name."""
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    return {name: kind for name, kind in kinds.items() if issubclass(kind, errors.LastroError)}


def section(text: str, title: str) -> str:
    """The text from a heading to the next one; empty if there is no such heading."""
    _, _, after = text.partition(f" {title}\n")
    return re.split(r"^#{1,6} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def links(page: Path) -> list[str]:
    """Links to other places in this project; code blocks do not count."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]


def leads(page: Path, link: str) -> bool:
    place, _, anchor = link.partition("#")
    target = (page.parent / place).resolve() if place else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in [slug(title) for title in headings(target)]


def headings(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return HEADING.findall(text)


def slug(title: str) -> str:
    """A heading's anchor, as GitHub forms it."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def commands() -> set[str]:
    """The command line's verbs, as `lastro --help` lists them."""
    program = "from lastro.cli.main import main; main()"
    arguments = [sys.executable, "-c", program, "--help"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True, env={"LASTRO_LANG": "en"})
    return set(re.findall(r"^ {2,4}([a-z][a-z-]*)(?: {2,}|$)", done.stdout, re.MULTILINE))


def commands_of(text: str) -> list[str]:
    """The lines of a block without comments, so that two languages can be compared."""
    return [line.split("#")[0].rstrip() for line in text.splitlines() if line.split("#")[0].strip()]

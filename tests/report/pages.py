"""What a page of HTML must be, whatever it shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree as ET

VOID = {"meta"}
SVG = re.compile(r"<svg .*?</svg>", re.DOTALL)
ELSEWHERE = re.compile(
    r"https?:|<script|<link|<img|<iframe|@import|url\(|\bsrc=|\bon[a-z]+=\"|javascript:", re.IGNORECASE
)
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Page(HTMLParser):
    """Reads a page and refuses tags that do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: dict[str, list[dict[str, str | None]]] = {}
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.attributes.setdefault(tag, []).append(given)
        self.ids += [value for name, value in attrs if name == "id" and value is not None]
        self.links += [value for name, value in attrs if name == "href" and value is not None]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def held(html: str) -> Page:
    """The page, after it was held to all that every page must be."""
    page = Page(html)
    assert page.open == []
    assert not ELSEWHERE.search(re.sub(r"&[a-z0-9#]+;", "", html)), "something is loaded from elsewhere, or runs"
    assert not CONTROL.search(html)
    html.encode()
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert all(given.get("scope") in {"col", "row"} for given in page.attributes.get("th", []))
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    for picture in SVG.findall(html):
        root = ET.fromstring(picture)
        assert root.get("role") == "img"
        assert root.get("aria-label")
        assert {element.tag for element in root.iter()} <= {"svg", "text", "path"}
    assert page.tags.count("figure") == page.tags.count("figcaption") == page.tags.count("svg")
    return page

"""Lineage as a tree and as a picture: the same bytes each time, whatever the names are."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.lineage import ColumnOrigin, Kind, Lineage, Link, Node, Presence
from lastro.report.drawing import to_svg
from lastro.report.lineage import columns, columns_verdict, lineage, lineage_verdict
from lastro.report.plain import Page, to_text

GOLDEN = Path(__file__).parent / "lineage.svg"
DIGEST = "sha256:" + "0123456789abcdef" * 4
HOSTILE = "</title><script>alert(1)</script>&\"'\x1b[2J\u202e\x00"
NS = "{http://www.w3.org/2000/svg}"


def graph(*names: str) -> Lineage:
    """A version made from sources of these names by a step and a version that is gone; a run used it."""
    start = Node(Kind.VERSION, "by_state@1", DIGEST)
    old = Node(Kind.VERSION, "loans@0", DIGEST, Presence.MISSING)
    mid = Node(Kind.VERSION, "clients@3", DIGEST, Presence.EXPIRED)
    step = Node(Kind.STEP, "transforms/by_state.sql")
    run = Node(Kind.RUN, "20261122T101500123-0a1b2c3d", "train")
    sources = [Node(Kind.SOURCE, name) for name in names]
    links = [Link(one.id, start.id) for one in (step, old, mid)]
    links += [Link(one.id, mid.id) for one in sources] + [Link(start.id, run.id)]
    return Lineage(start, (start, step, old, mid, *sources, run), tuple(dict.fromkeys(links)))


def shown(found: Lineage) -> str:
    return to_text(lineage(found), Page())


def test_the_tree_is_read_from_the_version_outwards() -> None:
    assert shown(graph("clients.csv")).splitlines() == [
        "version  by_state@1  sha256:0123456789ab",
        "",
        "made from",
        "  step  transforms/by_state.sql",
        "  version  loans@0  sha256:0123456789ab  missing",
        "  version  clients@3  sha256:0123456789ab  collected",
        "    source  clients.csv",
        "",
        "used by",
        "  run  20261122T101500123-0a1b2c3d  train",
    ]
    assert lineage_verdict(graph("clients.csv")) == "by_state@1: made from 4, used by 1; 1 is missing"


def test_columns_are_told_with_their_versions() -> None:
    start = Node(Kind.COLUMN, "by_state@1", DIGEST, column="total")
    old = Node(Kind.COLUMN, "loans@0", DIGEST, Presence.MISSING, "amount")
    step = Node(Kind.STEP, "transforms/a.py", presence=Presence.UNKNOWN)
    found = Lineage(start, (start, old, step), (Link(old.id, start.id), Link(step.id, start.id)))

    assert shown(found).splitlines()[:5] == [
        "column  total  by_state@1",
        "",
        "made from",
        "  column  amount  loans@0  missing",
        "  step  transforms/a.py  columns not known",
    ]
    assert lineage_verdict(found) == "by_state@1 total: made from 2, used by 0; 1 is missing"
    assert ">total</text>" in to_svg(found)


def test_what_columns_were_made_from_is_a_table() -> None:
    amount = Node(Kind.COLUMN, "loans@0", DIGEST, Presence.EXPIRED, "amount")
    step = Node(Kind.STEP, "transforms/a.py", presence=Presence.UNKNOWN)
    origins = (ColumnOrigin("total", (amount,)), ColumnOrigin("n"), ColumnOrigin(HOSTILE, (step,)))

    text = to_text(columns("by_state@1", origins), Page(width=200))

    assert "total" in text
    assert "loans@0 amount (collected)" in text
    assert "no column" in text
    assert "step transforms/a.py (columns not known)" in text
    assert "\x1b" not in text
    assert columns_verdict("by_state@1", origins) == "by_state@1: 3 columns; of 1 it is not known what it was made from"


def test_nothing_recorded_is_said() -> None:
    start = Node(Kind.VERSION, "loans@0", DIGEST)

    text = shown(Lineage(start, (start,), (), cut=True))

    assert text.count("nothing recorded") == 2
    assert text.endswith("there is more; only the nearest are shown")


def test_the_picture_is_the_golden_file() -> None:
    assert to_svg(graph("clients.csv")) == GOLDEN.read_text(encoding="utf-8")


def test_the_picture_stands_alone_and_says_what_it_is() -> None:
    picture = to_svg(graph("clients.csv"))
    root = ET.fromstring(picture)

    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)|<script|<image|@import|href|url\((?!#)", picture)
    assert root.findtext(f"{NS}title") == "Lineage of by_state@1"
    assert root.findtext(f"{NS}desc") == "by_state@1: made from 4, used by 1; 1 is missing"
    assert "prefers-color-scheme: dark" in (root.findtext(f"{NS}style") or "")


@pytest.mark.parametrize("name", [HOSTILE, "x" * 100_000, "語" * 5_000, "e\u0301" * 9_000, "\ud800", ""])
def test_any_name_is_shown_as_a_text_of_bounded_length(name: str) -> None:
    found = graph(name)

    root = ET.fromstring(to_svg(found).encode())

    tags = {element.tag.removeprefix(NS) for element in root.iter()}
    assert tags == {"svg", "title", "desc", "style", "defs", "marker", "path", "g", "rect", "text"}
    assert len(to_svg(found)) < 10_000
    assert max(map(len, shown(found).splitlines())) < 500
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", shown(found) + to_svg(found))


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_any_graph_ends_and_every_node_has_its_box(pairs: list[tuple[int, int]]) -> None:
    nodes = {number: Node(Kind.VERSION, f"d@{number}", DIGEST) for number in range(8)}
    links = tuple(dict.fromkeys(Link(nodes[a].id, nodes[b].id) for a, b in pairs if a != b))
    reached = Lineage(nodes[0], tuple(nodes.values()), links)
    told = {nodes[0].id} | {p.node.id for way in (True, False) for p in reached.tree(downstream=way)}
    kept = tuple(node for node in nodes.values() if node.id in told)
    found = Lineage(nodes[0], kept, tuple(link for link in links if {link.upstream, link.downstream} <= told))

    root = ET.fromstring(to_svg(found))

    places = [(box.get("x"), box.get("y")) for box in root.iter(f"{NS}rect")]
    assert len(places) == len(set(places)) == len(kept)


def test_a_chain_of_any_length_is_told() -> None:
    nodes = [Node(Kind.VERSION, f"d@{number}", DIGEST) for number in range(500)]
    chain = tuple(Link(after.id, before.id) for before, after in pairwise(nodes))
    found = Lineage(nodes[0], tuple(nodes), chain)

    lines = shown(found).splitlines()

    assert len(lines) == 500 + 5
    assert max(map(len, lines)) < 120
    assert found.columns()[nodes[-1].id] == -499

"""The benchmarks run, at a size that says nothing about speed, and record what they measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench.cases import TOPICS, Topic
from bench.figure import Figure, rendered
from bench.process import Side, alternate, cost, cpu
from tests.tidy.tree import ROOT

from bench import page


@pytest.mark.xdist_group("postgres")
@pytest.mark.soak
def test_a_small_run_measures_everything_and_records_nothing() -> None:
    pages = {topic.page for topic in TOPICS}
    before = [page.read_bytes() for page in pages]

    done = subprocess.run(
        [sys.executable, "-m", "bench", "--small"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) >= 16
    assert all(line.startswith(("ok  ", "MISS")) for line in lines)
    assert [page.read_bytes() for page in pages] == before


def test_what_a_process_costs_is_what_it_used() -> None:
    busy = "import time\nwhile time.process_time() < 0.4: pass"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}]); print('done')"

    spent = cost(Side("child", ("-c", child)))

    assert spent.output == "done\n"
    assert 0.4 <= spent.cpu_s < 10
    assert spent.peak_bytes > 5 << 20


def test_memory_of_children_counts() -> None:
    hold = "x = bytearray(150 << 20); import time; time.sleep(0.6)"
    both = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {hold!r}]); exec({hold!r}); c.wait()"

    spent = cost(Side("both", ("-c", both)))

    assert spent.peak_bytes > 300 << 20


def test_a_side_that_fails_says_what_it_printed() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        cost(Side("broken", ("-c", "raise SystemExit('no such thing')")))


def test_sides_take_turns() -> None:
    order: list[str] = []
    sides = [Side(name, ("-c", "pass"), lambda name=name: order.append(name)) for name in ("a", "b")]

    costs = alternate(sides, rounds=3)

    assert order == ["a", "b", "b", "a", "a", "b"]
    assert cpu(costs["a"]) > 0


def test_figures_are_recorded_between_the_markers(tmp_path: Path) -> None:
    place = tmp_path / "benchmarks.md"
    other = "<!-- figures: begin -->\nthe usual ones\n<!-- figures: end -->\n"
    place.write_text(f"head\n{other}<!-- quality: begin -->\nold\n<!-- quality: end -->\ntail\n")

    page.write(place, "quality", rendered([Figure("work", "<= 2.0x", "1.50x", met=True, details="details")]))

    text = place.read_text()
    assert text.startswith("head\n") and text.endswith("tail\n")
    assert "| work | <= 2.0x | 1.50x | yes | details |" in text
    assert "old" not in text
    assert other in text


def test_nothing_is_recorded_in_a_page_that_has_no_place_for_it(tmp_path: Path) -> None:
    place = tmp_path / "benchmarks.md"
    place.write_text("<!-- figures: begin -->\n<!-- figures: end -->\n")

    with pytest.raises(LookupError, match="no block peers"):
        page.write(place, "peers", "told")

    assert "told" not in place.read_text()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_has_its_block_in_its_page(topic: Topic) -> None:
    text = topic.page.read_text()

    assert text.count(f"<!-- {topic.block}: begin -->") == text.count(f"<!-- {topic.block}: end -->") == 1

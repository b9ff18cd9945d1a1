"""The comparisons: every topic, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from bench import api, governed, logs, nothing_new, postgres, start
from bench.figure import Figure, Size

TOPICS = (governed, start, nothing_new, postgres, api, logs)


def figures(size: Size) -> Iterator[Figure]:
    """Every figure of every topic."""
    for topic in TOPICS:
        yield from topic.figures(size)

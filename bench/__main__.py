"""`python -m bench [--small | --full] [--topic TOPIC]`: measures, prints, and records tables in the documentation.

`--small` is a smoke run that records nothing and leaves out what has to be installed; `--full` adds the ingestion of 20
million rows and more rounds of the calibrations. One topic alone is recorded in a table of its own, if it has one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bench import page
from bench.cases import SHARED, TOPICS, Topic
from bench.figure import FULL, SMALL, USUAL, Figure, Size, rendered


def main() -> int:
    """Measures and tells; the exit code is 0 even where a goal is missed, since speed is no test."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--small", action="store_const", const=SMALL, dest="size", default=USUAL)
    size.add_argument("--full", action="store_const", const=FULL, dest="size")
    parser.add_argument("--topic", choices=[topic.name for topic in TOPICS])
    given = parser.parse_args()
    shared = []
    for topic in TOPICS:
        if topic.name == given.topic or (given.topic is None and (topic.small or given.size is not SMALL)):
            shared += told(topic, given.size)
    if shared and given.topic is None and given.size is not SMALL:
        page.write(TOPICS[0].page, SHARED, rendered(shared))
    return 0


def told(topic: Topic, size: Size) -> Sequence[Figure]:
    """Measures a topic, prints it and records its own block; the figures that belong to the shared one."""
    if topic.figures is None:
        text = topic.tables(size)
        print(f"ok    {topic.name}: tables of {len(text.splitlines())} lines" if size is SMALL else text, flush=True)
        if size is not SMALL:
            page.write(topic.page, topic.block, text)
        return ()
    found = []
    for figure in topic.figures(size):
        found.append(figure)
        verdict = "ok  " if figure.met else "MISS"
        print(f"{verdict}  {figure.measured:>9}  ({figure.goal})  {figure.work}; {figure.details}", flush=True)
    if topic.block == SHARED:
        return found
    if size is not SMALL:
        page.write(topic.page, topic.block, rendered(found))
    return ()


if __name__ == "__main__":
    sys.exit(main())

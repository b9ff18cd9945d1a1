"""The lender's web server: access logs in the combined format, an old one compressed, with some broken lines."""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

PATHS = ("/simulate", "/apply", "/status", "/login", "/help", "/contract.pdf")
AGENTS = ("LenderApp/4.2 (Android 15)", "LenderApp/4.2 (iOS 20)", "Mozilla/5.0 (X11; Linux x86_64)", "curl/8.14")
BROKEN = ("disk full", "10.0.0.7 - -", "GET /apply HTTP/1.1", "--- log rotated ---")
"""What stands in the log beside requests."""


def write(path: Path, random: Random, *, month: datetime, requests: int) -> int:
    """Writes one log file of `requests` requests of a month in order; gives the number of broken records in it.

    A name that ends in `.gz` is compressed, without a time in its header, so that the same seed gives the same bytes.
    """
    moments = sorted(month + timedelta(seconds=random.randrange(30 * 86_400)) for _ in range(requests))
    lines = [_line(random, moment) for moment in moments]
    broken = [random.choice(BROKEN) for _ in range(max(1, requests // 500))]
    for text in broken:
        lines.insert(random.randrange(len(lines)), text)
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return len(broken)


def _line(random: Random, moment: datetime) -> str:
    address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    method = random.choices(("GET", "POST"), (80, 20))[0]
    status = random.choices((200, 302, 404, 500), (90, 6, 3, 1))[0]
    when = moment.strftime("%d/%b/%Y:%H:%M:%S -0300")
    request = f"{method} {random.choice(PATHS)} HTTP/2.0"
    return f'{address} - - [{when}] "{request}" {status} {random.randrange(200, 90_000)} "-" "{random.choice(AGENTS)}"'

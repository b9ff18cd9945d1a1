"""A process that is killed while it adds leaves a ledger that is whole, with everything that was acknowledged."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.ledger.test_ledger import ORIGIN, PUBLIC

from lastro.ledger.audit import audit

ADDING = """
import sys
from pathlib import Path
from tests.ledger.test_ledger import made
for count in range(1, 10_000):
    made(Path(sys.argv[1]), [count % 400 + 1]).close()
    print(count % 400 + 1, flush=True)
"""


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    path, draw, acknowledged = tmp_path / "ledger.sqlite", random.Random(5), 0
    for _kill in range(6):
        child = subprocess.Popen([sys.executable, "-c", ADDING, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        lines = [child.stdout.readline()]  # it has begun
        time.sleep(draw.random() / 5)
        child.send_signal(signal.SIGKILL)
        lines += child.communicate()[0].splitlines()
        acknowledged += sum(int(line) for line in lines if line.strip())

        found = audit(path, PUBLIC)
        assert found.passed, found.faults
        assert acknowledged <= found.events <= acknowledged + 400
        assert found.head is not None and found.head.origin == ORIGIN
        acknowledged = found.events

"""Large inputs, run by `make soak`: memory stays bounded whatever the size."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.engine.duck.conftest import Stage, plan

from lastro.engine.scan import Csv
from lastro.model.errors import SourceBroken

STAGE = """
    import json, re, resource, sys
    from pathlib import Path
    from lastro.engine.duck.engine import DuckEngine
    from lastro.engine.scan import Csv, FileScan
    from lastro.model.finding import Policy
    from lastro.model.plan import CastHolds, ColumnPlan, Plan, RowRule, Within
    from lastro.model.schema import Primitive

    names = [f"n{index}" for index in range(6)] + [f"t{index}" for index in range(6)]
    kinds = {name: Primitive.LONG if name.startswith("n") else Primitive.STRING for name in names}
    rules = [RowRule(f"{name}.type", CastHolds(name), Policy.QUARANTINE) for name in names]
    rules.append(RowRule("n1.range", Within("n1", "0", sys.argv[3]), Policy.QUARANTINE))
    columns = tuple(ColumnPlan(name, name, kind) for name, kind in kinds.items())
    plan = Plan("d", "", columns, tuple(rules), primary_key=("n2",))
    engine = DuckEngine(temp=Path(sys.argv[2]) / "spill")
    staged = engine.stage(plan, FileScan((Path(sys.argv[1]),), Csv()), Path(sys.argv[2]), batch="b")
    # What this process uses stands here; its ru_maxrss is that of the process which started it, if that was larger.
    own = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
    peak = own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps([staged.counts.read, staged.counts.kept, staged.refused["primary_key"], peak // 1024]))
"""
WITHIN_A_LARGE_PROCESS = "import subprocess, sys; held = b'x' * (1 << 30); sys.exit(subprocess.call(sys.argv[1:]))"
GIB = 1024


def write_rows(source: Path, rows: int) -> None:
    """Six columns of numbers, six of texts; two rows of twenty millions have the same key."""
    with source.open("w") as stream:
        stream.write(",".join([f"n{index}" for index in range(6)] + [f"t{index}" for index in range(6)]) + "\n")
        for start in range(0, rows, 10_000):
            stream.write(
                "".join(
                    f"{row},{row % 1000},{row * 7919 % 19_999_999},{row},{row},{row},text {row % 97},b,c,d,e,{row:09}\n"
                    for row in range(start, start + 10_000)
                )
            )


def staged(source: Path, folder: Path, most: str, *, within: Sequence[str] = ()) -> tuple[int, int, int, int]:
    """Rows read and kept, keys repeated, and the most MiB that the two processes held together."""
    folder.mkdir()
    found = subprocess.run(
        [*within, sys.executable, "-c", textwrap.dedent(STAGE), str(source), str(folder), most],
        capture_output=True, text=True, timeout=1800,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    read, kept, repeated, peak = map(int, found.stdout.strip("[]\n").split(","))
    return read, kept, repeated, peak


@pytest.mark.soak
@pytest.mark.parametrize("most", ["1000000000", "10"], ids=["nearly all kept", "nearly all refused"])
def test_twenty_million_rows_stay_within_one_gibibyte(tmp_path: Path, most: str) -> None:
    rows = 20_000_000
    source = tmp_path / "big.csv"
    write_rows(source, rows)
    read, kept, repeated, peak = staged(source, tmp_path / "stage", most)
    source.unlink()

    assert read == rows
    assert kept == (rows - 1 if most != "10" else kept)
    assert repeated == (1 if most != "10" else 0)
    assert peak <= GIB


def test_what_else_runs_is_not_counted(tmp_path: Path) -> None:
    write_rows(tmp_path / "small.csv", 10_000)

    *counts, peak = staged(
        tmp_path / "small.csv", tmp_path / "stage", "1000000000", within=[sys.executable, "-c", WITHIN_A_LARGE_PROCESS]
    )

    assert counts == [10_000, 10_000, 0]
    assert peak <= GIB // 2


@pytest.mark.soak
def test_a_file_of_nothing_but_malformed_records_is_refused(stage: Stage) -> None:
    with pytest.raises(SourceBroken, match="cannot be taken apart"):
        stage(plan("a", "b", "c", "d"), b"a,b,c,d\n" + b"1,2,3\n" * 5_000_000, Csv())

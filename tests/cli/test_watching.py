"""`status`, `run`, `emit` and `metrics` as a person or another program calls them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import PROGRAM
from tests.workspace.lake import BAD, CONTRACT, GOOD, Lake


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path)
    lake.csv.write_text(BAD)
    lake.configure(
        contract=CONTRACT + "slaProperties: [{property: latency, value: 1, unit: d, element: loans.applied_at}]\n"
    )
    return lake


def test_status_of_a_late_dataset_is_1_and_names_the_next_command(lake, lastro):
    lastro("ingest")
    ended = lastro("status")

    assert ended.code == 1
    assert "late" in ended.out
    assert ended.last == "late: loans; 5 rows set aside: loans (1 dataset, 1 late). next: lastro ingest loans"


def test_status_says_first_what_failed(lake, lastro):
    lastro("run")
    lake.csv.unlink()
    lastro("run", "--retries", "0")

    assert lastro("status").last == (
        "failed: loans; late: loans; 5 rows set aside: loans (1 dataset, 1 late; 3 incidents are open). "
        "next: lastro ingest loans"
    )


def test_status_says_what_stands_in_quarantine(lake, lastro):
    lake.configure(contract=CONTRACT)
    lastro("ingest")

    assert lastro("status").last == "5 rows set aside: loans (1 dataset, 0 late). next: lastro quarantine loans"


def test_status_as_json(lake, lastro):
    lastro("ingest")
    (found,) = lastro("status", "--json").json["datasets"]

    assert (found["dataset"], found["freshness"], found["quarantined"], found["rows"]) == ("loans", "late", 5, 3)
    assert found["late_by_s"] > 0


def test_status_of_an_unknown_dataset_is_2(lake, lastro):
    assert lastro("status", "lones").code == 2


def test_status_writes_nothing(lake, process):
    process("ingest")
    process("status")
    before = listing(lake.root)
    process("status")

    assert listing(lake.root) == before


def test_run_brings_everything_up_to_date(lake, lastro):
    ended = lastro("run")

    assert ended.code == 0
    assert ended.last == "1 dataset: 1 with a new version, 0 unchanged, 0 failed. next: lastro status"


def test_run_goes_on_at_every_beat(lake, lastro):
    ended = lastro("run", "--every", "1s", "--rounds", "2", "--json")
    first, second = (json.loads(line) for line in ended.out.splitlines())

    assert [first["steps"][0]["outcome"], second["steps"][0]["outcome"]] == ["made", "unchanged"]


def test_a_round_that_fails_says_why_and_ends_with_its_code(lake, lastro):
    lake.csv.unlink()
    ended = lastro("run", "--retries", "0")

    assert ended.code == 3
    assert "failed LST-0301" in ended.out
    assert "no file matches" in ended.out


def test_run_ends_well_on_sigterm(lake):
    child = subprocess.Popen(
        [*PROGRAM, "-C", str(lake.root), "run", "--every", "1h", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = lake.root / ".lastro" / "round.json"
    deadline = time.monotonic() + 30
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=30)

    assert (child.returncode, err) == (0, "")
    assert json.loads(out)["steps"][0]["outcome"] == "made"


@pytest.mark.parametrize("arguments", [("--every", "soon"), ("--rounds", "2"), ("--retries", "-1"), ("--every", "0s")])
def test_run_refuses_what_it_cannot_do(lake, lastro, arguments):
    ended = lastro("run", *arguments)

    assert ended.code == 2
    assert not (lake.root / ".lastro" / "round.json").exists()


@pytest.mark.parametrize("kind", ["cron", "systemd", "airflow", "dagster", "prefect", "github"])
def test_emit_prints_the_text_alone(lake, lastro, kind):
    ended = lastro("emit", kind, "--every", "15m")

    assert ended.code == 0
    assert "next:" not in ended.out
    assert "lastro" in ended.out


def test_emit_writes_a_new_file_only(lake, lastro, tmp_path):
    target = tmp_path / "schedule.cron"
    first, second = lastro("emit", "cron", "-o", str(target)), lastro("emit", "cron", "-o", str(target))

    assert (first.code, second.code) == (0, 2)
    assert target.read_text().endswith("run --quiet\n")


def test_emit_refuses_a_period_cron_cannot_keep(lake, lastro):
    ended = lastro("emit", "cron", "--every", "45m")

    assert ended.code == 2
    assert "evenly" in ended.err


def test_metrics_are_prometheus_text(lake, lastro):
    lastro("ingest")
    ended = lastro("metrics")

    assert 'lastro_dataset_rows{dataset="loans"} 3\n' in ended.out
    assert 'lastro_dataset_quarantined_rows{dataset="loans"} 5\n' in ended.out
    assert 'lastro_dataset_late{dataset="loans"} 1\n' in ended.out


def test_metrics_replace_a_file(lake, lastro, tmp_path):
    target = tmp_path / "lastro.prom"
    target.write_text("old")
    ended = lastro("metrics", "-o", str(target))

    assert ended.last == "1 dataset measured. next: lastro status"
    assert target.read_text().startswith("# HELP lastro_info")


def test_metrics_as_json(lake, lastro):
    lastro("ingest")
    samples = lastro("metrics", "--json").json["samples"]

    assert {"name": "lastro_dataset_rows", "labels": {"dataset": "loans"}, "value": 3} in samples


def test_a_schedule_of_cron_runs(lake, lastro, process):
    """The very line that is written for cron, run by a shell."""
    line = lastro("emit", "cron").out.splitlines()[1].split(" ", 5)[5]
    program = lake.root / "bin"
    program.mkdir()
    (program / "lastro").write_text(f'#!/bin/sh\nexec {PROGRAM[0]} {PROGRAM[1]} "{PROGRAM[2]}" "$@"\n')
    (program / "lastro").chmod(0o755)
    lake.csv.write_text(GOOD)
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd="/",
        env={**os.environ, "PATH": f"{program}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert lake.ids() == [1, 2, 3]


def listing(root: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and time."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(root.rglob("*")) if path.is_file()
    }


@pytest.mark.parametrize("kind", ["cron", "systemd"])
def test_emit_names_the_program_by_its_path_unless_told_otherwise(lake, lastro, kind):
    own = str(Path(sys.executable).with_name("lastro"))

    assert own in lastro("emit", kind).out
    assert "'/opt/my x/lastro'" in lastro("emit", kind, "--program", "/opt/my x/lastro").out.replace('"', "'")
    assert own not in lastro("emit", "airflow").out

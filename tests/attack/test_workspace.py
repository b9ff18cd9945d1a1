"""A workspace made by somebody else, and one whose process was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from tests.workspace.lake import GOOD

import lastro
from lastro.model import scratch
from lastro.model.errors import ConfigurationError, ContractError, WriteFailed

HOLD = "import sys, pathlib; from lastro.model import scratch; " + (
    "folder = scratch.claim(pathlib.Path(sys.argv[1])); (folder / 'spill').write_text('x'); print(folder, flush=True); "
    "sys.stdin.read()"
)


@pytest.mark.parametrize("name", ["tables", "contracts", ".lastro", ".lastro/staging", ".lastro/locks"])
def test_a_workspace_whose_folders_lead_elsewhere_is_not_opened(lake, tmp_path, name):
    victim = tmp_path / "victim"
    (lake.root / name).rename(victim)
    (victim / "init.loans").mkdir()
    (lake.root / name).symlink_to(victim)

    with pytest.raises(ConfigurationError, match="symbolic link"):
        lastro.open(lake.root)
    assert (victim / "init.loans").is_dir()


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_contract_that_is_no_file_of_its_own_is_refused_at_once(lake, tmp_path, kind):
    path = lake.root / "contracts" / "loans.odcs.yaml"
    path.rename(tmp_path / "elsewhere.yaml")
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere.yaml")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()

    with pytest.raises(ContractError):
        lake.loans.plan()


@pytest.mark.parametrize("setting", ["threads: 100000", "memory_mb: 99999999999999999999", "threads: 0"])
def test_limits_beyond_every_machine_are_refused(lake, setting):
    path = lake.root / "lastro.yaml"
    path.write_text(path.read_text() + f"engine: {{name: duckdb, {setting}}}\n")

    with pytest.raises(ConfigurationError, match="whole number"):
        lastro.open(lake.root)


@contextmanager
def holder(staging):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(staging)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process, process.stdout.readline().strip()


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(tmp_path):
    staging = tmp_path / "staging"
    with holder(staging) as (living, kept):
        with holder(staging) as (killed, _left):
            killed.kill()

        mine = scratch.claim(staging)

        assert {str(path) for path in staging.iterdir()} == {kept, str(mine)}
        living.communicate("")
    assert [str(path) for path in staging.iterdir()] == [str(mine)]


def test_links_among_what_was_left_are_not_followed(tmp_path):
    staging, victim = tmp_path / "staging", tmp_path / "victim"
    victim.mkdir()
    (victim / "lock").touch()
    staging.mkdir()
    (staging / "engine-x").symlink_to(victim)

    scratch.sweep(staging)

    assert (victim / "lock").exists()


def test_a_staging_that_cannot_be_made_leaves_reading_possible(tmp_path):
    staging = tmp_path / "file" / "staging"
    (tmp_path / "file").write_text("no folder")

    folder = scratch.claim(staging)

    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0


def test_an_ingestion_killed_at_any_moment_leaves_no_child_and_no_trace(lake):
    lake.csv.write_text(GOOD)
    main = "from lastro.cli.main import main; main()"
    command = [sys.executable, "-c", main, "-C", str(lake.root), "ingest", "loans"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    staging = lake.root / ".lastro" / "staging"
    while not list(staging.glob("engine-*/parse-*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    was_parsing = process.poll() is None
    process.kill()
    process.wait()

    lake.loans.ingest()

    assert was_parsing
    assert lake.ids() == [1, 2, 3]
    assert [path.name for path in staging.glob("*") if not path.name.startswith("engine-")] == []
    assert len(list(staging.glob("engine-*"))) == 1


@pytest.mark.parametrize("name", ["contracts", "lastro.yaml"])
def test_adding_to_what_cannot_be_written_leaves_nothing_half_done(lake, monkeypatch, name):
    from lastro.workspace import add, configuration

    lake.csv.write_text(GOOD)
    module = add if name == "contracts" else configuration
    whole = module.write_durably

    def failing(path, content):
        if name in str(path):
            raise OSError(28, "the disk is full left on device")
        whole(path, content)

    with monkeypatch.context() as patched, pytest.raises(WriteFailed, match="the disk is full"):
        patched.setattr(module, "write_durably", failing)
        lake.workspace.add("loans.csv", name="more")
    lake.workspace.add("loans.csv", name="more")

    assert "more" in lake.workspace.datasets()


def test_a_workspace_where_no_folder_can_be_made_is_an_error_of_the_tree(tmp_path):
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(WriteFailed):
        lastro.init(tmp_path / "file" / "lake")

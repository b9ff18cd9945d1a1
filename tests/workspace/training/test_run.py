"""Runs: what is recorded while they happen."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from tests.workspace.copies import Copy, approved
from tests.workspace.lake import GOOD
from tests.workspace.telling import Telling

from lastro.catalog import RunFiles
from lastro.model.errors import Corrupted, NameRefused, UnknownName, UsageError, WriteFailed
from lastro.workspace.training.run import active, seen
from lastro.workspace.version import Version


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return approved(tmp_path_factory.mktemp("original") / "lake")


@pytest.fixture
def trained(original, tmp_path):
    """Version 0 is approved, version 1 the newest."""
    return Copy(original, tmp_path / "lake")


def records(lake):
    return RunFiles(lake.root / ".lastro" / "runs").all()


def test_a_run_records_what_it_was(trained):
    with trained.workspace.run("credit-default", inputs=["loans@approved"], parameters={"depth": 3, "seed": 7}) as run:
        rows = len(run.read("loans").to_arrow())
        run.log(auc=0.81, loss=np.float32(0.5))

    record = trained.workspace.runs()[0]
    assert rows == 3
    assert (record.id, record.name, record.status) == (run.id, "credit-default", "succeeded")
    assert [(used.name, used.dataset, used.number) for used in record.inputs] == [("loans@approved", "loans", 0)]
    assert record.inputs[0].digest == trained.loans.version("0").digest
    assert record.metrics == {"auc": 0.81, "loss": 0.5}
    assert (record.parameters, record.seed) == ({"depth": 3, "seed": 7}, 7)
    assert record.command[0] == "python"
    assert (trained.root / record.folder).resolve() == type(trained.root).cwd()
    assert dict(record.environment.packages)["numpy"] == np.__version__
    assert record.ended >= record.started
    assert records(trained) == (record,)


def test_a_tag_that_moves_changes_nothing_in_an_open_run(trained):
    with trained.workspace.run("train", inputs=["loans@approved"]) as run:
        trained.loans.tag("approved", 1)

        assert run.read("loans@approved").number == 0
        assert run.read("loans").number == 0


def test_a_full_reference_is_recorded_when_it_is_read(trained):
    with trained.workspace.run("train") as run:
        assert run.read("loans@latest").number == 1
        assert run.read("loans@latest").number == 1
        assert [used.reference for used in records(trained)[0].inputs] == ["loans@1"]

    assert [used.name for used in records(trained)[0].inputs] == ["loans@latest"]


def test_a_bare_name_must_have_been_declared(trained):
    with trained.workspace.run("train") as run, pytest.raises(UnknownName, match="not one declared input") as caught:
        run.read("loans")

    assert "loans@latest" in caught.value.do


def test_a_bare_name_that_could_be_two_inputs_is_refused(trained):
    with trained.workspace.run("train", inputs=["loans@0", "loans@1"]) as run:
        assert run.read("loans@1").number == 1
        with pytest.raises(UnknownName, match="not one declared input"):
            run.read("loans")


def test_an_unknown_input_stops_the_run_before_it_begins(trained):
    with pytest.raises(UnknownName), trained.workspace.run("train", inputs=["loans@never"]):
        raise AssertionError("not reached")

    assert records(trained) == ()


def test_the_record_is_there_while_it_runs(trained):
    with trained.workspace.run("train", inputs=["loans"]) as run:
        assert [(record.id, record.status) for record in records(trained)] == [(run.id, "running")]
        assert active() is run
        assert records(trained)[0].ended is None

    assert active() is None


def test_a_failure_is_recorded_by_its_class_and_goes_on(trained):
    with pytest.raises(ZeroDivisionError), trained.workspace.run("train") as run:
        run.log(auc=0.4)
        raise ZeroDivisionError("the CPF 111.444.777-35 is a secret")

    record = records(trained)[0]
    assert (record.status, record.error, record.metrics) == ("failed", "builtins.ZeroDivisionError", {"auc": 0.4})
    assert "111.444" not in (trained.root / ".lastro" / "runs" / f"{record.id}.json").read_text()
    assert active() is None


@pytest.mark.parametrize(("code", "status"), [(0, "succeeded"), (None, "succeeded"), (3, "failed")])
def test_leaving_the_program_is_a_failure_only_with_a_code(trained, code, status):
    with pytest.raises(SystemExit), trained.workspace.run("train"):
        sys.exit(code)

    assert records(trained)[0].status == status


def test_what_is_ingested_inside_is_an_output(trained):
    with trained.workspace.run("refresh") as run:
        trained.csv.write_text(GOOD)
        trained.loans.ingest()

    assert [used.reference for used in records(trained)[0].outputs] == ["loans@2"]
    assert trained.loans.log()[0].origin.run == run.id


def test_a_version_seen_by_another_way_is_recorded_once(trained):
    info = trained.loans.log()[0]
    with trained.workspace.run("train", inputs=["loans@0"]) as run:
        run.saw(trained.loans.version("0").info)
        run.saw(info)
        run.saw(info)

    assert [used.name for used in records(trained)[0].inputs] == ["loans@0", "loans@1"]


def test_a_version_that_tells_of_its_readings_is_recorded_by_the_run_it_is_read_in(trained):
    plain = trained.loans.version("1")
    watched = Version(plain.info, plain.table, plain.engine, gate=Telling(seen))

    watched.to_arrow()
    with trained.workspace.run("train"):
        watched.to_arrow()

    assert [used.name for used in records(trained)[0].inputs] == ["loans@1"]


def test_numbers_that_are_none_are_refused(trained):
    with trained.workspace.run("train") as run:
        run.log(loss=math.nan, best=True)
        for value in ("0.8", b"1", None, [1, 2]):
            with pytest.raises(UsageError, match="metric auc is not a number"):
                run.log(auc=value)

    assert math.isnan(records(trained)[0].metrics["loss"])
    assert records(trained)[0].metrics["best"] == 1.0


def test_parameters_are_plain_values_and_cannot_be_changed(trained):
    with trained.workspace.run("train", parameters={"rate": np.float64(0.1), "layers": (1, 2)}) as run:
        assert dict(run.parameters) == {"rate": 0.1, "layers": [1, 2]}
        with pytest.raises(TypeError):
            run.parameters["rate"] = 1

    for hostile in ({"x": object()}, {"x": math.nan}, {"x": {1, 2}}):
        with pytest.raises(UsageError, match="JSON"), trained.workspace.run("train", parameters=hostile):
            raise AssertionError("not reached")


def test_a_run_that_is_over_takes_nothing_more(trained):
    with trained.workspace.run("train", inputs=["loans"]) as run:
        pass

    with pytest.raises(UsageError, match="not open"):
        run.log(auc=1)
    with pytest.raises(UsageError, match="not open"):
        run.read("loans")


def test_a_runs_name_is_a_name(trained):
    with pytest.raises(NameRefused), trained.workspace.run("../x"):
        raise AssertionError("not reached")


def test_a_changed_data_file_stops_the_reading(trained):
    path = trained.loans.table.paths(trained.loans.log()[0])[0]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")

    with pytest.raises(Corrupted), trained.workspace.run("train", inputs=["loans"]) as run:
        run.read("loans").to_arrow()

    assert records(trained)[0].status == "failed"


def test_a_killed_run_stays_running(trained):
    program = (
        "import lastro, os\n"
        f"with lastro.open({str(trained.root)!r}).run('train', inputs=['loans']) as run:\n"
        "    os.kill(os.getpid(), 9)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False)

    assert done.returncode == -9
    assert [record.status for record in records(trained)] == ["running"]


def test_runs_of_one_process_are_counted(trained):
    with trained.workspace.run("first") as first, trained.workspace.run("second") as second:
        assert active() is second

    assert second.record.position == first.record.position + 1


def test_a_folder_that_cannot_be_written_is_a_clear_error(trained):
    (trained.root / ".lastro" / "runs").rmdir()
    (trained.root / ".lastro" / "runs").write_text("a file")

    with pytest.raises(WriteFailed), trained.workspace.run("train"):
        raise AssertionError("not reached")

"""Replays: the same data, the same command, the same numbers – or what differs."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest
from tests.store.by_value import ByValue
from tests.workspace.copies import Copy, approved

from lastro.catalog import RunFiles
from lastro.model.digest import of_bytes
from lastro.model.errors import Corrupted, ReplayError, UnknownName, UsageError
from lastro.store.erasure.erasing import erase
from lastro.workspace.training.replay import MetricPair, is_interactive, metric_pairs

TRAIN = """\
import sys
import lastro

scale = float(open("scale.txt").read())
with lastro.open("..").run("train", inputs=["loans@approved"], parameters={"rate": float(sys.argv[1])}) as run:
    income = run.read("loans").to_numpy("income")
    run.log(total=float(income[~(income != income)].sum()) * scale, rows=len(income))
print("trained")
"""


class Trained:
    """Version 0 is approved and was trained from; version 1 is the newest."""

    def __init__(self, lake) -> None:
        self.lake = lake
        self.workspace = lake.workspace
        self.code = lake.root / "code"
        self.code.mkdir()
        (self.code / "scale.txt").write_text("1")

    def train(self, script: str = TRAIN):
        (self.code / "train.py").write_text(script)
        command = [sys.executable, "train.py", "0.5"]
        subprocess.run(command, cwd=self.code, check=True, stdout=subprocess.DEVNULL)
        return self.records()[-1]

    def records(self):
        return RunFiles(self.lake.root / ".lastro" / "runs").all()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return approved(tmp_path_factory.mktemp("original") / "lake")


@pytest.fixture
def trained(original, tmp_path):
    return Trained(Copy(original, tmp_path / "lake"))


def test_a_training_is_replayed_less_what_was_erased_since_and_says_by_which_certificate(trained, capfd):
    run = trained.train()
    table = trained.workspace.table("loans")
    before = trained.workspace.version("loans@approved").to_arrow()
    column = before.column_names[0]
    doomed = ByValue(column, frozenset({str(before[column][0])}))

    erase(table, doomed, request="20260131T000000Z-0a1b2c3d")
    result = trained.workspace.replay(run.id)

    after = trained.workspace.version("loans@approved").to_arrow()
    assert after.num_rows == before.num_rows - 1
    assert "20260131T000000Z-0a1b2c3d" in result.notes[0]
    assert {pair.name: pair.before - pair.after for pair in result.metrics}["rows"] == 1
    assert [used.digest for used in result.inputs] == [used.digest for used in run.inputs]
    capfd.readouterr()


def test_a_training_is_replayed_from_the_same_data_whatever_the_tag_means_now(trained, capfd):
    run = trained.train()
    trained.lake.loans.tag("approved", 1)

    result = trained.workspace.replay(run.id)

    again = trained.records()[-1]
    assert run.command == ("python", "train.py", "0.5")
    assert run.folder == "code"
    assert (result.run, result.replay) == (run.id, again.id)
    assert again.replay_of == run.id
    assert again.inputs == run.inputs
    assert again.metrics == run.metrics == {"rows": 3.0, "total": 1300.5}
    assert [(pair.name, pair.equal) for pair in result.metrics] == [("rows", True), ("total", True)]
    assert result.passed
    assert json.dumps(result.to_dict())
    assert "total" in result._repr_html_()
    assert capfd.readouterr() == ("", "trained\n")


def test_a_replay_can_be_replayed(trained):
    run = trained.train()
    first = trained.workspace.replay(run.id)

    second = trained.workspace.replay(first.replay)

    assert trained.records()[-1].replay_of == first.replay
    assert second.passed


def test_another_metric_is_named_with_both_numbers(trained):
    run = trained.train()
    (trained.code / "scale.txt").write_text("2")

    with pytest.raises(ReplayError, match=r"metric total was 1300\.5, is 2601\.0") as caught:
        trained.workspace.replay(run.id)

    assert "rows" not in caught.value.what
    assert trained.records()[-1].id in caught.value.where
    assert "nothing in the environment or the script" in caught.value.do


def test_a_script_that_changed_outside_of_git_is_told(trained):
    run = trained.train()
    (trained.code / "train.py").write_text(TRAIN.replace("* scale", "* 2 * scale"))

    with pytest.raises(ReplayError, match=r"metric total was 1300\.5, is 2601\.0") as caught:
        trained.workspace.replay(run.id)

    assert run.code.commit is None
    assert run.code.script == of_bytes(TRAIN.encode())
    assert "the script changed" in caught.value.do


def test_other_code_that_reads_something_else_is_refused(trained):
    run = trained.train()
    (trained.code / "train.py").write_text(TRAIN.replace("loans@approved", "loans@latest"))

    with pytest.raises(ReplayError, match="exit code 1"):
        trained.workspace.replay(run.id)

    assert trained.records()[-1].id == run.id


def test_code_that_reads_around_the_pins_is_caught(trained):
    run = trained.train()
    (trained.code / "train.py").write_text(
        TRAIN.replace(
            "    income =",
            '    run.saw(lastro.open("..").version("loans@1").info)\n    income =',
        )
    )

    with pytest.raises(ReplayError, match="exit code 1"):
        trained.workspace.replay(run.id)

    assert trained.records()[-1].error.endswith("ReplayError")


def test_other_parameters_are_named(trained):
    run = trained.train()
    (trained.code / "train.py").write_text(TRAIN.replace("float(sys.argv[1])", "0.25"))

    with pytest.raises(ReplayError, match="parameter rate differs"):
        trained.workspace.replay(run.id)


def test_a_command_that_does_nothing_is_no_replay(trained):
    run = trained.train()
    (trained.code / "train.py").write_text("")

    with pytest.raises(ReplayError, match="did not begin run train again"):
        trained.workspace.replay(run.id)


def test_runs_of_one_script_are_told_apart(trained):
    script = TRAIN.replace(
        "with lastro", 'with lastro.open("..").run("train", inputs=["loans@1"]):\n    pass\nwith lastro'
    )
    run = trained.train(script)
    trained.lake.loans.tag("approved", 1)

    result = trained.workspace.replay(run.id)

    assert run.position == 1
    assert [record.replay_of for record in trained.records()[-2:]] == [None, run.id]
    assert result.metrics[0].after == 3


def test_a_command_that_never_ends_is_ended(trained):
    from lastro.workspace.training.replay import replay

    run = trained.train()
    (trained.code / "train.py").write_text("import time\ntime.sleep(60)\n")

    with pytest.raises(ReplayError, match="did not end"):
        replay(trained.workspace, run.id, timeout_s=0.5)


def test_a_changed_data_file_is_found_before_anything_runs(trained):
    run = trained.train()
    table = trained.lake.loans.table
    path = table.paths(table.version(0))[0]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")

    with pytest.raises(Corrupted):
        trained.workspace.replay(run.id)

    assert trained.records()[-1].id == run.id


def test_a_version_whose_digest_is_another_is_refused(trained):
    run = trained.train()
    path = trained.lake.root / ".lastro" / "runs" / f"{run.id}.json"
    forged = json.loads(path.read_text())["run"]
    forged["inputs"][0]["digest"] = "sha256:" + "0" * 64
    RunFiles(path.parent).write(type(run).from_json(rewritten(forged)))

    with pytest.raises(ReplayError, match="loans@0 is not the version that was read"):
        trained.workspace.replay(run.id, execute=False)


def rewritten(content):
    from lastro.model.digest import of_value

    return json.dumps({"lastro_run": 1, "digest": of_value(content), "run": content})


def test_only_the_data_is_proven_where_nothing_may_run(trained):
    run = trained.train()
    (trained.code / "train.py").unlink()

    result = trained.workspace.replay(run.id, execute=False)

    assert result.replay is None
    assert [used.reference for used in result.inputs] == ["loans@0"]
    with pytest.raises(UsageError, match=r"script of run .* is not there"):
        trained.workspace.replay(run.id)


def test_an_interactive_session_cannot_run_again_and_its_data_can_be_proven(trained):
    program = f"import lastro\nwith lastro.open({str(trained.lake.root)!r}).run('n', inputs=['loans']) as run: pass"
    subprocess.run([sys.executable, "-c", program], check=True)
    run = trained.records()[-1]

    with pytest.raises(UsageError, match="interactive session") as caught:
        trained.workspace.replay(run.id)

    assert "execute=False" in caught.value.do
    assert trained.workspace.replay(run.id, execute=False).passed


def test_a_run_that_failed_is_not_run_again(trained):
    with pytest.raises(ZeroDivisionError), trained.workspace.run("train", inputs=["loans"]) as run:
        raise ZeroDivisionError

    with pytest.raises(UsageError, match="did not succeed"):
        trained.workspace.replay(run.id)


def test_an_unknown_run_is_named(trained):
    with pytest.raises(UnknownName):
        trained.workspace.replay("20260301T000000000-00000000")


@pytest.mark.parametrize(
    "line",
    [
        "python",
        "python -i train.py",
        "python -c pass",
        "python -Ic pass",
        "python -",
        "python -m ipykernel_launcher -f x.json",
        "python -mIPython",
        "python -m jupyter lab",
        "python -m pdb train.py",
        "python /venv/bin/ipython",
        "python /venv/bin/jupyter-lab --no-browser",
        "python /x/ipykernel_launcher.py",
        "python -X importtime",
        "python -m",
    ],
)
def test_sessions_are_recognised(line):
    assert is_interactive(tuple(line.split()))


@pytest.mark.parametrize(
    "line",
    [
        "python train.py",
        "python -u train.py -c x",
        "python -W error train.py",
        "python -Werror -X dev train.py -i",
        "python --check-hash-based-pycs always train.py",
        "python -m project.train --rate 3",
        "python -Im project.train",
        "python /venv/bin/lastro demo x",
        "python -m pytest",
    ],
)
def test_programs_are_recognised(line):
    assert not is_interactive(tuple(line.split()))


def test_metrics_are_compared_exactly():
    pairs = metric_pairs({"auc": 0.1, "loss": math.nan, "gone": 1.0}, {"auc": 0.1, "loss": math.nan, "new": 1.0})

    assert {pair.name: pair.equal for pair in pairs} == {"auc": True, "gone": False, "loss": True, "new": False}
    assert not MetricPair("auc", 0.1, math.nextafter(0.1, 1)).equal

"""The environment of a run."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from lastro.catalog import Code, Environment
from lastro.workspace.training.environment import code_differences, code_of, collect, command, differences


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for name, value in {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    git(tmp_path, "init", "-q")
    (tmp_path / "train.py").write_text("print(1)\n")
    git(tmp_path, "add", "train.py")
    git(tmp_path, "commit", "-q", "-m", "First")
    return tmp_path


def git(folder, *arguments):
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_environment_names_interpreter_and_packages():
    found = collect()

    packages = dict(found.packages)
    assert found.python.endswith(".".join(map(str, sys.version_info[:3])))
    assert packages["numpy"] == np.__version__
    assert "mlflow-skinny" in packages
    assert list(packages) == sorted(packages)
    assert found.digest == Environment.of(python=found.python, platform=found.platform, packages=packages).digest


def test_no_environment_variable_is_recorded(monkeypatch):
    monkeypatch.setenv("LASTRO_SECRET_FOR_THIS_TEST", "swordfish-4711")
    collect.__globals__["_collected"].cache_clear()

    assert "swordfish-4711" not in repr(collect())


def test_the_command_is_repeatable_text():
    assert command()[0] == "python"
    assert command()[1:] == tuple(sys.orig_argv[1:])


def test_a_clean_commit_a_changed_file_and_a_new_file(repository):
    head = git(repository, "rev-parse", "HEAD")

    assert code_of(repository) == Code(head, dirty=False)
    (repository / "features.py").write_text("print(2)\n")
    assert code_of(repository) == Code(head, dirty=True)
    (repository / "features.py").unlink()
    (repository / "train.py").write_text("print(3)\n")
    assert code_of(repository) == Code(head, dirty=True)


def test_settings_of_a_repository_start_no_program(repository):
    trap = repository / "trap.sh"
    trap.write_text("#!/bin/sh\ntouch sprung\n")
    trap.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(trap))

    assert code_of(repository).dirty
    assert not (repository / "sprung").exists()


def test_outside_git_and_without_git_nothing_is_claimed(tmp_path, monkeypatch, repository):
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert code_of(outside) == Code()

    monkeypatch.setenv("PATH", "")
    assert code_of(repository) == Code()


def test_differences_are_named_one_by_one():
    before = Environment.of(python="CPython 3.11.7", platform="linux", packages={"a": "1", "b": "1", "c": "1"})
    now = Environment.of(python="CPython 3.12.1", platform="linux", packages={"a": "1", "b": "2", "d": "1"})

    assert differences(before, now) == (
        "Python was CPython 3.11.7, is CPython 3.12.1",
        "b was 1, is 2",
        "c 1 is not installed",
        "d 1 was not installed",
    )
    assert differences(before, replace(before)) == ()


def test_code_differences_are_named():
    assert code_differences(Code("aaa", dirty=False), Code("aaa", dirty=False)) == ()
    assert code_differences(Code("aaa", dirty=True), Code(None, dirty=None)) == (
        "the code's commit was aaa, is none",
        "the code had changes that were in no commit",
    )


def test_a_script_that_changed_or_was_not_recorded_is_named():
    one, other = Code(script="sha256:1"), Code(script="sha256:2")

    assert code_differences(one, one) == ()
    assert code_differences(one, other) == ("the script changed",)
    assert code_differences(Code(), other) == ("the code was not recorded",)
    assert code_differences(Code("aaa", dirty=False), Code("aaa", dirty=False, script="sha256:1")) == ()

"""A root key that a program prints: from wherever the program reads it, and from no program that others put there."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lastro
from lastro.model.errors import ConfigurationError, LastroError, NotPermitted
from lastro.privacy.command import Command, printed
from lastro.privacy.root import RootAt, local
from lastro.privacy.vault import Vault

KEY = b"k" * 32
TEXT = base64.b64encode(KEY).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace's folder with the file that names the program."""
    (tmp_path / "lastro.yaml").write_text("lastro: 1\n")
    (tmp_path / "lastro.yaml").chmod(0o644)
    return tmp_path


def script(folder: Path, text: str, *, name: str = "key.sh", mode: int = 0o755) -> str:
    """A program in the workspace."""
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(mode)
    return f"./{name}"


def command(folder: Path, *arguments: str, timeout_s: float = 20) -> Command:
    return Command(arguments, folder / "lastro.yaml", timeout_s)


def vault(folder: Path, *arguments: str, **more: float) -> Vault:
    said = RootAt("command", folder / "keys", command(folder, *arguments, **more))
    return Vault(folder / "vault.sqlite", said)


def refused(folder: Path, *arguments: str, **more: float) -> LastroError:
    """How it is told that there is no key; nothing that the program says is in it."""
    with pytest.raises((NotPermitted, ConfigurationError)) as caught:
        vault(folder, *arguments, **more).tokens("id", ["x"])
    told = str(caught.value) + repr(caught.value) + repr(caught.value.__cause__) + caught.value.where
    assert "hunter2" not in told
    assert not (folder / "keys").exists()
    return caught.value


def test_what_the_program_prints_protects_the_vault(folder: Path) -> None:
    program = script(folder, f"echo {TEXT}; echo hunter2 >&2")
    first = vault(folder, program)

    [token] = first.tokens("id", ["x"])

    assert first.ring.states()[0].root == local(KEY).identity
    assert vault(folder, program).reveal([token])[token].value == "x"
    assert not (folder / "keys").exists()


def test_arguments_go_as_they_are_written_and_no_shell_reads_them(folder: Path) -> None:
    wild = ["$(touch owned)", "a b", "*", "; touch owned", "${HOME}", "-n"]
    program = script(folder, 'for each in "$@"; do printf "%s|" "$each"; done')

    assert printed(command(folder, program, *wild)) == "|".join(wild) + "|"
    assert not (folder / "owned").exists()


def test_a_name_is_looked_for_in_path_and_in_no_relative_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bin").mkdir(mode=0o755)
    script(folder / "bin", f"echo {TEXT}", name="store")
    script(folder, "echo hunter2", name="store")
    monkeypatch.chdir(folder)

    monkeypatch.setenv("PATH", os.pathsep.join(("", ".", str(folder / "bin"), "/usr/bin", "/bin")))
    assert printed(command(folder, "store")).strip() == TEXT
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".", "/usr/bin", "/bin")))
    with pytest.raises(ConfigurationError, match="there is no program"):
        printed(command(folder, "store"), again=True)


def test_it_is_asked_once_and_again_where_the_key_is_another(folder: Path) -> None:
    program = script(folder, f"echo x >> asked; echo {TEXT}")
    first = vault(folder, program)
    first.tokens("id", ["x"])
    vault(folder, program).tokens("id", ["y"])
    assert (folder / "asked").read_text().count("x") == 1

    script(folder, f"echo x >> asked; echo {base64.b64encode(b'n' * 32).decode()}")
    from lastro.privacy.rotation import turn_root

    new = RootAt("env:NEW_ROOT", folder / "keys")
    os.environ["NEW_ROOT"] = base64.b64encode(b"n" * 32).decode()
    try:
        turn_root(first, to=new)
    finally:
        del os.environ["NEW_ROOT"]

    assert vault(folder, program).find("id", "x") is not None


@pytest.mark.parametrize("name", ["nobody-has-this", "./nobody", "/nobody/has/this", "", "."])
def test_a_program_that_is_not_there_is_told(folder: Path, name: str) -> None:
    assert "there is no program" in refused(folder, name).what


def test_a_program_that_may_not_be_run_is_told(folder: Path) -> None:
    assert "there is no program" in refused(folder, script(folder, "echo", mode=0o644)).what


def test_a_file_that_is_no_program_is_told(folder: Path) -> None:
    (folder / "key.sh").write_bytes(b"\x00hunter2")
    (folder / "key.sh").chmod(0o755)

    assert "cannot be run" in refused(folder, "./key.sh").what


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("exit 3", "ended with 3"),
        (f"echo {TEXT}; echo hunter2 >&2; exit 1", "ended with 1"),
        ("kill -9 $$", "ended with -9"),
        ("true", "printed nothing"),
        ("echo", "printed nothing"),
        ("echo hunter2", "is no root key"),
        ("printf hunter2", "is no root key"),
        (f"echo {base64.b64encode(b'k' * 31).decode()}", "is no root key"),
        (f"echo {base64.b64encode(b'k' * 33).decode()}", "is no root key"),
        (f"echo {TEXT}; echo {TEXT}", "is no root key"),
        (r"printf '\377\376hunter2'", "is no root key"),
        ("read word; echo got $word", "is no root key"),
        ("head -c 10485760 /dev/zero", "prints too much"),
        ("while :; do echo hunter2; done", "prints too much"),
    ],
)
def test_what_a_program_may_do_wrong_is_told_without_its_words(folder: Path, text: str, says: str) -> None:
    begun = time.monotonic()

    assert says in refused(folder, script(folder, text)).what
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    "text", ["sleep 1000", f"echo {TEXT}; sleep 1000", "exec >&-; sleep 1000", "sleep 1000 & wait"]
)
def test_a_program_that_hangs_is_ended_with_what_it_started(folder: Path, text: str) -> None:
    begun = time.monotonic()
    error = refused(folder, script(folder, f"echo $$ > pid; {text}"), timeout_s=0.5)

    assert "took longer than 0.5 s" in error.what
    assert time.monotonic() - begun < 5
    group = (folder / "pid").read_text().strip()
    left = subprocess.run(["ps", "-o", "stat=", "-g", group], capture_output=True, text=True).stdout.split()
    assert [each for each in left if not each.startswith("Z")] == []


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o775])
def test_a_program_that_others_may_change_is_refused(folder: Path, mode: int) -> None:
    program = script(folder, f"touch ran; echo {TEXT}", mode=mode)

    assert "others may change" in refused(folder, program).what
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_folder_that_others_may_change_is_refused(folder: Path, mode: int) -> None:
    (folder / "tools").mkdir()
    script(folder / "tools", f"touch ran; echo {TEXT}")
    (folder / "tools").chmod(mode)

    assert "others may change" in refused(folder, "tools/key.sh").what
    assert not (folder / "ran").exists()


def test_the_file_that_names_the_program_is_nobody_else_s_to_write(folder: Path) -> None:
    program = script(folder, f"touch ran; echo {TEXT}")
    (folder / "lastro.yaml").chmod(0o666)

    assert "others may change" in refused(folder, program).what
    assert not (folder / "ran").exists()


def test_a_script_that_an_interpreter_reads_is_held_to_the_same(folder: Path) -> None:
    (folder / "key.py").write_text(f"open('ran', 'w'); print({TEXT!r})")
    (folder / "key.py").chmod(0o666)

    assert "others may change" in refused(folder, sys.executable, "key.py").what
    assert not (folder / "ran").exists()


def test_a_link_to_what_others_may_change_is_refused(folder: Path) -> None:
    (folder / "tools").mkdir()
    script(folder / "tools", f"touch ran; echo {TEXT}", mode=0o777)
    (folder / "key").symlink_to("tools/key.sh")

    assert "others may change" in refused(folder, "./key").what


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_program_of_somebody_else_is_refused(folder: Path) -> None:
    program = script(folder, f"echo {TEXT}")
    os.chown(folder / "key.sh", 12345, -1)

    assert "others may change" in refused(folder, program).what


def test_a_key_that_another_program_prints_is_told_by_its_name_alone(folder: Path) -> None:
    vault(folder, script(folder, f"echo {TEXT}")).tokens("id", ["x"])
    other = script(folder, f"echo {base64.b64encode(b'o' * 32).decode()}", name="other.sh")

    with pytest.raises(NotPermitted) as caught:
        vault(folder, other).tokens("id", ["y"])

    for secret in (KEY, b"o" * 32):
        assert base64.b64encode(secret).decode() not in str(caught.value)


def test_a_command_is_in_no_repr(folder: Path) -> None:
    assert "hunter2" not in repr(RootAt("command", folder, command(folder, "store", "--token=hunter2")))


def test_the_workspace_reads_it_from_lastro_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "en")
    root = lastro.init(tmp_path / "lake").root
    script(root, f"echo {TEXT}")
    with (root / "lastro.yaml").open("a") as stream:
        stream.write("keys: {root: {command: [./key.sh, root], timeout_s: 5}}\n")

    workspace = lastro.open(root)
    [token] = workspace.vault.tokens("id", ["x"])

    assert workspace.keys.status().root == "command"
    assert lastro.open(root).vault.reveal([token])[token].value == "x"
    assert not (root / ".lastro" / "keys" / "root.key").exists()


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("{command: store get}", "no program with its arguments"),
        ("{command: []}", "no program with its arguments"),
        ("{command: [1, 2]}", "no program with its arguments"),
        ('{command: [""]}', "no program with its arguments"),
        ("{command: [store, [get]]}", "no program with its arguments"),
        ("{comand: [store]}", "unknown key"),
        ("{command: [store], timeout_s: 0}", "timeout_s"),
        ("{command: [store], timeout_s: .inf}", "timeout_s"),
        ("{command: [store], timeout_s: yes}", "timeout_s"),
        ("{command: [store], shell: true}", "unknown key"),
        ("command", "does not say where"),
        ("[store, get]", "does not say where"),
    ],
)
def test_what_names_no_program_is_refused(
    tmp_path: Path, said: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LASTRO_LANG", "en")
    root = lastro.init(tmp_path / "lake").root
    with (root / "lastro.yaml").open("a") as stream:
        stream.write(f"keys: {{root: {said}}}\n")

    with pytest.raises(ConfigurationError, match=says):
        lastro.open(root)

"""Finding the verb, and every way a command can end."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from tests.cli.conftest import PROGRAM, Lastro

from lastro import __version__
from lastro.cli import main as entry
from lastro.cli.answer import Answer
from lastro.cli.verb import Verb
from lastro.cli.verbs import sections
from lastro.model import errors

VERBS = [name for verbs in sections().values() for name in verbs]
HEAVY = {"duckdb", "pyarrow", "polars", "pandas", "scipy", "numpy", "rich", "deltalake", "sqlglot", "msgspec"}
LOADED = """
import sys
sys.argv = ["lastro", *{arguments}]
from lastro.cli.main import main
try:
    main()
except SystemExit as end:
    print("exit", end.code, file=sys.stderr)
print(*sorted(sys.modules), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """The modules that one command line loads."""
    program = LOADED.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.startswith("exit 0\n"), done.stderr
    return set(done.stderr.splitlines()[1].split())


def test_help_loads_no_heavy_library_and_no_verb() -> None:
    modules = loaded("--help")

    assert not modules & HEAVY
    assert not {f"lastro.cli.{verb}" for verb in VERBS} & modules
    assert "lastro.workspace" not in modules


@pytest.mark.parametrize("verb", VERBS)
def test_a_verbs_help_loads_that_verb_and_no_heavy_library(verb: str) -> None:
    modules = loaded(verb, "--help")

    assert not modules & HEAVY
    assert {f"lastro.cli.{name}" for name in VERBS} & modules == {f"lastro.cli.{verb}"}


def test_help_lists_every_verb(lastro: Lastro) -> None:
    ended = lastro("--help")

    assert ended.code == 0
    assert all(f"\n  {verb} " in ended.out for verb in VERBS)
    assert lastro().out == ended.out == lastro("-h").out


def test_the_version(lastro: Lastro) -> None:
    assert lastro("--version").out == f"lastro {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["--nonsense"], ["log", "--nonsense"], ["diff", "loans"], ["-C"], ["-C", "nowhere", "log"]],
    ids=" ".join,
)
def test_wrong_usage_is_exit_2_with_a_repair(arguments: list[str], lastro: Lastro) -> None:
    ended = lastro(*arguments)

    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error LST-0200: ")
    assert "\n  do     " in ended.err


def test_a_slip_of_the_pen_is_answered(lastro: Lastro) -> None:
    assert "did you mean lastro ingest" in lastro("injest").err


def test_no_workspace_is_a_configuration_error(lastro: Lastro) -> None:
    ended = lastro("log", "--json")

    assert ended.code == 2
    assert ended.err == ""
    assert ended.json["schema"] == "lastro.error/1"
    assert ended.json["code"] == "LST-0203"


@pytest.mark.parametrize("arguments", [["--json", "nonsense"], ["log", "--json", "--nonsense"], ["diff", "--json"]])
def test_usage_errors_are_json_too(arguments: list[str], lastro: Lastro) -> None:
    ended = lastro(*arguments)

    assert ended.code == ended.json["exit_code"] == 2
    assert ended.json["ok"] is False
    assert ended.err == ""


def test_json_after_two_dashes_is_an_argument(lastro: Lastro) -> None:
    assert lastro("log", "--", "--json").out == ""


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch):
    """Puts a function in the place of `lastro log`."""

    def put(function) -> None:
        command = click.command("log", cls=Verb)(function)
        monkeypatch.setattr(entry.Verbs, "get_command", lambda self, ctx, name: command if name == "log" else None)

    return put


ENDINGS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.LastroError)]


@pytest.mark.parametrize("kind", ENDINGS, ids=lambda kind: kind.__name__)
def test_every_error_ends_with_its_code(kind: type[errors.LastroError], verb, lastro: Lastro) -> None:
    def fail() -> Answer:
        raise kind("what", where="here", do="this", state="as before")

    verb(fail)

    plain, as_json = lastro("log"), lastro("log", "--json")

    assert plain.code == as_json.code == kind.exit_code
    assert plain.err == f"error {kind.code}: what\n  where  here\n  do     this\n  state  as before\n"
    assert plain.out == as_json.err == ""
    assert as_json.json == {"schema": "lastro.error/1", "ok": False, **kind("what").to_dict()} | {
        "where": "here",
        "do": "this",
        "state": "as before",
    }


def test_a_bug_is_told_without_values(verb, lastro: Lastro) -> None:
    def fail() -> Answer:
        raise RuntimeError("123.456.789-09")

    verb(fail)

    ended = lastro("log")

    assert ended.code == 3
    assert ended.err.startswith("error LST-0001: this is a bug in Lastro (RuntimeError)\n  where  lastro.cli.")
    assert "123.456.789-09" not in ended.err + ended.out
    assert lastro("log", "--json").json["code"] == "LST-0001"


def test_debug_shows_the_traceback(verb, lastro: Lastro) -> None:
    def fail() -> Answer:
        raise RuntimeError("the detail")

    verb(fail)

    assert "RuntimeError: the detail" in lastro("log", "--debug").err
    assert "RuntimeError: the detail" in lastro("--debug", "log").err


def test_a_hostile_error_cannot_command_the_terminal(verb, lastro: Lastro) -> None:
    def fail() -> Answer:
        raise errors.SourceBroken("bad\x1b[2J name\nerror LST-9999: forged", where="a\rb", do="\u202etxt")

    verb(fail)

    ended = lastro("log")

    assert ended.err == (
        "error LST-0302: bad\\x1b[2J name\n  error LST-9999: forged\n  where  a\\rb\n  do     \\u202etxt\n"
    )


def test_an_answer_ends_with_verdict_and_next_command(verb, lastro: Lastro) -> None:
    verb(lambda: Answer(values={"n": 1}, verdict="all is well\x1b[2J", next="lastro log loans"))

    assert lastro("log").out == "all is well\\x1b[2J. next: lastro log loans\n"
    assert lastro("log", "--json").json == {"schema": "lastro.log/1", "ok": True, "n": 1}
    assert lastro("-C", ".", "log").last == "all is well\\x1b[2J. next: lastro -C . log loans"


def test_an_answer_that_is_not_ok_says_so(verb, lastro: Lastro) -> None:
    verb(lambda: Answer(values={}, verdict="damaged", exit_code=3))

    assert lastro("log").code == 3
    assert lastro("log", "--json").json["ok"] is False


def test_the_shared_options_stand_on_either_side(verb, lastro: Lastro, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    verb(lambda: Answer(values={"here": Path.cwd().name}, verdict=""))

    for arguments in (
        ["-C", "lake", "--json", "log"],
        ["log", "-C", "lake", "--json"],
        ["--json", "log", "-C", "lake"],
    ):
        os.chdir(tmp_path)
        assert lastro(*arguments).json["here"] == "lake"


SLOW = """
import time, click
from lastro.cli import main as entry
from lastro.cli.answer import Answer, Settings
from lastro.cli.verb import Verb
from lastro.cli.progress import working
from lastro.model.progress import Progress

@click.command("log", cls=Verb)
@click.pass_obj
def command(settings: Settings) -> Answer:
    with working("loans", settings) as told:
        print("begun", flush=True)
        told(Progress(1200, 2048, rows_expected=2400))
        time.sleep({seconds})
    return Answer(values={{}}, verdict="done")

entry.Verbs.get_command = lambda self, ctx, name: command
entry.main()
"""


def test_an_interruption_is_one_clean_line() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW.format(seconds=60), "log"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGINT)
    _out, err = child.communicate(timeout=30)

    assert child.returncode == 130
    assert err == "\ninterrupted; what was not acknowledged is not visible\n"


def test_a_closed_pipe_is_quiet() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*PROGRAM, "--version"], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)

    assert done.stderr == b""
    assert done.returncode == 141


def test_help_into_a_closed_pipe_is_quiet() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*PROGRAM, "--help"], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)

    assert done.stderr == b""
    assert done.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["--json", "nonsense"]], ids=" ".join)
def test_a_full_disk_behind_the_output_is_told(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False, text=True
        )

    assert done.returncode == 3
    assert done.stderr.startswith("error LST-0401: the output cannot be written: the disk is full\n")
    assert len(done.stderr.splitlines()) == 2


def test_streams_that_were_closed_before_are_no_bug() -> None:
    command = shlex.join([*PROGRAM, "--version"])

    assert subprocess.run(["sh", "-c", f"{command} >&-"], capture_output=True, timeout=60).stderr == b""
    assert subprocess.run(["sh", "-c", f"{command} 2>&-"], capture_output=True, timeout=60).returncode == 0


def test_the_shell_completes_verbs(process: Lastro) -> None:
    ended = process(_LASTRO_COMPLETE="bash_complete", COMP_WORDS="lastro ve", COMP_CWORD="1")

    assert (ended.code, ended.out) == (0, "plain,verify\n")


def on_a_terminal(arguments: list[str], *, until: str = "", **variables: str) -> str:
    """What a program writes to standard error when that is a terminal; it is ended once it wrote `until`."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", **variables}
    child = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=theirs, close_fds=True, env=environment
    )
    os.close(theirs)
    text = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            block = os.read(ours, 4096)
        except OSError:  # the terminal's other end is closed: the child has ended
            break
        text += block
        if until and until in text.decode("utf-8", "replace"):
            child.terminate()
            until = ""
    os.close(ours)
    child.wait(timeout=30)
    return text.decode("utf-8")


def test_progress_shows_on_a_terminal_after_a_second() -> None:
    text = on_a_terminal(["-c", SLOW.format(seconds=60), "log"], until="left")

    assert "loans  1,200 rows  2 KiB" in text
    assert "50 %" in text


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_no_progress_where_it_is_not_wanted(option: str) -> None:
    assert on_a_terminal(["-c", SLOW.format(seconds=1.5), "log", option]) == ""


def test_quick_work_draws_nothing() -> None:
    assert on_a_terminal(["-c", SLOW.format(seconds=0.1), "log"]) == ""


def test_errors_have_colour_only_where_it_is_welcome() -> None:
    program = PROGRAM[1:]

    assert "\x1b[31merror\x1b[0m" in on_a_terminal([*program, "nonsense"])
    assert "\x1b" not in on_a_terminal([*program, "nonsense"], NO_COLOR="1")
    assert "\x1b" not in on_a_terminal([*program, "--no-color", "nonsense"])


def test_an_encoding_without_our_signs_loses_signs_only(process: Lastro) -> None:
    ended = process("--help", PYTHONIOENCODING="ascii", LASTRO_LANG="pt_BR")

    assert ended.code == 0
    assert "lastro" in ended.out


def test_portuguese_speaks_portuguese_throughout(process: Lastro) -> None:
    helped, failed = process("--help", LASTRO_LANG="pt_BR"), process("log", "--nonsense", LASTRO_LANG="pt_BR")

    assert helped.out.startswith("Uso: lastro [OPÇÕES] COMANDO")
    assert "Traz os dados novos" in helped.out
    assert failed.err.startswith("erro LST-0200: ")
    assert "  faça  " in failed.err
    assert "Error" not in failed.err


def test_a_name_that_is_not_utf8_breaks_nothing(tmp_path: Path) -> None:
    done = subprocess.run([*PROGRAM, "--json", b"l\xffans\x1b[2J"], capture_output=True, timeout=60, check=False)

    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "LST-0200"
    assert b"\x1b" not in done.stdout + done.stderr

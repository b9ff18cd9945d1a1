"""Every scheduler reads what is written for it, whatever the workspace is called."""

import ast
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from lastro.model.errors import ConfigurationError
from lastro.report.schedules import KINDS, Schedule, cron_line, emit

UGLY = Path('/srv/o lago\'s "data" 100% $HOME {{x}}.sh')


def schedule(every=timedelta(minutes=15), root=UGLY, datasets=("loans", "a.b-c")):
    return Schedule(root, every, datasets)


@pytest.mark.parametrize(
    ("every", "line"),
    [
        (timedelta(minutes=1), "* * * * *"),
        (timedelta(minutes=15), "*/15 * * * *"),
        (timedelta(hours=1), "0 * * * *"),
        (timedelta(hours=6), "0 */6 * * *"),
        (timedelta(days=1), "0 3 * * *"),
        (timedelta(days=7), "0 3 * * 1"),
    ],
)
def test_even_periods_have_a_line(every, line):
    assert cron_line(every) == line


@given(st.integers(1, 3 * 86_400))
@example(5_760)  # fifteen times a day, but at no minutes that a line can say
def test_a_line_is_written_only_where_it_keeps_the_period(seconds):
    try:
        minute, hour, *_rest = cron_line(timedelta(seconds=seconds)).split()
    except ConfigurationError:
        assert seconds % 60 or (3600 % seconds if seconds < 3600 else seconds % 3600 or 86_400 % seconds)
        return

    times = [h * 60 + m for h in field(hour, 24) for m in field(minute, 60)]
    gaps = {later - earlier for earlier, later in zip(times, [*times[1:], times[0] + 1440], strict=True)}
    assert gaps == {seconds // 60}


def field(text, count):
    if text == "*":
        return range(count)
    return range(0, count, int(text.removeprefix("*/"))) if text.startswith("*/") else [int(text)]


def test_cron_calls_the_program_with_the_folder_as_one_word():
    line = emit("cron", schedule()).splitlines()[1]
    command = line.split(" ", 5)[5].replace("\\%", "%")

    assert shlex.split(command) == ["lastro", "-C", str(UGLY), "run", "--quiet"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ["\n", "\r", "\u2028"])
def test_a_path_with_a_line_break_is_refused(kind, ending):
    for bad in (schedule(root=Path(f"/srv/lake{ending}")), Schedule(UGLY, timedelta(hours=1), (), f"/bin/x{ending}y")):
        with pytest.raises(ConfigurationError, match="line break") as caught:
            emit(kind, bad)
        assert ending not in caught.value.what


def test_systemd_keeps_the_words_apart_and_expands_nothing():
    line = next(line for line in emit("systemd", schedule()).splitlines() if line.startswith("ExecStart="))

    assert '"/srv/o lago\'s \\"data\\" 100%% $$HOME {{x}}.sh"' in line
    assert "OnUnitActiveSec=900s" in emit("systemd", schedule())


@pytest.mark.parametrize("kind", ["airflow", "dagster", "prefect"])
def test_python_schedulers_get_a_program_with_a_task_for_each_dataset(kind):
    text = emit(kind, schedule())
    tree = ast.parse(text)
    words = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]

    assert any("loans" in word for word in words)
    assert any("a.b-c" in word for word in words)
    assert kind == "airflow" or str(UGLY) in words


def test_airflow_renders_the_command_back():
    from jinja2 import Template

    tree = ast.parse(emit("airflow", schedule()))
    commands = [
        keyword.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "bash_command"
    ]

    assert shlex.split(Template(commands[0]).render()) == ["lastro", "-C", str(UGLY), "ingest", "loans"]
    assert not commands[0].endswith(".sh")


def test_github_is_yaml_and_does_not_run_twice_at_once():
    found = YAML(typ="safe").load(emit("github", schedule()))

    assert found["on"]["schedule"] == [{"cron": "*/15 * * * *"}]
    assert found["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("kind", ["cron", "dagster", "github"])
def test_a_period_that_cannot_be_kept_is_refused_with_a_repair(kind):
    with pytest.raises(ConfigurationError) as caught:
        emit(kind, schedule(timedelta(minutes=45)))

    assert caught.value.do


def test_github_knows_no_period_below_five_minutes():
    with pytest.raises(ConfigurationError, match="five minutes"):
        emit("github", schedule(timedelta(minutes=1)))


@given(st.text(min_size=1).filter(lambda name: "/" not in name and "\0" not in name))
def test_names_of_units_are_plain_whatever_the_folder_is_called(name):
    made = schedule(root=Path("/srv") / name).name

    assert made.isascii()
    assert made.replace("_", "a").isalnum()


def test_every_kind_is_written():
    assert set(KINDS) == {"cron", "systemd", "airflow", "dagster", "prefect", "github"}

"""Schedules: `lastro run` as the schedulers that people already run want to read it.

Rules:

1. Every text calls the program as a person would, and holds no secret: variables are named, never filled.
2. Paths and names are quoted for the language they stand in; paths with a line break are refused, for cron and systemd
   read lines.
3. cron and GitHub know minutes, hours and days only: a period that no line of theirs can keep evenly is refused, for
   `*/45` does not mean every 45 minutes.
4. Each dataset is a task of its own where the scheduler has tasks, so that it retries and shows them one by one.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from lastro.model.errors import ConfigurationError
from lastro.model.text import _

_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86_400, 7 * 86_400


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is to be done: which datasets of which workspace, how often. `program` is how `lastro` is called there."""

    root: Path
    every: timedelta
    datasets: Sequence[str]
    program: str = "lastro"

    @property
    def name(self) -> str:
        """A name for units and jobs, from the workspace's folder: letters, digits and `_`."""
        kept = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in self.root.name.lower())
        return f"lastro_{kept.strip('_') or 'workspace'}"

    @property
    def command(self) -> str:
        """The whole round, as a shell reads it."""
        return f"{shlex.quote(self.program)} -C {shlex.quote(str(self.root))} run"

    def words(self, dataset: str) -> list[str]:
        """One dataset's step, as a list of words."""
        return [self.program, "-C", str(self.root), "ingest", dataset]


def emit(kind: str, schedule: Schedule) -> str:
    """The schedule's text for `cron`, `systemd`, `airflow`, `dagster`, `prefect` or `github`.

    Raises `ConfigurationError` if that scheduler cannot keep the period, or for a path with a line break (rule 2).
    """
    for path in (str(schedule.root), schedule.program):
        if path.splitlines() != [path]:
            raise ConfigurationError(
                _("the path {path!r} has a line break, which ends a line of a schedule").format(path=path),
                do=_("give the folder another name"),
            )
    return KINDS[kind](schedule)


def cron_line(every: timedelta) -> str:
    """The five fields of a cron line. Raises `ConfigurationError` (rule 3).

    >>> cron_line(timedelta(minutes=15))
    '*/15 * * * *'
    """
    seconds = int(every.total_seconds())
    if every == timedelta(seconds=seconds):
        if seconds == _WEEK:
            return "0 3 * * 1"
        if seconds == _DAY:
            return "0 3 * * *"
        if seconds % _HOUR == 0 and seconds < _DAY and _DAY % seconds == 0:
            hours = seconds // _HOUR
            return "0 * * * *" if hours == 1 else f"0 */{hours} * * *"
        if seconds % _MINUTE == 0 and seconds < _HOUR and _HOUR % seconds == 0:
            minutes = seconds // _MINUTE
            return "* * * * *" if minutes == 1 else f"*/{minutes} * * * *"
    raise ConfigurationError(
        _("cron cannot keep this period evenly"),
        do=_("choose a divisor of an hour or of a day (5m, 15m, 1h, 6h, 1d), a week, or use systemd"),
    )


def _cron(schedule: Schedule) -> str:
    # A percent sign is a line break to cron unless it is escaped.
    command = schedule.command.replace("%", "\\%")
    return f"# m h dom mon dow  command\n{cron_line(schedule.every)} {command} --quiet\n"


def _systemd(schedule: Schedule) -> str:
    seconds = int(schedule.every.total_seconds())
    program = " ".join(_systemd_word(word) for word in (schedule.program, "-C", str(schedule.root), "run"))
    name = schedule.name.replace("_", "-")
    return f"""\
# ~/.config/systemd/user/{name}.service
[Unit]
Description=Lastro: bring the datasets of {schedule.root.name.replace("%", "%%")} up to date

[Service]
Type=oneshot
ExecStart={program}
# Secrets come from a file that only you can read:
# EnvironmentFile=%h/.config/{name}.env

# ~/.config/systemd/user/{name}.timer
[Unit]
Description=Lastro: every {seconds} s

[Timer]
OnBootSec=1min
OnUnitActiveSec={seconds}s
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


def _systemd_word(word: str) -> str:
    escaped = word.replace("%", "%%").replace("$", "$$")
    if escaped and all(letter.isalnum() or letter in "-_./:%$@" for letter in escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _airflow(schedule: Schedule) -> str:
    return f"""\
from datetime import datetime, timedelta

from airflow.sdk import DAG
from airflow.providers.standard.operators.bash import BashOperator

with DAG(
    dag_id={schedule.name!r},
    schedule=timedelta(seconds={int(schedule.every.total_seconds())}),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={{"retries": 2, "retry_delay": timedelta(minutes=1)}},
) as dag:
{_each(schedule, _airflow_task)}"""


def _airflow_task(dataset: str, words: list[str]) -> str:
    return f"    BashOperator(task_id={'ingest_' + dataset!r}, bash_command={_jinja_safe(shlex.join(words))})\n"


def _jinja_safe(command: str) -> str:
    """Airflow renders commands with Jinja, and reads one that ends in `.sh` as a file's name: the blank prevents it."""
    return repr(command.replace("{{", "{{ '{{' }}").replace("{%", "{{ '{%' }}").replace("{#", "{{ '{#' }}") + " ")


def _dagster(schedule: Schedule) -> str:
    line = cron_line(schedule.every)
    return f"""\
import subprocess

import dagster as dg


def ingest(name: str, words: list[str]) -> dg.AssetsDefinition:
    @dg.asset(name=name, retry_policy=dg.RetryPolicy(max_retries=2, delay=60))
    def made() -> None:
        subprocess.run(words, check=True)

    return made


assets = [
{_each(schedule, _dagster_asset)}]
job = dg.define_asset_job({schedule.name!r}, selection=assets)
defs = dg.Definitions(
    assets=assets,
    schedules=[dg.ScheduleDefinition(job=job, cron_schedule={line!r}, execution_timezone="UTC")],
)
"""


def _dagster_asset(dataset: str, words: list[str]) -> str:
    return f"    ingest({_identifier(dataset)!r}, {words!r}),\n"


def _prefect(schedule: Schedule) -> str:
    return f"""\
import subprocess
from datetime import timedelta

from prefect import flow, task


@task(retries=2, retry_delay_seconds=60)
def ingest(words: list[str]) -> None:
    subprocess.run(words, check=True)


@flow(name={schedule.name!r})
def bring_up_to_date() -> None:
    steps = [
{_each(schedule, _prefect_step)}    ]
    for step in steps:
        step.result()


if __name__ == "__main__":
    bring_up_to_date.serve(
        name={schedule.name!r}, interval=timedelta(seconds={int(schedule.every.total_seconds())}), limit=1
    )
"""


def _prefect_step(dataset: str, words: list[str]) -> str:
    return f"        ingest.with_options(name={'ingest ' + dataset!r}).submit({words!r}),\n"


def _github(schedule: Schedule) -> str:
    if schedule.every < timedelta(minutes=5):
        what = _("GitHub starts nothing more often than every five minutes")
        raise ConfigurationError(what, do=_("choose 5m or more"))
    return f"""\
name: {schedule.name}
on:
  schedule:
    - cron: "{cron_line(schedule.every)}"
  workflow_dispatch:
concurrency:
  group: {schedule.name}
  cancel-in-progress: false
permissions:
  contents: read
jobs:
  run:
    # The tables must outlive the job: use a machine of your own that keeps the workspace.
    runs-on: self-hosted
    steps:
      - uses: actions/checkout@v4
        with:
          clean: false
      - run: python -m pip install lastro
      - run: lastro run
        # env:
        #   DATABASE_PASSWORD: ${{{{ secrets.DATABASE_PASSWORD }}}}
"""


def _each(schedule: Schedule, task: Callable[[str, list[str]], str]) -> str:
    return "".join(task(dataset, schedule.words(dataset)) for dataset in schedule.datasets)


def _identifier(dataset: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in dataset)


KINDS: Mapping[str, Callable[[Schedule], str]] = {
    "cron": _cron,
    "systemd": _systemd,
    "airflow": _airflow,
    "dagster": _dagster,
    "prefect": _prefect,
    "github": _github,
}
"""The schedulers, and how each is written for."""

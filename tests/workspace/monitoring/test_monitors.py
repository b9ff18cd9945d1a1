"""`monitors:` is checked wholly when the file is read; what is wrong is named with its line and the nearest word."""

from datetime import timedelta

import pytest
from tests.workspace.lake import Lake

import lastro
from lastro.model.errors import ConfigurationError
from lastro.workspace.monitoring.monitors import Monitor, WhenSpent

ALERTS = "alerts:\n  - {webhook: 'https://hooks.example.com/x', name: team}\n  - {webhook: 'https://x.example.com'}\n"


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def read(lake, text):
    lake.configure(extra=f"{text}{ALERTS}")
    return lake.workspace.settings.monitors


def refused(lake, text):
    with pytest.raises(ConfigurationError) as caught:
        read(lake, text)
    return f"{caught.value.what} | {caught.value.where} | {caught.value.do}"


def test_everything_may_be_said(lake):
    found = read(
        lake,
        """\
monitors:
  loans-drift:
    dataset: loans
    reference: approved
    window: 7d
    time: applied_at
    columns: [income, uf]
    margin: 2.5%
    margins: {income: 10%}
    budget: 1 %
    looks: 300
    when_spent: alarm
    every: 1d
    alert: [team, target-2]
""",
    )

    assert found["loans-drift"] == Monitor(
        *("loans-drift", "loans", "approved", None, "7d", None, "applied_at", ("income", "uf"), 0.025),
        *({"income": 0.1}, 0.01, 300, WhenSpent.ALARM, timedelta(days=1), ("team", "target-2")),
    )


def test_little_need_be_said(lake):
    found = read(lake, "monitors:\n  m: {dataset: loans, reference: 3}\n")

    assert found["m"] == Monitor("m", "loans", "3")
    assert (found["m"].margin, found["m"].budget, found["m"].looks) == (0.05, 0.05, 30)


def test_without_monitors_there_are_none(lake):
    assert read(lake, "") == {}
    assert read(lake, "monitors:\n") == {}


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("dataset: loans, refrence: approved", "did you mean reference?"),
        ("dataset: lones, reference: a", "did you mean loans?"),
        ("dataset: 7, reference: a", "the name of a dataset belongs here"),
        ("reference: a", "the name of a dataset belongs here"),
        ("dataset: loans", "a monitor has a reference or a run"),
        ("dataset: loans, reference: a, run: b", "a monitor has a reference or a run"),
        ("dataset: loans, reference: 'A b'", "is not a name"),
        ("dataset: loans, reference: '../x'", "is not a name"),
        ("dataset: loans, reference: 2026-13-01", "is not a date"),
        ("dataset: loans, reference: [a]", "a text belongs here"),
        ("dataset: loans, run: yesterday", "is not a run's id"),
        ("dataset: loans, reference: a, window: 7", "is not a period"),
        ("dataset: loans, reference: a, window: 7d, since: 2026-01-01", "since and window both say"),
        ("dataset: loans, reference: a, since: '2026-99-99'", "is not a date"),
        ("dataset: loans, reference: a, time: applied_at", "a time column without a beginning"),
        ("dataset: loans, reference: a, since: 3, time: applied_at", "a time column without a beginning"),
        ("dataset: loans, reference: a, margin: 0.05", "a percentage below 100 % belongs here"),
        ("dataset: loans, reference: a, margin: 100%", "a percentage below 100 % belongs here"),
        ("dataset: loans, reference: a, margins: 5%", "keys and values belong here"),
        ("dataset: loans, reference: a, margins: {income: -1%}", "a percentage below 100 % belongs here"),
        ("dataset: loans, reference: a, budget: 0%", "a percentage below 100 % belongs here"),
        ("dataset: loans, reference: a, looks: 0", "looks is a whole number from 1"),
        ("dataset: loans, reference: a, looks: true", "looks is a whole number from 1"),
        ("dataset: loans, reference: a, looks: many", "looks is a whole number from 1"),
        ("dataset: loans, reference: a, when_spent: shout", "use one of record, alarm"),
        ("dataset: loans, reference: a, every: often", "is not a period"),
        ("dataset: loans, reference: a, alert: [taem]", "did you mean team?"),
        ("dataset: loans, reference: a, alert: [nobody-at-all]", "its targets are: team, target-2"),
        ("dataset: loans, reference: a, alert: team", "a list of names belongs here"),
        ("dataset: loans, reference: a, columns: income", "a list of names belongs here"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(lake, keys, told):
    text = refused(lake, f"monitors:\n  m: {{{keys}}}\n")

    assert told in text
    assert "lastro.yaml:8: monitors.m" in text


@pytest.mark.parametrize("text", ["monitors: 7\n", "monitors: [a]\n", "monitors:\n  m: 7\n", "monitors:\n  m:\n"])
def test_a_monitor_is_keys_and_values(lake, text):
    assert "lastro.yaml:" in refused(lake, text)


@pytest.mark.parametrize(
    "name", ["'../../etc/x'", "'a/b'", "'A'", "''", "'x\\u0000'", "'.'", "'a..b'", f"'{'a' * 80}'"]
)
def test_a_hostile_name_is_refused(lake, name):
    assert "is not a name" in refused(lake, f"monitors:\n  {name}: {{dataset: loans, reference: a}}\n")


def test_a_derived_dataset_may_be_watched(lake):
    (lake.root / "transforms").mkdir()
    (lake.root / "transforms" / "by_state.sql").write_text("SELECT uf, count(*) AS n FROM loans GROUP BY uf\n")
    lake.configure(extra="monitors:\n  m: {dataset: by_state, reference: approved}\n")

    assert lastro.open(lake.root).settings.monitors["m"].dataset == "by_state"

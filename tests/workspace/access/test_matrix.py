"""Role x purpose x column x version x command: nobody is told a value that the policy does not give him.

What is expected is generated: the columns are the contract's, the commands those of the command line, and what each
person may have is what `lastro policy explain` says.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workspace.guarded import HEADER, Guarded

from lastro.cli.handing import COMMANDS, Hands
from lastro.cli.main import run
from lastro.cli.verbs import sections
from lastro.model.access import Act, Reach
from lastro.model.errors import NotPermitted
from lastro.workspace.workspace import Workspace

VERBS = [verb for verbs in sections().values() for verb in verbs]
POLICY = """
@id("analysts") @mask("note: null")
permit(principal in Role::"analyst", action == Action::"read", resource in Dataset::"loans")
  when { context.purpose == "credit-scoring" };
@id("no-identifiers") forbid(principal in Role::"analyst", action, resource) when { resource.class == "identifier" };
@id("officers") permit(principal in Role::"dpo", action, resource);
@id("state") @rows("uf = 'TO'")
permit(principal in Role::"local", action == Action::"read", resource in Dataset::"loans");
"""
PEOPLE = "access: {people: {ana: [analyst], dora: [dpo], luis: [local], both: [analyst, dpo]}}"
PURPOSES = ("credit-scoring", "marketing", "")
LISTED = '[{purpose: credit-scoring, basis: "LGPD art. 7, X"}, {purpose: audit, basis: "LGPD art. 7, II"}]'
NAMES = ("ana", "dora", "luis", "both", "nobody")
SECRETS = {
    "cpf": ("52998224725", "11144477735"),
    "income": ("83010077", "83020077"),
    "uf": ("Xapuri", "Quixada"),
    "note": ("confided-one", "confided-two"),
}


@pytest.fixture(scope="module")
def lake(first_guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    """Two versions, each with values of its own, and one row that was set aside."""
    lake = first_guarded.copied(tmp_path_factory.mktemp("matrix") / "lake")
    lake.contract = lake.contract.replace(
        "logicalTypeOptions: {minimum: 10}", "logicalTypeOptions: {minimum: 83010078}"
    )
    lake.contract = lake.contract.replace("minimum: 83010078}", "minimum: 0}")
    lake.begin()
    for number in range(2):
        values = [SECRETS[name][number] for name in SECRETS]
        rows = [f"{100 + 10 * number + n},{','.join(values)}" for n in range(4)] + [
            f"9{number},{values[0]},-1,TO,{values[3]}"
        ]
        (lake.root / f"loans-{number + 7}.csv").write_text(HEADER + "\n".join(rows) + "\n")
        lake.loans.ingest()
    lake.contract = lake.contract.replace("minimum: 0}", "minimum: 83020000}")
    lake.purposes = LISTED
    lake.access(PEOPLE)
    (lake.root / "policies").mkdir()
    (lake.root / "policies" / "people.cedar").write_text(POLICY)
    lake.begin()
    return lake


def may_see(workspace: Workspace, who: str, purpose: str, hands: Hands) -> set[str]:
    """The columns that somebody reads in the clear, of every row; without a basis, of statistics those of no person."""
    found = workspace.explain("loans@2", who=who, purpose=purpose)
    clear = {each.column for each in found.access.columns if each.reach is Reach.CLEAR and not each.rows}
    open_ = {"id", "income"} if hands is Hands.STATISTICS else set()
    return clear & open_ if found.refusal else clear


def test_every_command_says_what_it_hands_out() -> None:
    assert sorted(COMMANDS) == sorted(VERBS)
    assert {each.action for each in COMMANDS.values()} - {""} <= set(Act)
    assert all(each.action for each in COMMANDS.values() if each.hands in {Hands.ROWS, Hands.STATISTICS})


@pytest.mark.parametrize(("who", "purpose"), list(itertools.product(NAMES, PURPOSES)))
def test_rows_are_what_the_explanation_says(
    lake: Guarded, monkeypatch: pytest.MonkeyPatch, who: str, purpose: str
) -> None:
    monkeypatch.setenv("LASTRO_ACTOR", who)
    monkeypatch.setenv("LASTRO_PURPOSE", purpose)

    for version, column in itertools.product(("1", "2"), lake.loans.contract().plan().schema.names):
        found = lake.workspace.explain(f"loans@{version}", who=who, purpose=purpose)
        access = found.access.of(column)
        opened = lake.workspace.version(f"loans@{version}")
        if found.refusal or access.reach is Reach.DENIED:
            with pytest.raises(NotPermitted):
                opened.to_arrow(column)
            continue
        values = opened.to_arrow(column)[column].to_pylist()
        stored = opened.engine.read(opened.table.paths(opened.info), opened.schema, columns=[column], where=None)
        assert len(values) == (0 if access.rows else opened.info.rows), (version, column)
        assert access.reach is Reach.CLEAR or set(values) == {None}
        assert stored is not None


PROBES: dict[str, Callable[[Path], list[list[str]]]] = {
    "read": lambda out: [["read", f"loans@{n}", "-o", str(out / f"{n}.csv")] for n in (1, 2)],
    "diff": lambda _out: [["diff", "loans", "1", "2"]],
    "check": lambda _out: [["check", "loans@2", "--failures"]],
    "quarantine": lambda out: [["quarantine", "loans"], ["quarantine", "loans", "--export", str(out / "aside.csv")]],
    "templates": lambda _out: [["templates", "loans@2", "--column", name] for name in ("note", "cpf", "uf")],
    "profile": lambda _out: [["profile", "loans@1"], ["profile", "loans@2"]],
    "outliers": lambda _out: [["outliers", "loans@2"], ["outliers", "loans@2", "--rows"]],
    "history": lambda _out: [["history", "loans", "mean", "--column", "income"]],
    "drift": lambda _out: [["drift", "loans", "--reference", "1"]],
    "performance": lambda _out: [["performance", "loans", "--reference", "1", "--prediction", "uf", "--label", "cpf"]],
    "suggest": lambda _out: [["suggest", "loans"]],
    "leakage": lambda _out: [["leakage", "loans@1", "loans@2"]],
    "report": lambda _out: [["report", "datasheet", "loans@2"]],
    "classify": lambda _out: [["classify", "loans@2"]],
    "anonymise": lambda _out: [["anonymise", "loans@2", "--measure", "--quasi", "uf"]],
    "dp": lambda _out: [["dp", "loans@2", "--count", "--epsilon", "0.1"]],
    "reveal": lambda _out: [["reveal", "loans@2"]],
    "subject": lambda out: [["subject", "export", f"cpf={SECRETS['cpf'][0]}", "--to", str(out / "person")]],
}


def test_every_command_that_hands_out_values_is_probed() -> None:
    handing = {verb for verb, each in COMMANDS.items() if each.hands in {Hands.ROWS, Hands.STATISTICS}}

    assert set(PROBES) == handing


@pytest.mark.parametrize("verb", PROBES)
def test_no_command_tells_anybody_more(
    lake: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], verb: str
) -> None:
    monkeypatch.chdir(lake.root)
    ended = set[int]()
    for who, purpose in (("ana", "credit-scoring"), ("ana", ""), ("nobody", "credit-scoring"), ("luis", "audit")):
        monkeypatch.setenv("LASTRO_ACTOR", who)
        monkeypatch.setenv("LASTRO_PURPOSE", purpose)
        out = tmp_path / f"{who}-{purpose}"
        out.mkdir()
        for arguments in PROBES[verb](out):
            capfd.readouterr()
            code = run([*arguments, "--json"])
            ended.add(code)
            shown = "".join(capfd.readouterr()) + "".join(path.read_text() for path in out.rglob("*") if path.is_file())
            hidden = set(SECRETS) - may_see(lake.workspace, who, purpose, COMMANDS[verb].hands)
            leaked = [value for column in hidden for value in SECRETS[column] if value in shown]
            assert not leaked, (who, purpose, arguments)

    # One takes a budget first, the other tokens.
    assert verb in {"dp", "reveal"} or ended & {0, 1, 4}, ended


def test_who_may_is_told(
    lake: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(lake.root)
    monkeypatch.setenv("LASTRO_ACTOR", "dora")

    assert run(["read", "loans@1", "-o", str(tmp_path / "all.csv"), "--purpose", "audit"]) == 0
    assert run(["quarantine", "loans", "--purpose", "audit"]) == 0
    assert run(["read", "loans@1", "-o", str(tmp_path / "none.csv")]) == 4

    shown = "".join(capfd.readouterr()) + (tmp_path / "all.csv").read_text()
    assert all(values[0] in shown for values in SECRETS.values())
    assert not (tmp_path / "none.csv").exists()

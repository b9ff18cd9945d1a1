"""Steps: found, ordered and keyed, without anything being run."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.errors import ConfigurationError, NameRefused, SqlRefused, UnknownName
from lastro.model.schema import Schema
from lastro.model.version import Mode, Origin, VersionInfo
from lastro.transform.derived import discover
from lastro.transform.derived.made_of import MadeOf, Part, changes, stale
from lastro.transform.derived.order import needed, ordered
from lastro.transform.derived.step import Kind, Step

NAMES = ("a", "b", "c", "d", "e", "f", "g")
GRAPHS = st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from((*NAMES, "loans", "people"))), min_size=1)
DIGESTS = st.sampled_from([f"sha256:{digit * 64}" for digit in "0123"])
PARAMETERS = st.dictionaries(st.sampled_from(["days", "state"]), st.integers(0, 2) | st.sampled_from(["SP", "0"]))
UPSTREAM = st.dictionaries(st.sampled_from(["loans", "people"]), st.tuples(st.integers(0, 2), DIGESTS)).map(
    lambda found: tuple(f"{name}@{number} {digest}" for name, (number, digest) in found.items())
)
MADE = st.builds(MadeOf, DIGESTS, PARAMETERS, UPSTREAM, DIGESTS)


def step(name: str, *upstream: str) -> Step:
    return Step(name, f"transforms/{name}.sql", Kind.SQL, upstream, "sha256:0")


def version(made: MadeOf, *, digest: str = "sha256:head", mode: Mode = Mode.OVERWRITE) -> VersionInfo:
    origin = Origin(mode, "key", inputs=made.upstream, contract_digest=made.contract, made_of=made.kept())
    return VersionInfo("x", 3, digest, None, datetime(2026, 1, 1, tzinfo=UTC), Schema(()), 0, 0, (), origin)


def found(root: Path, **texts: str) -> dict[str, Step]:
    folder = root / "transforms"
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text)
    return discover.steps(root, sourced=["loans"], known=["loans", "loan-events"], parameters={"top": {"least": 3}})


@given(GRAPHS)
def test_every_step_comes_after_what_it_reads_and_a_circle_is_the_fault_of_its_steps(
    graph: dict[str, set[str]],
) -> None:
    steps = [step(name, *sorted(upstream)) for name, upstream in graph.items()]

    order = ordered(steps)

    names = [one.name for one in order]
    sound = [one.name for one in order if one.fault is None]
    assert sorted(names) == sorted(graph)
    assert all(names.index(up) < names.index(name) for name in sound for up in graph[name] if up in graph)
    assert names == [one.name for one in ordered(reversed(steps))]
    for one in order:
        if one.fault is not None:
            circle = one.fault.what.partition(": ")[2].split(" → ")
            assert one.name in circle
            assert circle[0] == circle[-1]
            assert all(later in graph[earlier] for earlier, later in itertools.pairwise(circle))


def test_a_step_outside_of_a_circle_has_no_fault() -> None:
    order = ordered(
        [step("a", "loans"), step("b", "c", "a"), step("c", "b"), step("d", "c"), step("e", "e"), step("f")]
    )

    assert [one.name for one in order if one.fault is not None] == ["b", "c", "e"]
    assert [one.name for one in order] == ["a", "b", "c", "e", "f", "d"]


@given(GRAPHS, st.sampled_from(NAMES))
def test_what_is_needed_is_closed_and_no_more(graph: dict[str, set[str]], wanted: str) -> None:
    steps = {name: step(name, *upstream) for name, upstream in graph.items()}

    chosen = needed([wanted], steps)

    assert all(up in chosen for name in chosen for up in graph[name] if up in graph)
    assert all(name == wanted or any(name in graph[other] for other in chosen) for name in chosen)
    assert (wanted in chosen) is (wanted in graph)


@given(MADE, MADE)
def test_what_changed_is_told_exactly_when_the_key_differs(before: MadeOf, after: MadeOf) -> None:
    head = version(before)

    told = changes(before, after)

    numbers_alone = before.key(None) == after.key(None)
    same_names = {one.partition("@")[0] for one in before.upstream} == {one.partition("@")[0] for one in after.upstream}
    assert bool(told) <= (not numbers_alone or not same_names)
    assert stale(head, after) == told
    assert not changes(after, after)


@given(MADE)
def test_the_key_does_not_depend_on_the_order_of_what_it_is_made_of(made: MadeOf) -> None:
    turned = MadeOf(made.code, dict(reversed(made.parameters.items())), tuple(reversed(made.upstream)), made.contract)

    assert turned.key(None) == made.key(None)
    assert made.key(version(made)) != made.key(version(made, digest="sha256:other")) != made.key(None)


def test_each_thing_that_changed_is_named() -> None:
    before = MadeOf("sha256:a", {"days": 1, "old": 0}, ("loans@1 sha256:1", "gone@0 sha256:2"), "sha256:c")
    after = MadeOf("sha256:b", {"days": 2}, ("loans@2 sha256:3", "people@0 sha256:4"), "sha256:d")

    told = [(one.part, one.name, one.before, one.after) for one in changes(before, after)]

    assert told == [
        (Part.CODE, "", "sha256:a", "sha256:b"),
        (Part.PARAMETER, "days", "1", "2"),
        (Part.PARAMETER, "old", "0", ""),
        (Part.UPSTREAM, "gone", "gone@0", ""),
        (Part.UPSTREAM, "loans", "loans@1", "loans@2"),
        (Part.UPSTREAM, "people", "", "people@0"),
        (Part.CONTRACT, "", "sha256:c", "sha256:d"),
    ]


def test_a_version_that_no_build_made_is_stale() -> None:
    made = version(MadeOf("sha256:a"))
    ingested = Origin(Mode.OVERWRITE, "key", source="data")
    other = VersionInfo("x", 0, "sha256:1", None, made.committed, Schema(()), 0, 0, (), ingested)

    assert [one.part for one in stale(other, MadeOf("sha256:a"))] == [Part.OTHERWISE]
    assert [one.part for one in stale(None, MadeOf("sha256:a"))] == [Part.NEVER]


def test_steps_say_what_they_read(tmp_path: Path) -> None:
    steps = found(
        tmp_path,
        by_state__sql="SELECT uf FROM loans JOIN 'loan-events' USING (id)",
        top__py="def helper_free(by_state, loan_events, *, least: int = 1, states=('SP',)): return by_state",
        _shared__py="import everything_that_is_not_there",
        notes__txt="no step",
    )

    assert sorted(steps) == ["by_state", "top"]
    assert steps["by_state"].upstream == ("loans", "loan-events")
    assert steps["top"].upstream == ("by_state", "loan-events")
    assert steps["top"].arguments == {"by_state": "by_state", "loan_events": "loan-events"}
    assert steps["top"].parameters == {"least": 3, "states": ["SP"]}
    assert steps["top"].function == "helper_free"


def test_code_is_the_file_and_what_it_imports(tmp_path: Path) -> None:
    texts = {
        "top__py": "from _shared import best\ndef top(loans, least=1): return best(loans)",
        "_shared__py": "import _deep",
        "_deep__py": "X = 1",
        "_other__py": "X = 1",
    }
    first = found(tmp_path, **texts)["top"].code

    unrelated = found(tmp_path, _other__py="X = 2")["top"].code
    deep = found(tmp_path, _deep__py="X = 2")["top"].code

    assert first.startswith("sha256:")
    assert first == unrelated
    assert first != deep


@pytest.mark.parametrize(
    ("file", "text", "kind", "words"),
    [
        ("x__sql", "SELECT * FROM lones", UnknownName, "there is no dataset lones"),
        ("x__sql", "SELEC * FROM", SqlRefused, "the SQL cannot be read"),
        ("x__sql", "DELETE FROM loans", SqlRefused, "no SELECT"),
        ("x__sql", "SELECT 1; SELECT 2", SqlRefused, "2 statements instead of one"),
        ("x__py", "def x(loans:", ConfigurationError, "the Python code cannot be read"),
        ("x__py", "X = 1", ConfigurationError, "no function x"),
        ("x__py", "def a(loans): ...\ndef b(loans): ...", ConfigurationError, "no function x"),
        ("x__py", "async def x(loans): ...", ConfigurationError, "no function x"),
        ("x__py", "def x(*loans): ...", ConfigurationError, "parameters without a name"),
        ("x__py", "def x(loans, day=today()): ...", ConfigurationError, "default of a build parameter"),
        ("x__py", "def x(lones): ...", UnknownName, "there is no dataset lones"),
        ("loans__sql", "SELECT 1 AS a", ConfigurationError, "comes into being in two ways"),
        ("Bad Name__sql", "SELECT 1 AS a", NameRefused, "is not a name"),
        ("x__quarantine__sql", "SELECT 1 AS a", NameRefused, "kept for a quarantine"),
    ],
)
def test_what_is_wrong_with_a_file_is_its_own_fault(
    tmp_path: Path, file: str, text: str, kind: type, words: str
) -> None:
    steps = found(tmp_path, **{file: text, "good__sql": "SELECT id FROM loans"})

    (bad,) = [one for name, one in steps.items() if name != "good"]
    assert isinstance(bad.fault, kind)
    assert words in bad.fault.what
    assert bad.fault.where
    assert steps["good"].fault is None


def test_the_nearest_name_is_told(tmp_path: Path) -> None:
    fault = found(tmp_path, lonas__sql="SELECT * FROM lones")["lonas"].fault

    assert fault is not None
    assert fault.do == "did you mean loans?"


def test_a_name_made_by_two_files_is_refused(tmp_path: Path) -> None:
    steps = found(tmp_path, x__sql="SELECT id FROM loans", x__py="def x(loans): ...")

    assert steps["x"].fault is not None
    assert "two ways" in steps["x"].fault.what


def test_a_parameter_that_the_step_does_not_have_is_refused(tmp_path: Path) -> None:
    fault = found(tmp_path, top__sql="SELECT id FROM loans")["top"].fault

    assert fault is not None
    assert fault.what == "the step has no build parameter least"


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.sql"
    outside.write_text("SELECT id FROM loans")
    (tmp_path / "transforms").mkdir()
    (tmp_path / "transforms" / "x.sql").symlink_to(outside)

    assert found(tmp_path) == {}

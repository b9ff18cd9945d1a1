"""The manifest's format: its golden file, its digests, its growth; what the commit carries to make it again."""

from __future__ import annotations

import json
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.making import SCHEMA, append

from lastro.model import digest
from lastro.model.errors import Corrupted, StoreError
from lastro.model.version import Mode, Origin, RowCounts
from lastro.store import delta, manifest
from lastro.store.erasure import generations, journal
from lastro.store.erasure.generations import Generation, Proof, Replaced
from lastro.store.erasure.journal import Journal
from lastro.store.erasure.scrubbing import Left, scrub
from lastro.store.manifest import Manifest, State, advance
from lastro.store.paths import Places, check_relative
from lastro.store.table import Table

GOLDEN = Path(__file__).parent / "golden"
ORIGIN = Origin(
    Mode.APPEND,
    "2026-01-31/loans",
    source="core.loan_application",
    cursor={"after": "2026-01-31", "é": [1, 2.5, None]},
    contract_digest="sha256:" + "c" * 64,
    code_digest="sha256:" + "d" * 64,
    engine="duckdb 2.0",
    counts=RowCounts(12, 10, 2),
    inputs=("customers@3#sha256:" + "e" * 64,),
)


def record(number: int, parent: State | None, added: list[str], removed: list[str], **changed: Any) -> manifest.Record:
    """A record whose values are all given: nothing of this machine or moment is in it."""
    kept = {
        "dataset": "loans",
        "number": number,
        "parent": parent.manifest.digest if parent else None,
        "committed": "2026-01-31T10:00:00.123456Z",
        "table": {"id": "00000000-0000-4000-8000-000000000000", "created": 1769853600123, "ntz": False},
        "writer": "lastro/0.1.0",
        "origin": manifest.origin_value(ORIGIN),
    }
    return delta.record(
        kept=kept | changed,
        schema=json.loads(SCHEMA.to_delta()),
        announces=parent is None,
        added=[file(name) for name in added],
        removed=[manifest.entry_value(parent.files[name]) for name in removed] if parent else [],
        parent=parent,
    )


def file(name: str) -> dict[str, Any]:
    return {
        "path": name,
        "size": 1380,
        "sha256": digest.of_bytes(name.encode()),
        "rows": 10,
        "stats": '{"numRecords":10}',
        "modified": 1769853600000,
    }


def chain(count: int) -> list[State]:
    states: list[State] = []
    for number in range(count):
        parent = states[-1] if states else None
        states.append(advance(parent, Manifest.of(record(number, parent, [f"part-{number}.parquet"], []))))
    return states


def test_the_format_is_the_golden_files() -> None:
    origin = json.loads((GOLDEN / "manifest-0.json").read_bytes())["manifest"]["origin"]
    first = advance(None, Manifest.of(record(0, None, ["part-a.parquet", "part-b.parquet"], [], origin=origin)))
    second = Manifest.of(record(1, first, ["part-c.parquet"], ["part-a.parquet"], origin=origin))

    for number, found in enumerate((first.manifest, second)):
        assert found.encode() == (GOLDEN / f"manifest-{number}.json").read_bytes()
        assert delta.render(found) == (GOLDEN / f"commit-{number}.json").read_bytes()


def test_the_golden_files_are_read_and_proven() -> None:
    manifests = [
        manifest.decode((GOLDEN / f"manifest-{number}.json").read_bytes(), dataset="loans", number=number, where="")
        for number in range(2)
    ]

    state = advance(advance(None, manifests[0]), manifests[1])

    assert sorted(state.files) == ["part-b.parquet", "part-c.parquet"]
    assert (state.info().rows, state.info().schema, state.info().origin) == (20, SCHEMA, ORIGIN)
    assert state.info().digest == "sha256:" + json.loads((GOLDEN / "manifest-1.json").read_bytes())["digest"][7:]


def test_what_an_erasure_leaves_and_its_record_are_the_golden_files() -> None:
    places = Places.of(Path("/lake"), "loans")
    states = [
        advance(None, manifest.decode((GOLDEN / "manifest-0.json").read_bytes(), dataset="loans", number=0, where=""))
    ]
    states.append(
        advance(
            states[0],
            manifest.decode((GOLDEN / "manifest-1.json").read_bytes(), dataset="loans", number=1, where=""),
        )
    )
    left = {"part-b.parquet": Left("sha256:" + "b" * 64, 7, '{"numRecords":7}')}

    erased = [
        Manifest(scrub(state.manifest.record, left, rows=rows, text=str), state.manifest.digest, 1)
        for state, rows in zip(states, (17, 17), strict=True)
    ]
    generation = Generation(
        dataset="loans",
        number=1,
        previous=None,
        moment="2026-02-01T00:00:00.000000Z",
        request="20260201T000000Z-00000000",
        head={"number": 1, "digest": erased[1].digest},
        versions={each.number: (each.digest, each.proof) for each in erased},
        files=(Replaced("part-b.parquet", 1380, digest.of_bytes(b"part-b.parquet"), "sha256:" + "b" * 64, 10, 7),),
    )

    assert generation.encode() == (GOLDEN / "generation-1.json").read_bytes()
    assert generations.decode(generation.encode(), places, 1) == generation
    assert [each.encode() for each in erased] == [
        (GOLDEN / f"manifest-{number}-erased.json").read_bytes() for number in range(2)
    ]
    proof = Proof(1, *generation.versions[0])
    assert delta.rebuild(delta.parse(delta.render(erased[0])), None, proof=proof).encode() == erased[0].encode()
    with pytest.raises(ValueError, match="prove"):
        delta.rebuild(delta.parse(delta.render(erased[0])), None)


def test_the_journal_of_an_erasure_is_the_golden_file(tmp_path: Path) -> None:
    places = Places.of(tmp_path, "loans")
    found = Journal(1, "sha256:" + "0" * 64, ["_lastro/generations/1.json", "part-b.parquet"], ["_lastro/aside/x.json"])
    places.erasure.mkdir(parents=True)

    places.journal.write_bytes(found.encode())

    assert found.encode() == (GOLDEN / "erasure-journal.json").read_bytes()
    assert journal.read(places) == found
    for damaged in (found.encode()[:-5], found.encode().replace(b"part-b", b"../rt-b"), b"{}", b"[]", b""):
        places.journal.write_bytes(damaged)
        with pytest.raises(Corrupted):
            journal.read(places)


def test_what_a_derived_version_is_made_of_stands_as_the_golden_file_says() -> None:
    made_of = {"code": "sha256:" + "a" * 64, "parameters": {"least": 500.0, "states": ["SP", "é"]}}
    origin = replace(ORIGIN, made_of=made_of, inputs=("loans@3 sha256:" + "e" * 64,))
    values = {key: value for key, value in manifest.origin_value(origin).items() if key in {"made_of", "inputs"}}
    golden = (GOLDEN / "derived-origin.json").read_bytes()

    assert digest.canonical(values) + b"\n" == golden
    assert manifest.origin_of(manifest.origin_value(ORIGIN) | json.loads(golden)) == origin


def test_the_columns_of_a_derived_version_stand_as_the_golden_file_says() -> None:
    origin = replace(ORIGIN, columns={"total": [["loans", "amount"], ["por.uf", "ação"]], "n": []})
    value = {"columns": manifest.origin_value(origin)["columns"]}
    golden = (GOLDEN / "derived-columns.json").read_bytes()

    assert digest.canonical(value) + b"\n" == golden
    assert manifest.origin_of(manifest.origin_value(ORIGIN) | json.loads(golden)) == origin


def test_a_version_that_is_not_derived_says_nothing_of_it() -> None:
    assert {"made_of", "columns"}.isdisjoint(manifest.origin_value(ORIGIN))


def test_a_commit_makes_its_manifest_again() -> None:
    parent: State | None = None
    for state in chain(70):
        again = delta.rebuild(delta.parse(delta.render(state.manifest)), parent)
        assert again.encode() == state.manifest.encode()
        parent = state


def test_all_manifests_together_grow_with_the_versions_not_their_square() -> None:
    def size(count: int) -> int:
        return sum(len(state.manifest.encode()) for state in chain(count))

    assert size(600) < 3 * size(300)


def test_a_version_is_read_from_few_manifests() -> None:
    states = chain(300)

    assert max(state.since_listing for state in states) < manifest.LISTING_EVERY
    for number in (64, 128, 299):
        nearest = next(state for state in reversed(states[: number + 1]) if state.manifest.listing)
        state = manifest.start(nearest.manifest)
        for later in states[nearest.manifest.number + 1 : number + 1]:
            state = advance(state, later.manifest)
        assert state is not None
        assert state.files == states[number].files


def test_a_newer_format_asks_for_a_newer_lastro() -> None:
    newer = dict(record(0, None, ["part-a.parquet"], []), lastro=2)

    with pytest.raises(StoreError, match="newer Lastro"):
        manifest.decode(Manifest.of(newer).encode(), dataset="loans", number=0, where="")


@pytest.mark.parametrize(("dataset", "number"), [("other", 0), ("loans", 1)])
def test_a_manifest_of_another_place_is_refused(dataset: str, number: int) -> None:
    content = Manifest.of(record(0, None, ["part-a.parquet"], [])).encode()

    with pytest.raises(Corrupted):
        manifest.decode(content, dataset=dataset, number=number, where="")


def test_fields_of_a_later_lastro_are_still_proven() -> None:
    later = dict(record(0, None, ["part-a.parquet"], []), later={"more": 1})
    later["origin"] = {**later["origin"], "later": True}

    read = manifest.decode(Manifest.of(later).encode(), dataset="loans", number=0, where="")

    assert read.origin == ORIGIN


@given(place=st.integers(0, 3000), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_manifest_is_refused(place: int, bit: int) -> None:
    content = bytearray((GOLDEN / "manifest-1.json").read_bytes())
    content[place % len(content)] ^= 1 << bit

    with pytest.raises((Corrupted, StoreError)):
        manifest.decode(bytes(content), dataset="loans", number=1, where="")


@given(st.binary(max_size=300))
def test_no_bytes_break_the_parsers(content: bytes) -> None:
    with pytest.raises(Corrupted):
        manifest.decode(content, dataset="loans", number=0, where="")
    try:
        commit = delta.parse(content)
    except ValueError:
        return
    with pytest.raises(ValueError, match="commit"):
        delta.rebuild(commit, None)


@given(
    key=st.text(st.characters(blacklist_categories=["Cs"]), min_size=1),
    cursor=st.dictionaries(st.text(st.characters(blacklist_categories=["Cs"])), st.integers() | st.floats(0, 1)),
    findings=st.lists(st.dictionaries(st.just("rule"), st.integers()), max_size=3),
    counts=st.none() | st.builds(RowCounts, st.integers(0), st.integers(0), st.integers(0)),
)
def test_any_origin_survives_manifest_and_commit(
    key: str, cursor: dict[str, Any], findings: list[dict[str, Any]], counts: RowCounts | None
) -> None:
    origin = Origin(Mode.UPSERT, key, cursor=cursor, findings=tuple(findings), counts=counts)
    made = Manifest.of(record(0, None, ["a.parquet"], [], origin=manifest.origin_value(origin)))

    read = manifest.decode(made.encode(), dataset="loans", number=0, where="")

    assert read.origin == origin
    assert delta.rebuild(delta.parse(delta.render(made)), None) == read


@given(
    st.lists(st.sampled_from([*string.ascii_lowercase, "..", ".", "", "_x", "a b", "é", "\\", "\n", "%2e"]), max_size=4)
)
def test_a_relative_path_never_leaves_its_folder(parts: list[str]) -> None:
    path = "/".join(parts)
    try:
        allowed = check_relative(path)
    except Corrupted:
        return

    inside = Path("/table") / allowed
    assert inside.is_relative_to("/table")
    assert ".." not in inside.parts
    assert inside != Path("/table")


def test_what_is_on_disk_is_what_was_rendered(tmp_path: Path) -> None:
    table = Table(tmp_path, "loans")
    for key in range(3):
        append(table, [(key, key)], str(key))

    for number in range(3):
        made = table.log.manifest(number)
        assert table.places.manifest(number).read_bytes() == made.encode()
        assert table.places.commit(number).read_bytes() == delta.render(made)

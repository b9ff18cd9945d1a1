"""The façade over versions: tags, references, differences, restoring, care."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.workspace.lake import CONTRACT, GOOD, HEADER

import lastro
from lastro.model.errors import ConfigurationError, Corrupted, Expired, NameRefused, UnknownName

MORE = HEADER + "1, sp,1000.5,2026-01-01\n3,mg ,999,2026-01-03\n4,SP,4,2026-01-04\n"


@pytest.fixture
def two(lake):
    """Version 0 has the rows 1, 2, 3; version 1 changed 3, removed 2, added 4."""
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.write_text(MORE)
    lake.loans.ingest()
    return lake


def test_workspaces_and_datasets_show_themselves_without_their_settings(two):
    shown = [repr(two.workspace), repr(two.loans), two.workspace._repr_html_(), two.loans._repr_html_()]

    assert all("loans" in text for text in shown)
    assert not any("overwrite" in text for text in shown[:2])
    assert "<td>overwrite</td>" in shown[3]


def test_every_reference_finds_its_version(two):
    two.loans.tag("approved", 0)
    info = two.loans.log()[0]

    numbers = {
        text: two.workspace.version(text).number
        for text in ("loans", "loans@latest", "loans@0", "loans@approved", f"loans@{info.digest[:20]}")
    }

    assert numbers == {
        "loans": 1,
        "loans@latest": 1,
        "loans@0": 0,
        "loans@approved": 0,
        f"loans@{info.digest[:20]}": 1,
    }
    assert two.workspace.version(f"loans@{info.committed.date()}").number == 1
    with pytest.raises(UnknownName):
        two.workspace.version("loans@2001-01-01")
    with pytest.raises(UnknownName):
        two.workspace.version("loans@7")


def test_a_difference_by_key(two):
    diff = two.loans.diff("0", "1")

    assert (diff.added, diff.removed, diff.changed, diff.rows) == (1, 1, 1, (3, 3))
    assert {name: count for name, count in diff.cells.items() if count} == {"income": 1}
    assert diff.schema == ()
    assert not diff.equal
    assert {example["change"] for example in diff.examples} == {"added", "removed", "changed"}


def test_a_version_does_not_differ_from_itself(two):
    assert two.loans.diff("1", "1").equal


def test_a_changed_schema_is_part_of_the_difference(two):
    two.configure(contract=CONTRACT + "      - name: product\n        logicalType: string\n")
    two.csv.write_text("id,uf,income,applied_at,product\n1,SP,1000.5,2026-01-01,home\n")
    two.loans.ingest()

    (change,) = two.loans.diff("1", "2").schema

    assert (change.column, change.change, change.after) == ("product", "added", "string")


def test_restoring_makes_a_new_version_with_the_old_rows(two):
    restored = two.loans.restore("0")

    assert restored.number == 2
    assert two.ids() == [1, 2, 3]
    assert two.ids("1") == [1, 3, 4]


def test_after_restoring_the_changed_source_is_read_again(two):
    two.loans.restore("0")

    result = two.loans.ingest()

    assert (result.unchanged, result.version) == (False, 3)
    assert two.ids() == [1, 3, 4]


def test_nothing_is_damaged_and_a_flipped_byte_is_found(two):
    assert two.workspace.verify(read_data=True).passed
    path = two.loans.table.paths(two.loans.log()[0])[0]
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    report = two.workspace.verify(read_data=True)

    assert not report.passed
    assert path.name in report.damage[0][1].path
    with pytest.raises(Corrupted):
        two.loans.version().to_arrow()


def test_gc_keeps_what_is_pinned_and_says_what_expired(two):
    two.loans.tag("approved", 0)
    two.csv.write_text(GOOD.replace("300", "301"))
    two.loans.ingest()

    dry = two.workspace.gc(grace=timedelta(days=1))
    kept = two.ids("1")

    assert kept == [1, 3, 4]
    assert not dry.applied
    assert two.ids("0") == [1, 2, 3]


def test_the_catalogue_is_made_again_from_the_tables(two):
    two.loans.tag("approved", 0)
    with two.workspace.catalog() as catalog:
        before = catalog.dump()
    (two.root / ".lastro" / "catalog.sqlite").unlink()

    two.workspace.repair(rebuild_catalog=True)

    with two.workspace.catalog() as catalog:
        assert catalog.dump() == before


def test_a_workspace_is_found_from_below_and_only_made_once(lake):
    below = lake.root / "contracts"

    assert lastro.open(below).root == lake.root
    with pytest.raises(ConfigurationError, match="already"):
        lastro.init(lake.root)


def test_a_folder_without_one_says_how_to_begin(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        lastro.open(tmp_path)

    assert "lastro init" in caught.value.do


@pytest.mark.parametrize("name", ["../x", "Loans", "loans.quarantine", "", "a/b", "x" * 80])
def test_names_that_are_no_names_are_refused(lake, name):
    with pytest.raises(NameRefused):
        lake.workspace.dataset(name)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("lastro: 2\n", "version"),
        ("lastro: 1\ndatasetz: {}\n", "unknown key"),
        ("lastro: 1\ndatasets: [1]\n", "keys and values"),
        ("lastro: 1\ndatasets: {loans: {mode: replace}}\n", "not a mode"),
        ("lastro: 1\ndatasets: {loans: {contract: ../../etc/passwd}}\n", "leaves the workspace"),
        ("lastro: 1\ndatasets: {loans: {contract: /etc/passwd}}\n", "leaves the workspace"),
        ("lastro: 1\ndatasets: {loans: {sourze: {}}}\n", "unknown key"),
        ("lastro: 1\nengine: {memory_mb: many}\n", "whole number"),
        ("lastro: &a 1\nx: *a\n", None),
        ("[", None),
        ("", None),
    ],
)
def test_a_wrong_configuration_is_refused_by_key(lake, text, match):
    (lake.root / "lastro.yaml").write_text(text)

    with pytest.raises(ConfigurationError, match=match):
        lastro.open(lake.root)


def test_adding_a_file_writes_a_contract_that_ingests_it(tmp_path):
    workspace = lastro.init(tmp_path / "lake")
    source = tmp_path / "lake" / "people.csv"
    source.write_text("id,name,joined,active,score\n1,Ana,31/01/2026,true,1.5\n2,Rui,01/02/2026,false,\n")

    added = workspace.add("people.csv", name="people")
    result = workspace.dataset("people").ingest()

    rows = workspace.version("people").to_arrow().to_pylist()
    assert added.columns == 5
    assert (result.counts.read, result.counts.kept) == (2, 2)
    assert [row["joined"].isoformat() for row in rows] == ["2026-01-31", "2026-02-01"]
    assert [row["active"] for row in rows] == [True, False]
    with pytest.raises(ConfigurationError, match="already"):
        workspace.add("people.csv", name="people")


def test_an_expired_version_says_so(two):
    collected = two.workspace.gc(grace=timedelta(days=1), apply=True)

    assert collected.applied
    assert two.ids() == [1, 3, 4]
    assert issubclass(Expired, LookupError)


def test_a_file_written_in_another_way_is_added_as_it_is(tmp_path):
    workspace = lastro.init(tmp_path / "lake")
    text = "id;nome;saldo\n1;São João;10,5\n2;Ana;11,0\n"
    (tmp_path / "lake" / "contas.csv").write_bytes(text.encode("latin-1"))

    workspace.add("contas.csv", name="contas")
    workspace.dataset("contas").ingest()

    rows = workspace.version("contas").to_arrow().to_pylist()
    assert [row["nome"] for row in rows] == ["São João", "Ana"]

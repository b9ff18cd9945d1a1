"""After an erasure nothing of a person stays beside the tables either: planted by real use, searched in every byte."""

from __future__ import annotations

import gzip
import json
import struct
import uuid
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import lastro
from lastro.alert.incident_file import IncidentFile
from lastro.governance.erase import hits
from lastro.model import chain
from lastro.model.errors import DataRefused
from lastro.workspace.monitoring.watch import FILE, INCIDENTS, watch

CPF, PLAIN, CITY, MOST = "529.982.247-25", "52998224725", "Xique-Xique", 700_119_283
BASIS = "LGPD art. 18, VI"
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: visits
version: 1.0.0
status: active
schema:
  - name: visits
    customProperties:
      - {property: subject, value: who, vendor: lastro}
    properties:
      - name: who
        logicalType: string
        customProperties: [{property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}]
      - name: income
        logicalType: integer
        customProperties: [{property: personal, value: none, vendor: lastro}]
        quality:
          - {name: most, type: custom, engine: lastro, severity: warning,
             implementation: {statistic: maximum, mustBeLessThan: 5000}}
          - {name: bearable, type: custom, engine: lastro,
             implementation: {statistic: maximum, mustBeLessThan: 7000000000}}
      - name: city
        logicalType: string
        customProperties: [{property: personal, value: none, vendor: lastro}]
"""
ANA = f"{CPF},{MOST},{CITY}\n"


class Visits:
    """A workspace in which `visits` appends files of an inbox beside it, watched by `drift`."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.root = folder / "inbox", folder / "lake"
        self.inbox.mkdir()
        lastro.init(self.root)
        (self.root / "contracts" / "visits.odcs.yaml").write_text(CONTRACT)
        (self.root / "lastro.yaml").write_text(
            "lastro: 1\ndatasets:\n  visits:\n    contract: contracts/visits.odcs.yaml\n    mode: append\n"
            f"    source: {{kind: files, path: '{self.inbox}/*.csv'}}\n"
            "monitors:\n  drift: {dataset: visits, reference: approved}\n"
            "alerts:\n  - {webhook: 'https://hooks.example.com/x', name: chat}\n"
        )
        self.open()

    def open(self) -> None:
        self.workspace = lastro.open(self.root)

    @property
    def visits(self):
        return self.workspace.dataset("visits")

    def put(self, *lines: str, name: str) -> None:
        """A file in the inbox, with three others' rows more."""
        others = "".join(f"111444777{n:02},{1000 + n},Bahia\n" for n in range(30))
        (self.inbox / name).write_text("who,income,city\n" + "".join(lines) + others)

    def round(self) -> None:
        """A round, and what is told of it to somebody who cannot be reached."""
        self.workspace.round(retries=0)
        watch(self.workspace, self.workspace.status(), send=_unreachable)


def _unreachable(target, event, source):
    raise DataRefused("no answer")


@pytest.fixture
def lived(tmp_path):
    """Versions with Ana, without her, and one whose profile keeps the frame of those before; a batch that was refused
    for her income; looks, incidents, alerts, a round.
    """
    made = Visits(tmp_path)
    made.put(ANA, name=f"visits-{PLAIN}.csv")
    made.visits.ingest()
    made.visits.tag("approved")
    made.visits.profile()
    (made.inbox / f"visits-{PLAIN}.csv").unlink()
    made.put(name="b.csv")
    made.visits.ingest(mode="overwrite")
    made.put(name="c.csv")
    made.visits.ingest()
    made.workspace.look("drift")
    made.put(f"{CPF},{MOST}0,{CITY}\n", name=f"wrong-{PLAIN}.csv")
    made.round()
    return made


def forms() -> dict[str, bytes]:
    """Everything that is Ana's, as bytes of texts and of numbers."""
    numbers = (MOST, MOST * 10)
    found = {text: text.encode() for text in (CPF, PLAIN, CITY)}
    for number in numbers:
        found |= {text: text.encode() for text in (f"{number}", f"{number:,}", f"{number:g}")}
        for form in (">d", "<d", "<q", ">q"):
            found[f"{number} {form}"] = struct.pack(form, number)
    found["sqlite"] = struct.pack(">i", MOST)
    return found


def stands(root: Path) -> set[tuple[str, str]]:
    """Where anything of Ana's stands: in bytes, in what is compressed, in rows."""
    found = set()
    for path in (path for path in root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".gz":
            content += gzip.decompress(content)
        if path.suffix == ".parquet":
            content += repr(pq.read_table(path).to_pylist()).encode()
        found |= {(path.relative_to(root).as_posix(), name) for name, form in forms().items() if form in content}
    return found


def places(root: Path) -> set[str]:
    return {path for path, _name in stands(root)}


def test_nothing_of_a_person_stays_anywhere(lived):
    before = places(lived.root)

    result = lived.workspace.erase(CPF, basis=BASIS)

    assert {".lastro/incidents.jsonl", ".lastro/alerts.json", ".lastro/round.json"} <= before
    assert any(path.startswith(".lastro/catalog.sqlite") for path in before)
    assert {"tables/visits/_lastro/profiles/0.json.gz", "tables/visits/_lastro/profiles/2.json.gz"} <= before
    assert (result.hits, stands(lived.root)) == (0, set())
    assert lived.workspace.verify(read_data=True).passed


def test_what_is_left_is_read_and_goes_on(lived):
    before = lived.workspace.incidents(everything=True)
    states = [(one.number, one.key, len(one.changes)) for one in before]
    looks = len(lived.workspace.looks("drift"))
    lived.workspace.erase(CPF, basis=BASIS)
    lived.open()

    after = lived.workspace.incidents(everything=True)

    assert [(one.number, one.key, len(one.changes)) for one in after] == states
    broken = next(one for one in after if one.opening.rule == "bearable")
    assert "measured" not in broken.opening.numbers
    assert broken.opening.what == "visits breaks the rule bearable"
    assert lived.workspace.status("visits")[0].last.what == "visits failed"
    assert len(lived.workspace.looks("drift")) == looks
    watch(lived.workspace, (), send=_unreachable)
    assert [len(one.changes) for one in lived.workspace.incidents(everything=True)] == [n for _a, _b, n in states]
    for path in lived.inbox.iterdir():
        path.unlink()
    lived.put(name="d.csv")
    lived.round()
    assert lived.workspace.verify(read_data=True).passed
    assert stands(lived.root) == set()


def test_the_words_of_a_failed_look_lose_the_person(lived):
    (lived.root / "lastro.yaml").write_text(
        (lived.root / "lastro.yaml").read_text().replace("reference: approved", f"reference: t{PLAIN}")
    )
    lived.open()
    lived.round()
    lived.workspace.look("drift")
    watch(lived.workspace, (), send=_unreachable)
    chained = chain.read(lived.root / ".lastro" / "monitors" / "drift.jsonl").records
    (lived.root / "lastro.yaml").write_text(
        (lived.root / "lastro.yaml").read_text().replace(f"reference: t{PLAIN}", "reference: approved")
    )
    lived.open()
    assert PLAIN in chained[-1]["what"]
    found = len(lived.workspace.incidents(everything=True))

    lived.workspace.erase(CPF, basis=BASIS)

    assert stands(lived.root) == set()
    assert [look.number for look in lived.workspace.looks("drift")] == list(range(len(chained)))
    assert lived.workspace.verify().passed
    watch(lived.workspace, (), send=_unreachable)
    assert len(lived.workspace.incidents(everything=True)) == found


def test_what_crashes_left_goes(lived):
    staged = lived.root / ".lastro" / "staging" / f"{uuid.uuid4().hex}.begun"
    staged.mkdir()
    (staged / "part.parquet").write_bytes(b"her rows")
    with (lived.root / INCIDENTS).open("ab") as stream:
        stream.write(b'{"digest": "torn ' + CPF.encode())
    torn = lived.root / f"{INCIDENTS}.torn-{uuid.uuid4().hex}"
    torn.write_text(CPF)

    lived.workspace.erase(CPF, basis=BASIS)

    assert stands(lived.root) == set()
    assert not staged.exists()
    assert not torn.exists()


def test_a_damaged_file_stands_in_no_way_and_is_told(lived):
    lived.workspace.change_incident(1, "acknowledged", reason=f"asked {CPF}")
    path = lived.root / INCIDENTS
    path.write_bytes(path.read_bytes().replace(b"opened", b"opfned", 1))

    result = lived.workspace.erase(CPF, basis=BASIS)

    assert result.paths == (INCIDENTS.as_posix(),)
    assert not lived.workspace.verify().passed


def test_other_peoples_words_stay(lived):
    incident = lived.workspace.incidents()[0]
    lived.workspace.change_incident(incident.number, "acknowledged", reason=f"asked {CPF}, and 111.444.777-05")

    lived.workspace.erase(CPF, basis=BASIS)

    reasons = [change.reason for change in lived.workspace.incident(incident.number).changes]
    assert "asked <erased>, and 111.444.777-05" in reasons


def test_where_nobody_is_named_chains_keep_their_bytes(lived):
    lived.workspace.erase(CPF, basis=BASIS)
    kept = {path: path.read_bytes() for path in lived.root.glob(".lastro/**/*.json*") if "erasures" not in str(path)}

    lived.workspace.erase("11144477705", basis=BASIS)

    monitors = {path for path in kept if "monitors" in str(path)} | {lived.root / INCIDENTS, lived.root / FILE}
    assert all(path.read_bytes() == kept[path] for path in monitors if path in kept)
    assert IncidentFile(lived.root / INCIDENTS).read().entries


def test_profiles_are_unpacked_when_bytes_are_searched(tmp_path):
    folder = tmp_path / "tables" / "visits" / "_lastro" / "profiles"
    folder.mkdir(parents=True)
    (folder / "0.json.gz").write_bytes(gzip.compress(json.dumps({"values": [CPF]}).encode()))
    (folder / "1.json.gz").write_bytes(b"damaged")

    assert hits(tmp_path, {CPF}) == {"tables/visits/_lastro/profiles/0.json.gz": 1}

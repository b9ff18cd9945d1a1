"""A source with another path or name: appending neither doubles what was read, nor leaves out what was not."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

import lastro
from lastro.model.errors import ConfigurationError, SourceChanged
from lastro.source.files import known

HEADER = "n,uf,income,applied_at\n"
LINES = "".join(f"2026-03-01 10:00:00 INFO n{number}\n" for number in range(50))


class Place:
    """A workspace with one dataset, `d`, whose source moves."""

    def __init__(self, root):
        root.mkdir()
        self.root = root
        self.workspace = lastro.init(root)

    def add(self, location, **options):
        self.workspace.add(location, name="d", mode="append", options=options)
        return self.ingest()

    def move(self, before, after):
        settings = self.root / "lastro.yaml"
        text = settings.read_text()
        assert before in text
        settings.write_text(text.replace(before, after))

    def ingest(self, **asked):
        return lastro.open(self.root).dataset("d").ingest(**asked)

    def rows(self):
        return lastro.open(self.root).dataset("d").version().to_arrow().num_rows

    def labels(self):
        return set(lastro.open(self.root).dataset("d").log()[0].origin.cursor)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "place")


def table(path, count, column="n"):
    with closing(sqlite3.connect(path)) as made, made:
        made.execute(f"CREATE TABLE IF NOT EXISTS m ({column} INTEGER UNIQUE, v TEXT)")
        made.executemany("INSERT OR IGNORE INTO m VALUES (?, ?)", [(n, f"v{n}") for n in range(1, count + 1)])


def test_a_log_whose_path_became_a_pattern_is_not_read_again(place):
    (place.root / "d.log").write_text(LINES)
    place.add("d.log")
    place.move("path: d.log", "path: 'd.log*'")

    again = place.ingest()

    assert (again.unchanged, place.rows()) == (True, 50)
    assert again.notes == ("d.log* goes on after what was read of d.log",)


def test_a_log_that_moved_is_followed_where_it_is_now(place):
    (place.root / "d.log").write_text(LINES)
    place.add("d.log")
    (place.root / "data").mkdir()
    (place.root / "d.log").rename(place.root / "data" / "other.log")
    with (place.root / "data" / "other.log").open("a") as log:
        log.write("2026-03-01 10:00:01 INFO more\n")
    place.move("path: d.log", "path: data/*.log")

    again = place.ingest()

    assert (again.counts.read, place.rows()) == (1, 51)
    assert place.labels() == {"data/*.log"}, "what the former label knew is handed over, and goes stale nowhere"
    (place.root / "data" / "other.log").rename(place.root / "d.log")
    place.move("path: data/*.log", "path: d.log")
    assert place.ingest().unchanged


def test_a_log_that_was_read_whole_is_known_elsewhere(place):
    (place.root / "d.log").write_text(LINES)
    place.workspace.add("d.log", name="d", mode="append", options={})
    place.ingest(mode="overwrite")
    (place.root / "data").mkdir()
    (place.root / "d.log").rename(place.root / "data" / "x.log")
    place.move("path: d.log", "path: data/*.log")

    assert place.ingest().unchanged
    assert place.rows() == 50


def test_files_are_recognised_by_what_they_hold(place):
    (place.root / "m.csv").write_text(HEADER + "1,SP,1,2026-01-01\n")
    place.add("m.csv")
    (place.root / "data").mkdir()
    (place.root / "m.csv").rename(place.root / "data" / "a.csv")
    shutil.copy(place.root / "data" / "a.csv", place.root / "data" / "b.csv")
    (place.root / "data" / "c.csv").write_text(HEADER + "3,RJ,1,2026-01-01\n")
    place.move("path: m.csv", "path: data/*.csv")

    again = place.ingest()

    assert (again.counts.read, place.rows()) == (2, 3), "one of the two alike was read before; each is read once"
    assert place.labels() == {"data/*.csv"}
    assert place.ingest().unchanged


def test_the_oldest_of_many_files_are_recognised_by_their_entries(place, monkeypatch):
    monkeypatch.setattr(known, "DETAILED", 2)
    (place.root / "a").mkdir()
    for number in range(7):
        (place.root / "a" / f"{number}.csv").write_text(f"n\n{number}\n")
    place.add("a/*.csv")
    (place.root / "a").rename(place.root / "b")
    (place.root / "b" / "new.csv").write_text("n\n2000\n")
    place.move("path: a/*.csv", "path: b/*.csv")

    assert place.ingest().counts.read == 1
    assert place.rows() == 8


def test_a_file_that_moved_and_grew_is_refused(place):
    (place.root / "m.csv").write_text(HEADER + "1,SP,1,2026-01-01\n")
    place.add("m.csv")
    (place.root / "n.csv").write_text(HEADER + "1,SP,1,2026-01-01\n2,SP,1,2026-01-01\n")
    place.move("path: m.csv", "path: n.csv")

    with pytest.raises(SourceChanged, match=r"n\.csv begins with all of m\.csv") as refused:
        place.ingest()

    assert "--source-is another" in refused.value.do
    assert place.rows() == 1
    assert place.ingest(source_is="another").counts.read == 2


def test_a_database_that_moved_is_refused_until_somebody_says_what_it_is(place):
    table(place.root / "m.db", 100)
    place.add("m.db#m", cursor="n")
    (place.root / "data").mkdir()
    (place.root / "m.db").rename(place.root / "data" / "m.db")
    table(place.root / "data" / "m.db", 105)
    place.move("path: m.db", "path: data/m.db")

    with pytest.raises(SourceChanged, match="nothing was read") as refused:
        place.ingest()

    assert "--source-is same" in refused.value.do
    assert "--source-is another" in refused.value.do
    assert place.rows() == 100
    again = place.ingest(source_is="same")
    assert (again.counts.read, place.rows(), place.labels()) == (5, 105, {"data/m.db#m"})
    assert place.ingest().unchanged


def test_one_more_database_is_read_from_its_start_and_both_go_on(place):
    table(place.root / "m.db", 10)
    table(place.root / "n.db", 4)
    place.add("m.db#m", cursor="n")
    place.move("path: m.db", "path: n.db")

    assert place.ingest(source_is="another").counts.read == 4
    assert place.ingest(source_is="another").unchanged
    table(place.root / "m.db", 11)
    place.move("path: n.db", "path: m.db")
    assert place.ingest().counts.read == 1
    assert (place.rows(), place.labels()) == (15, {"m.db#m", "n.db#m"})


def test_the_same_goes_on_after_the_source_that_was_read_last(place):
    table(place.root / "m.db", 10)
    table(place.root / "n.db", 4)
    place.add("m.db#m", cursor="n")
    place.move("path: m.db", "path: n.db")
    place.ingest(source_is="another")
    (place.root / "n.db").rename(place.root / "o.db")
    table(place.root / "o.db", 6)
    place.move("path: n.db", "path: o.db")

    assert place.ingest(source_is="same").counts.read == 2
    assert place.labels() == {"m.db#m", "o.db#m"}


def test_another_kind_of_source_is_never_the_same(place):
    table(place.root / "m.db", 10)
    place.add("m.db#m", cursor="n")
    (place.root / "m.csv").write_text("n,v\n1,v1\n")
    place.move("kind: sqlite", "kind: files")
    place.move("path: m.db", "path: m.csv")
    place.move("      table: m\n", "")
    place.move("      cursor: n\n", "")

    for said in (None, "same"):
        with pytest.raises(SourceChanged):
            place.ingest(source_is=said)
    assert place.ingest(source_is="another").counts.read == 1


@pytest.mark.parametrize("mode", ["upsert", "overwrite"])
def test_modes_that_cannot_double_do_not_ask(place, mode):
    table(place.root / "m.db", 10, column="id")
    place.add("m.db#m", cursor="id")
    table(place.root / "n.db", 12, column="id")
    place.move("path: m.db", "path: n.db")

    place.ingest(mode=mode)

    assert place.rows() == 12


def test_data_that_is_handed_over_is_no_source_that_moved(place):
    table(place.root / "m.db", 10)
    place.add("m.db#m", cursor="n")

    assert place.ingest(data=[{"n": "11", "v": "x"}]).counts.read == 1
    table(place.root / "m.db", 10)
    assert place.ingest().unchanged
    assert place.rows() == 11


def test_corrections_are_no_source_that_moved(place):
    (place.root / "d.csv").write_text("id,n\n1,1\n2,2\n")
    place.add("d.csv")
    (place.root / "e.csv").write_text("id,n\n3,3\n4,many\n")
    place.move("path: d.csv", "path: '[de].csv'")
    assert place.ingest().counts.quarantined == 1
    dataset = lastro.open(place.root).dataset("d")
    dataset.quarantine().export(place.root / "bad.csv")
    corrected = (place.root / "bad.csv").read_text().replace("many", "4")
    (place.root / "bad.csv").write_text(corrected)

    dataset.quarantine().replay(place.root / "bad.csv")

    assert place.rows() == 4


def test_a_word_that_says_nothing_is_refused(place):
    table(place.root / "m.db", 1)
    place.add("m.db#m", cursor="n")

    with pytest.raises(ConfigurationError, match="perhaps"):
        place.ingest(source_is="perhaps")

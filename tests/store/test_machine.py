"""A table against a dict of versions: whatever is done in whatever order, both hold the same."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.store.conftest import MEMORY
from tests.store.making import Clock, Row, append, content, overwrite, restore, upsert

from lastro.model.clock import utc_now
from lastro.model.errors import Expired
from lastro.store import checkpoint
from lastro.store.check import verify
from lastro.store.collect import collect
from lastro.store.repair import repair
from lastro.store.table import Table

rows = st.dictionaries(st.integers(0, 12), st.integers(0, 99), min_size=1, max_size=4)
picks = st.integers(0, 10**6)


class Versions(RuleBasedStateMachine):
    """The model: rows of every version, which are expired, tags, keys."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None, prefix="lastro-"))
        self.clock = Clock(utc_now())
        self.table = Table(self.root, "loans", clock=self.clock)
        self.versions: list[list[Row]] = []
        self.times: list[object] = []
        self.expired: set[int] = set()
        self.tags: dict[str, int] = {}
        self.keys: dict[str, int] = {}
        self.digests: list[str] = []

    def teardown(self) -> None:
        assert verify(Table(self.root, "loans"), read_data=True) == ()
        shutil.rmtree(self.root)

    def newest(self) -> list[Row]:
        return self.versions[-1] if self.versions else []

    def committed(self, number: int, found: list[Row], key: str) -> None:
        assert number == len(self.versions)
        self.versions.append(sorted(found))
        self.keys[key] = number
        self.digests.append(self.table.version(number).digest)

    @rule(batch=rows)
    def appends(self, batch: dict[int, int]) -> None:
        key = f"k{len(self.versions)}"
        info = append(self.table, list(batch.items()), key)
        self.committed(info.number, self.newest() + list(batch.items()), key)

    @rule(batch=rows)
    def overwrites(self, batch: dict[int, int]) -> None:
        key = f"k{len(self.versions)}"
        info = overwrite(self.table, list(batch.items()), key)
        self.committed(info.number, list(batch.items()), key)

    @rule(batch=rows)
    def upserts(self, batch: dict[int, int]) -> None:
        key = f"k{len(self.versions)}"
        info = upsert(self.table, list(batch.items()), key)
        kept = [row for row in self.newest() if row[0] not in batch]
        self.committed(info.number, kept + list(batch.items()), key)

    @precondition(lambda self: self.versions)
    @rule(pick=picks)
    def restores(self, pick: int) -> None:
        number, key = pick % len(self.versions), f"k{len(self.versions)}"
        if number in self.expired:
            with pytest.raises(Expired):
                restore(self.table, number, key)
        else:
            info = restore(self.table, number, key)
            self.committed(info.number, self.versions[number], key)

    @precondition(lambda self: self.versions)
    @rule(pick=picks)
    def repeats_a_key(self, pick: int) -> None:
        key = sorted(self.keys)[pick % len(self.keys)]
        assert append(self.table, [(77, 77)], key).number == self.keys[key]

    @precondition(lambda self: self.versions)
    @rule(pick=picks, tag=st.sampled_from(["approved", "old"]))
    def sets_a_tag(self, pick: int, tag: str) -> None:
        number = pick % len(self.versions)
        if number not in self.expired:
            self.table.tag(tag, number)
            self.tags[tag] = number

    @precondition(lambda self: self.tags)
    @rule(pick=picks)
    def takes_a_tag_away(self, pick: int) -> None:
        tag = sorted(self.tags)[pick % len(self.tags)]
        self.table.untag(tag)
        del self.tags[tag]

    @rule(days=st.integers(-3, 10))
    def time_passes(self, days: int) -> None:
        self.clock.pass_(days=days)

    @precondition(lambda self: self.versions)
    @rule(pick=picks)
    def collects(self, pick: int) -> None:
        pinned = pick % len(self.versions)
        done = collect(self.table, keep={pinned}, grace=timedelta(days=7), apply=True)
        pins = {len(self.versions) - 1, *self.tags.values(), pinned} - self.expired
        assert not pins & set(done.expired)
        self.expired |= set(done.expired)

    @precondition(lambda self: self.versions)
    @rule()
    def writes_a_checkpoint(self) -> None:
        with self.table.lock():
            checkpoint.write(self.table.places, len(self.versions) - 1)

    @rule()
    def is_opened_anew(self) -> None:
        self.table = Table(self.root, "loans", clock=self.clock)

    @precondition(lambda self: self.versions)
    @rule(pick=picks)
    def loses_a_manifest(self, pick: int) -> None:
        self.table.places.manifest(pick % len(self.versions)).unlink()
        repair(self.table, apply=True)

    @precondition(lambda self: self.versions)
    @rule(pick=picks)
    def loses_a_commit(self, pick: int) -> None:
        self.table.places.commit(pick % len(self.versions)).write_bytes(b"")
        repair(self.table, apply=True)

    @invariant()
    def both_hold_the_same(self) -> None:
        if not hasattr(self, "table"):
            return
        history = self.table.history()
        assert [info.number for info in history] == list(range(len(self.versions)))[::-1]
        assert [info.digest for info in reversed(history)] == self.digests
        assert [info.committed for info in history] == sorted((info.committed for info in history), reverse=True)
        assert self.table.expired() == self.expired
        assert self.table.tags() == self.tags
        if self.versions:
            assert content(self.table) == self.versions[-1]
            assert history[0].rows == len(self.versions[-1])

    @precondition(lambda self: self.versions)
    @rule(pick=picks)
    def reads_a_version(self, pick: int) -> None:
        number = pick % len(self.versions)
        if number in self.expired:
            with pytest.raises(Expired):
                content(self.table, number)
        else:
            assert content(self.table, number) == self.versions[number]


Quick = Versions.TestCase
Quick.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)


class LongVersions(Versions):
    """The same for the long run."""


@pytest.mark.soak
class TestLong(LongVersions.TestCase):
    """A million steps."""

    settings = settings(max_examples=10_000, stateful_step_count=100, deadline=None)

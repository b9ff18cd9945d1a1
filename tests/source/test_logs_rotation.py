"""Logs that grow and are rotated in every way while they are read: each line once."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.source.rotating import Follower, Rotation, Service

NONE: tuple[Counter[bytes], Counter[bytes]] = (Counter(), Counter())


class Rotating(RuleBasedStateMachine):
    """A service, its rotation and a follower that is killed at times, step by step in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.service, self.rotation = Service(self.folder), Rotation(self.folder)
        self.follower = Follower(self.folder, batch_bytes=20_000)
        self.copying = self.held = False
        self.packing: Path | None = None

    @precondition(lambda self: not self.copying)
    @rule(lines=st.integers(1, 6), size=st.sampled_from([1, 12, 900, 5_000]))
    def write(self, lines: int, size: int) -> None:
        self.service.write(lines, size=size)

    @precondition(lambda self: not self.copying)
    @rule()
    def begin(self) -> None:
        self.service.begin()

    def settled(self) -> bool:
        """True if no rotation is on its way."""
        return not self.copying and not self.held and self.packing is None

    @precondition(settled)
    @rule(dated=st.booleans(), reopens=st.booleans())
    def rename(self, dated: bool, reopens: bool) -> None:
        self.rotation.rename_dated() if dated else self.rotation.rename()
        self.held = True
        if reopens:
            self.reopen()

    @precondition(lambda self: self.held)
    @rule()
    def reopen(self) -> None:
        self.service.reopen()
        self.held = False

    @precondition(settled)
    @rule(part=st.sampled_from([0.0, 0.4, 1.0]))
    def copy(self, part: float) -> None:
        self.service.end()
        self.rotation.copy(part=part)
        self.copying = True

    @precondition(lambda self: self.copying)
    @rule()
    def truncate(self) -> None:
        self.rotation.truncate()
        self.copying = False

    @precondition(settled)
    @rule(place=st.integers(0, 3), at_once=st.booleans())
    def pack(self, place: int, at_once: bool) -> None:
        plain = [path for path in self.rotation.rotated() if path.suffix != ".gz"]
        if plain:
            self.packing = plain[place % len(plain)]
            self.rotation.pack(self.packing, done=False)
            if at_once:
                self.packed()

    @precondition(lambda self: self.packing is not None)
    @rule()
    def packed(self) -> None:
        assert self.packing is not None
        self.rotation.pack(self.packing)
        self.packing = None

    @precondition(settled)
    @rule()
    def delete_the_oldest_once_it_was_read(self) -> None:
        files = self.rotation.rotated()
        if files:
            self.rotation.age()
            self.service.write(1)  # a commit notes what rests
            self.follower.catch_up()
            files[0].unlink()

    @precondition(settled)
    @rule()
    def link(self) -> None:
        link = self.folder / "app.log.9999"
        link.unlink(missing_ok=True)
        link.hardlink_to(self.rotation.live)
        self.follower.step()
        link.unlink()

    @precondition(lambda self: not self.held)
    @rule()
    def age(self) -> None:
        self.rotation.age()

    @rule(commit=st.booleans())
    def follow(self, commit: bool) -> None:
        self.follower.step(commit=commit)

    @precondition(settled)
    @rule()
    def follow_while_it_is_rotated(self) -> None:
        self.follower.step(meanwhile=lambda: self.rename(dated=False, reopens=True))

    @invariant()
    def no_line_is_doubled(self) -> None:
        assert max(Counter(self.follower.lines).values(), default=1) == 1

    def teardown(self) -> None:
        if self.copying:
            self.rotation.truncate()
        if self.packing is not None:
            self.rotation.pack(self.packing)
        self.service.end()
        self.service.close()
        self.rotation.age()
        self.follower.catch_up()
        found = self.follower.wrong(self.service.written)
        notes = self.follower.notes
        shutil.rmtree(self.folder)
        assert found == NONE
        assert [note for note in notes if "wait for a later ingestion" not in note] == []


class Restoring(Rotating):
    """The same, and files that come back from a backup, whose inodes are used again."""

    @precondition(Rotating.settled)
    @rule(place=st.integers(0, 3))
    def restore(self, place: int) -> None:
        files = self.rotation.rotated()
        if files:
            self.rotation.restore(files[place % len(files)])

    @precondition(Rotating.settled)
    @rule()
    def restore_live(self) -> None:
        self.service.end()
        self.rotation.restore(self.rotation.live)
        self.service.reopen()


class RotatingByACoarseClock(Rotating):
    """The same where times tell nothing. A file that is written on after it was renamed is spared: the names of two
    schemes do not tell that it is the newest.
    """

    @precondition(lambda self: not self.held)
    @rule()
    def even(self) -> None:
        self.rotation.even()

    @precondition(lambda self: not self.held)
    @rule()
    def even_and_follow(self) -> None:
        self.rotation.even()
        self.follower.step()


TestRestoring = Restoring.TestCase
TestRotatingByACoarseClock = RotatingByACoarseClock.TestCase
TestRestoring.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRotatingByACoarseClock.settings = TestRestoring.settings

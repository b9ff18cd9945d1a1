"""Nobody is told twice of the same trouble, and everybody who was told hears of its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lastro.alert import book
from lastro.alert.book import Book, Targets
from lastro.alert.event import Event, Kind

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)
NAMES = st.sampled_from(["a", "b"])
BOTH = Targets({"chat": frozenset(Kind), "mail": frozenset({Kind.FAILED})})
ALL = {("loans", kind.value) for kind in Kind}


def trouble(kind=Kind.FAILED, dataset="loans", identity="a"):
    return Event(identity, kind, dataset, NOW, "it broke", "look", "LST-0301", {"attempts": 3})


def told(found):
    return [(target, event.kind, event.resolved) for target, event in found.due()]


def deliver_all(found):
    for target, event in found.due():
        found = found.delivered(target, event)
    return found


def test_a_trouble_is_told_to_those_who_asked_for_its_kind():
    found = Book().look([trouble(), trouble(Kind.LATE, identity="b")], ALL, BOTH, NOW)

    assert told(found) == [("chat", Kind.FAILED, False), ("mail", Kind.FAILED, False), ("chat", Kind.LATE, False)]


def test_while_it_lasts_nothing_is_said():
    first = deliver_all(Book().look([trouble()], ALL, BOTH, NOW))
    again = first.look([trouble(identity="another")], ALL, BOTH, NOW + timedelta(hours=1))

    assert again.due() == ()


def test_its_end_is_told_once_to_those_who_were_told():
    first = Book().look([trouble()], ALL, BOTH, NOW).delivered("chat", trouble())
    ended = first.look([], ALL, BOTH, NOW)

    assert told(ended) == [("chat", Kind.FAILED, True)]
    assert deliver_all(ended).entries == {}


def test_a_trouble_nobody_heard_of_ends_in_silence():
    ended = Book().look([trouble()], ALL, BOTH, NOW).look([], ALL, BOTH, NOW)

    assert ended == Book()


def test_what_neither_lasts_nor_ended_stays_as_it_is():
    first = deliver_all(Book().look([trouble()], ALL, BOTH, NOW))

    assert first.look([], {("customers", "failed")}, BOTH, NOW) == first


def test_it_comes_back_as_a_new_trouble():
    ended = deliver_all(deliver_all(Book().look([trouble()], ALL, BOTH, NOW)).look([], ALL, BOTH, NOW))
    again = ended.look([trouble(identity="b")], ALL, BOTH, NOW)

    assert [(target, event.id, event.resolved) for target, event in again.due()] == [
        ("chat", "b", False),
        ("mail", "b", False),
    ]


def test_what_comes_back_before_its_end_was_told_never_ended():
    opened = deliver_all(Book().look([trouble()], ALL, BOTH, NOW))
    again = opened.look([], ALL, BOTH, NOW).look([trouble(identity="b")], ALL, BOTH, NOW)

    assert again.due() == ()
    assert again.entries["loans", "failed"].event.id == "a"


def test_a_target_that_is_gone_holds_nothing_open():
    first = deliver_all(Book().look([trouble()], ALL, BOTH, NOW))

    assert first.look([], ALL, Targets(), NOW).look([], ALL, Targets(), NOW) == Book()


def test_the_file_gives_the_book_back(tmp_path):
    path = tmp_path / "alerts.json"
    found = Book().look([trouble(), trouble(Kind.LATE)], ALL, BOTH, NOW).delivered("mail", trouble())
    book.write(path, found)

    assert book.read(path) == found
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_book_that_says_the_same_is_not_written_again(tmp_path):
    path = tmp_path / "alerts.json"
    found = Book().look([trouble()], ALL, BOTH, NOW)
    book.write(path, found)
    before = path.stat().st_ino
    book.write(path, found)

    assert path.stat().st_ino == before


def test_an_empty_book_makes_no_file(tmp_path):
    book.write(tmp_path / "alerts.json", Book())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"\xff", b'{"lastro_alerts": 2, "alerts": []}'),
        *(b'{"lastro_alerts": 1, "alerts": [{}]}', b'{"lastro_alerts": 1, "alerts": 7}'),
        b'{"lastro_alerts": 1, "alerts": ["x"]}',
    ],
)
def test_a_damaged_book_is_begun_anew(tmp_path, content):
    path = tmp_path / "alerts.json"
    path.write_bytes(content)

    assert book.read(path) == Book()


class Telling(RuleBasedStateMachine):
    """Whatever happens in whatever order: a target hears opened, resolved, opened … in turn, never the same twice."""

    def __init__(self):
        super().__init__()
        self.book, self.heard, self.number = Book(), {}, 0

    @rule(
        found=st.sets(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(list(Kind)))),
        seen=st.sets(st.sampled_from("ab")),
    )
    def look(self, found, seen):
        self.number += 1
        events = [replace(trouble(kind, name), id=str(self.number)) for name, kind in sorted(found) if name in seen]
        self.book = self.book.look(events, {(name, kind.value) for name in seen for kind in Kind}, BOTH, NOW)

    @rule(which=st.integers(0, 5))
    def deliver(self, which):
        due = self.book.due()
        if due:
            target, event = due[which % len(due)]
            self.heard.setdefault((target, event.key), []).append(event.resolved)
            self.book = self.book.delivered(target, event)

    @invariant()
    def in_turn(self):
        for sequence in self.heard.values():
            assert sequence[0] is False
            assert all(one != other for one, other in pairwise(sequence))


TestTelling = Telling.TestCase
TestTelling.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)

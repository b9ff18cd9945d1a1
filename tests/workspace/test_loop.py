"""Beats are steady, missed ones are left out, and one word ends it."""

import os
import signal
import threading
from datetime import timedelta

from lastro.workspace.loop import Stop, beats, stopping_on_signals


class Clock:
    """A clock that goes on by what is waited and what rounds take."""

    def __init__(self, stop, last):
        self.now, self.stop, self.last, self.told = 100.0, stop, last, []

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


def rounds(durations):
    """The moments at which rounds of these durations began, with a beat every ten seconds."""
    stop = Stop()
    clock = Clock(stop, len(durations))
    stop.wait = clock.wait
    began = []
    for _beat, duration in zip(beats(timedelta(seconds=10), stop, now=clock), durations, strict=False):
        began.append(clock.now - 100)
        clock.now += duration
    return began


def test_rounds_begin_at_the_beat_however_long_they_take():
    assert rounds([0, 3, 9.5, 0]) == [0, 10, 20, 30]


def test_missed_beats_are_left_out():
    assert rounds([25, 1, 0]) == [0, 30, 40]


def test_a_round_as_long_as_a_beat_misses_none():
    assert rounds([10, 10, 0]) == [0, 10, 20]


def test_stop_ends_a_wait_at_once():
    stop = Stop()
    threading.Timer(0.05, stop.say).start()
    seen = list(beats(timedelta(hours=1), stop))

    assert seen == [0]


def test_the_first_signal_says_stop_and_gives_the_handlers_back():
    before = signal.getsignal(signal.SIGTERM)
    stop = Stop()
    with stopping_on_signals(stop):
        os.kill(os.getpid(), signal.SIGTERM)

        assert stop()
        assert signal.getsignal(signal.SIGTERM) == before
    assert signal.getsignal(signal.SIGTERM) == before

"""What the operating system refused is told in the reader's words."""

import errno
import os

import pytest

from lastro.model.system import reason_of


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOENT, "it does not exist"),
        (errno.EACCES, "the permission is missing"),
        (errno.EISDIR, "it is a folder"),
        (errno.ENOSPC, "the disk is full"),
        (errno.ECONNRESET, os.strerror(errno.ECONNRESET)),
    ],
)
def test_kinds_of_errors_have_words_of_ours(number, words, monkeypatch):
    monkeypatch.setenv("LASTRO_LANG", "en")

    assert reason_of(OSError(number, os.strerror(number))) == words


def test_an_error_without_a_number_is_told_by_its_kind():
    assert reason_of(BlockingIOError()) == "BlockingIOError"

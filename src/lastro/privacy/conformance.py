"""What a provider of root keys must do: import these tests beside a fixture `root`; they hold yours to the protocol.

::

    import pytest
    from lastro.privacy.conformance import *
    from my_package import provider

    @pytest.fixture
    def root():
        return provider("https://keys.example.org/transit/lastro")
"""

from __future__ import annotations

import os

from lastro.privacy.root import NotOpened, Root

__all__ = [
    "test_a_wrapped_key_comes_back",
    "test_its_identity_tells_nothing_and_stays",
    "test_what_is_about_something_else_is_refused",
    "test_what_was_changed_is_refused",
]
_ABOUT = b"lastro key 1 record 1"


def test_a_wrapped_key_comes_back(root: Root) -> None:
    """Each wrapping is another, holds no key, and gives the same key back."""
    key = os.urandom(32)
    first, second = root.wrap(key, _ABOUT), root.wrap(key, _ABOUT)
    assert first != second
    assert key not in first
    assert root.unwrap(first, _ABOUT) == root.unwrap(second, _ABOUT) == key


def test_what_was_changed_is_refused(root: Root) -> None:
    """One changed byte, a missing one, and nothing at all are no keys."""
    wrapped = root.wrap(os.urandom(32), _ABOUT)
    bent = (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), wrapped[:-1], b"")
    for content in bent:
        _refused(root, content, _ABOUT)


def test_what_is_about_something_else_is_refused(root: Root) -> None:
    """A key of one purpose cannot be put into the place of another's."""
    _refused(root, root.wrap(os.urandom(32), _ABOUT), b"lastro key 1 lookup 1")


def test_its_identity_tells_nothing_and_stays(root: Root) -> None:
    """Letters and digits, the same every time."""
    assert root.identity
    assert root.identity == root.identity.strip()
    assert root.identity.replace("-", "").replace("_", "").isalnum()


def _refused(root: Root, content: bytes, about: bytes) -> None:
    try:
        found = root.unwrap(content, about)
    except NotOpened:
        return
    raise AssertionError(f"it was unwrapped to {len(found)} bytes; raise lastro.privacy.root.NotOpened")

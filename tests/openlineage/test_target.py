"""`openlineage:` says where events go; a mistake in it is an error that names the section."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastro.model.errors import ConfigurationError
from lastro.openlineage.target import File, Receiver, namespace, target

ROOT = Path("/lake")


def test_a_file_lies_in_the_workspace() -> None:
    assert target({"file": "told/events.ndjson"}, ROOT) == File(ROOT / "told" / "events.ndjson")


def test_an_address_may_have_a_key() -> None:
    found = target({"url": "https://x.example.com/api/v1/lineage", "key": "${KEY}", "allow_hosts": ["X"]}, ROOT)

    assert isinstance(found, Receiver)
    assert (repr(found.key), found.allowed) == ("***", {"x"})


def test_nothing_said_is_nowhere() -> None:
    assert target({}, ROOT) is None
    assert target({"namespace": "prod"}, ROOT) is None


def test_the_namespace_is_said_or_made_of_the_folder() -> None:
    assert (namespace({}, ROOT), namespace({"namespace": "prod"}, ROOT)) == ("lastro://lake", "prod")


@pytest.mark.parametrize(
    "given",
    [
        {"file": "a.ndjson", "url": "https://x.example.com"},
        {"file": "lastro.yaml"},
        {"file": "../a.ndjson"},
        {"file": "/tmp/a.ndjson"},
        {"file": 7},
        {"file": ""},
        {"url": "ftp://x"},
        {"url": "https://user:secret@x.example.com"},
        {"url": "https://x.example.com?api_key=abc"},
        {"url": "https://x.example.com", "key": "written-out"},
        {"url": "https://x.example.com", "key": "${not a name}"},
        {"file": "a.ndjson", "key": "${KEY}"},
        {"namespace": "two words"},
        {"namespace": "\x1b[2J"},
        {"unknown": 1},
    ],
)
def test_a_mistake_is_an_error(given: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        target(given, ROOT)

    shown = repr(caught.value.to_dict())
    assert "user:secret" not in shown
    assert "abc" not in shown
    assert "written-out" not in shown

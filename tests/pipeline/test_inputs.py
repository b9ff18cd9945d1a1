"""What a batch was made from is told by its version."""

from __future__ import annotations

from tests.pipeline.feeds import Feed, target_in

from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest


def test_a_version_names_the_versions_it_was_made_from(tmp_path):
    target = target_in(tmp_path)

    ingest(target, Feed([{"id": 1, "value": 1}]), mode=Mode.OVERWRITE, inputs=("raw@3 sha256:abc",))

    assert target.table.head().origin.inputs == ("raw@3 sha256:abc",)

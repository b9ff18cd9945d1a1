"""A contract held to files in an object store, on a real server that speaks S3."""

from __future__ import annotations

import tempfile

import pytest
from tests.source.test_files_remote import bucket, endpoint  # noqa: F401 – fixtures
from tests.workspace.serving import Served, broken

from lastro.model.errors import SourceUnreachable

OPTIONS = "{access_key: '${STORE_KEY}', secret_key: '${STORE_SECRET}', allow_hosts: [127.0.0.1], retries: 0}"
SOURCE = f"customProperties: [{{property: source, vendor: lastro, value: {OPTIONS}}}]"


def test_objects_are_checked_and_what_was_fetched_is_gone(bucket, tmp_path, monkeypatch):  # noqa: F811
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    bucket.put("loans/a.csv", b"id,uf,income,applied_at\n1,SP,1,2026-01-01\n2,XX,1,2026-01-01\n")
    served = Served(tmp_path)
    place = f"type: s3, endpointUrl: '{bucket.endpoint}', format: csv, {SOURCE}"
    served.write(
        f"{{server: here, location: 's3://{bucket.name}/{{model}}/*.csv', {place}}}",
        f"{{server: gone, location: 's3://{bucket.name}/nothing/*.csv', {place}}}",
    )

    assert broken(served.check()) == {"uf.enum": 1.0}
    with pytest.raises(SourceUnreachable):
        served.check("gone")
    assert list(temporary.iterdir()) == []

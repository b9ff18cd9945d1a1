"""What a batch brings, as a digest: equal for two batches with the same rows, kept and refused."""

from __future__ import annotations

import dataclasses
import hashlib

from lastro.engine.protocol import QUARANTINE, Staged, StagedFile
from lastro.model import digest
from lastro.model.keyed_path import KeyedPath
from lastro.pipeline.target import Target


def hashed(staged: Staged) -> Staged:
    """The same batch with every file's digest, taken while the file is still in memory."""
    return dataclasses.replace(
        staged,
        kept=tuple(dataclasses.replace(file, sha256=digest.of_file(file.path)) for file in staged.kept),
    )


def content(target: Target, staged: Staged) -> str:
    """Digest of what the batch brings: the kept rows, the refused ones, and the contract they went through."""
    return digest.of_value(
        {
            "contract": target.plan.contract_digest,
            "kept": [_kept_rows(file) for file in staged.kept],
            "quarantined": _refused_rows(staged),
            "refused": dict(sorted(staged.refused.items())),
        }
    )


def _kept_rows(file: StagedFile) -> str:
    """Digest of a file's rows: that of its bytes, but where columns are encrypted, whose bytes never come twice."""
    if not isinstance(file.path, KeyedPath):
        return file.sha256
    from lastro.engine.encrypted import content_of, encrypted_in

    return file.path.keys.fingerprint(content_of(file.path)) if encrypted_in(file.path).columns else file.sha256


def _refused_rows(staged: Staged) -> str:
    """Digest of the quarantined rows, apart from the batch's name, and from the place in bytes that follows from the
    position.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    state = hashlib.sha256()
    columns = [name for name in QUARANTINE.names if name not in ("batch", "offset")]
    for file in staged.quarantined:
        table = pq.read_table(file.path, columns=columns).combine_chunks()
        with pa.BufferOutputStream() as sink:
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            state.update(sink.getvalue())
    return state.hexdigest()

"""Delta's checkpoints, with the statistics that an erasure leaves: same names and sizes, so that no reader misses one.

Rules:

1. A checkpoint that names a file from which rows went is written anew under its size, with a new note; Delta's pointer
   to it stays true.
2. Where that cannot be done – a checkpoint of several files, of another writer, one that would grow, or one that is not
   what its note says – all of them go, the pointer first: the commits hold everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from lastro.model import digest
from lastro.store import checkpoint, disk
from lastro.store.erasure import rewriting
from lastro.store.erasure.journal import prepared
from lastro.store.erasure.scrubbing import Left
from lastro.store.paths import CHECKPOINT_NAME, MANIFEST_NAME, Places, numbers

_EFFORT = 19


def prepare(places: Places, left: Mapping[str, Left]) -> Sequence[Path]:
    """Prepares the checkpoints that change; gives the files that are to go, none if all could be prepared."""
    files = [path for path in places.log.iterdir() if CHECKPOINT_NAME.fullmatch(path.name)]
    noted = numbers(places.checkpoints, MANIFEST_NAME)
    ours = {places.log / f"{number:020d}.checkpoint.parquet": number for number in noted}
    whole = set(files) == set(ours) and all(checkpoint.is_vouched_for(places, each, thoroughly=True) for each in noted)
    if whole and all(_prepare(places, path, number, left) for path, number in ours.items()):
        return ()
    for path in (*ours, *(checkpoint.note(places, number) for number in noted)):
        prepared(places, path.relative_to(places.table).as_posix()).unlink(missing_ok=True)
    return (places.hint, *files, *(checkpoint.note(places, number) for number in noted))


def _prepare(places: Places, path: Path, number: int, left: Mapping[str, Left]) -> bool:
    target = prepared(places, path.relative_to(places.table).as_posix())
    with pq.ParquetFile(path) as file:
        before = file.read().combine_chunks()
        after = _without(before, left)
        if after is None or after is before:
            return after is before
        disk.make_folder(target.parent)
        for options in _options(file):
            pq.write_table(after, target, **options)
            if rewriting.fit(target, path.stat().st_size, file.metadata):
                break
        else:
            return False
    disk.sync_file(target)
    note = checkpoint.note(places, number)
    waiting = prepared(places, note.relative_to(places.table).as_posix())
    disk.make_folder(waiting.parent)
    content = checkpoint.encode(number, [(path.name, path.stat().st_size, digest.of_file(target))], places.hint)
    disk.move(disk.write_temporary(waiting.parent, content), waiting)
    return True


def _options(file: pq.ParquetFile) -> Iterator[dict[str, Any]]:  # Any: what `pyarrow.parquet.write_table` takes
    layout = rewriting.layout_of(file)
    yield layout.options()
    yield rewriting.harder(layout, _EFFORT).options()
    yield rewriting.harder(replace(layout, bounded=[], keeps_schema=False, dictionaries=[]), _EFFORT).options()


def _without(table: pa.Table, left: Mapping[str, Left]) -> pa.Table | None:
    """The actions with the statistics that are left; the same object if none is another, None if they are unknown."""
    add = table.column("add").combine_chunks()
    if isinstance(add, pa.ChunkedArray):
        add = pa.concat_arrays(add.chunks)
    names = [field.name for field in add.type]
    if "stats" not in names or "stats_parsed" in names:
        return None
    paths, stats = (add.field(name).to_pylist() for name in ("path", "stats"))
    found = [left.get(unquote(path or "")) for path in paths]
    if not any(found):
        return table
    new = [was if each is None else each.stats for was, each in zip(stats, found, strict=True)]
    children = [
        pa.array(new, add.field(name).type) if name == "stats" else add.field(at) for at, name in enumerate(names)
    ]
    rebuilt = pa.StructArray.from_arrays(children, fields=list(add.type), mask=add.is_null())
    return table.set_column(table.schema.get_field_index("add"), table.schema.field("add"), rebuilt)

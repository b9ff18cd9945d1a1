"""What is put in order when the lock is taken, so that a crash leaves no trace.

Rules:

1. An erasure that has a journal is finished; what is left of one that has none is removed.
2. Temporary files, and staging folders of this dataset, belong to a dead holder: they are removed.
3. A commit of ours without its manifest was cut short between the two: the manifest is made again from the commit,
   after the hashes of its files were proven. Readers of the Delta log may have seen the version: it is never undone.
4. A commit of another writer is not accepted silently: `Conflict`, and `lastro repair` adopts it on request.
5. A torn commit, or a newest commit that differs from its manifest, is damage: `Corrupted`, and `lastro repair` mends
   it.
6. A checkpoint that nobody vouches for is dropped: readers find the commits without it.
"""

from __future__ import annotations

from lastro.model.errors import Conflict, Corrupted
from lastro.model.text import _
from lastro.store import checkpoint, content, delta, disk, reading
from lastro.store.delta import Commit
from lastro.store.erasure import journal
from lastro.store.log import Log
from lastro.store.manifest import Manifest, State
from lastro.store.paths import Places


def settle(places: Places, log: Log) -> None:
    """Puts the table in order; the lock is held. Raises `Conflict`, `Corrupted`, `OSError`."""
    journal.settle(places)
    sweep(places)
    head = log.head()
    if head is None and not places.commit(0).exists():
        return
    checkpoint.settle(places, head)
    if head is not None:
        _check_tip(places, log.manifest(head))
    state = None if head is None else log.state(head)
    number = 0 if head is None else head + 1
    while places.commit(number).exists():
        state = _finish(places, log, number, state)
        number += 1


def read_commit(places: Places, number: int) -> Commit | None:
    """The commit of a version, None if it is torn. Raises `OSError`."""
    try:
        return delta.parse(reading.read(places.commit(number)))
    except ValueError:
        return None


def write_manifest(places: Places, manifest: Manifest) -> None:
    """Writes a manifest durably, in place of a damaged one if there is one."""
    for folder in (places.manifests, places.temporary):
        disk.make_folder(folder)
    disk.replace(disk.write_temporary(places.temporary, manifest.encode()), places.manifest(manifest.number))


def sweep(places: Places) -> None:
    """Removes what a dead holder of the lock left behind."""
    if places.temporary.is_dir():
        for path in places.temporary.iterdir():
            disk.remove(path)
    if places.staging.is_dir():
        for folder in places.staging.iterdir():
            if folder.name.partition(".")[2] == places.dataset:
                disk.remove_tree(folder)


def _check_tip(places: Places, manifest: Manifest) -> None:
    path = places.commit(manifest.number)
    if reading.size_of(path) is None or reading.read(path) != delta.render(manifest):
        raise _torn(places, manifest.number)


def _finish(places: Places, log: Log, number: int, parent: State | None) -> State:
    commit = read_commit(places, number)
    if commit is None:
        raise _torn(places, number)
    if commit.own is None:
        raise Conflict(
            _("another writer committed version {number} of {name}: {writer}").format(
                number=number, name=places.dataset, writer=commit.writer[:80] or _("it does not say which")
            ),
            where=str(places.commit(number)),
            do=_("lastro repair {name} --apply takes its rows over as a version").format(name=places.dataset),
            state=_("nothing was committed"),
        )
    try:
        manifest = delta.rebuild(commit, parent, proof=log.generations.known().proof(number))
    except ValueError as error:
        raise _torn(places, number) from error
    content.prove(places, manifest.added)
    disk.sync_file(places.commit(number))
    disk.sync_folder(places.log)
    write_manifest(places, manifest)
    return log.state(number)


def _torn(places: Places, number: int) -> Corrupted:
    return Corrupted(
        _("the commit of version {number} is damaged").format(number=number),
        where=str(places.commit(number)),
        do=_("lastro repair {name} shows what can be mended").format(name=places.dataset),
        state=_("nothing was committed"),
    )

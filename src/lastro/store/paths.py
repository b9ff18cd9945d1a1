"""Where a table's files lie, and which names may come from a log.

Rules:

1. A dataset's name is checked before it forms a path.
2. A path read from a log or manifest is relative, has no `.`, `..` or empty part, no part that begins with `_` or `.`,
   no backslash and no control character; otherwise it is refused, whoever wrote it.
3. The folders on the way are real folders, not links.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from lastro.model.errors import Corrupted
from lastro.model.reference import check_name
from lastro.model.text import _
from lastro.store.reading import is_real_folder

COMMIT_NAME = re.compile(r"[0-9]{20}\.json", re.ASCII)
MANIFEST_NAME = re.compile(r"(0|[1-9][0-9]{0,17})\.json", re.ASCII)
PROFILE_NAME = re.compile(r"(0|[1-9][0-9]{0,17})\.json\.gz", re.ASCII)
CHECKPOINT_NAME = re.compile(r"[0-9]{20}\.checkpoint\..+", re.ASCII)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one table. Nothing in it touches the disk but `check`."""

    root: Path
    dataset: str

    @classmethod
    def of(cls, root: Path, dataset: str) -> Places:
        """The places of a dataset in a workspace. Raises `NameRefused`."""
        return cls(Path(root).resolve(), check_name(dataset))

    @property
    def table(self) -> Path:
        """The Delta table."""
        return self.root / "tables" / self.dataset

    @property
    def log(self) -> Path:
        """Delta's own folder of commits."""
        return self.table / "_delta_log"

    @property
    def own(self) -> Path:
        """What Lastro keeps beside Delta's log."""
        return self.table / "_lastro"

    @property
    def manifests(self) -> Path:
        """One manifest per version."""
        return self.own / "manifests"

    @property
    def profiles(self) -> Path:
        """One file per version whose profile is kept."""
        return self.own / "profiles"

    @property
    def tags(self) -> Path:
        """One file per tag."""
        return self.own / "tags"

    @property
    def checkpoints(self) -> Path:
        """One note per Delta checkpoint that Lastro wrote."""
        return self.own / "checkpoints"

    @property
    def temporary(self) -> Path:
        """Files that have no name yet; whatever lies here when the lock is taken is left from a crash."""
        return self.own / "temporary"

    @property
    def expired(self) -> Path:
        """The list of versions whose files were collected."""
        return self.own / "expired.json"

    @property
    def keys(self) -> Path:
        """The index of idempotency keys."""
        return self.own / "keys.json"

    @property
    def generations(self) -> Path:
        """One file per erasure."""
        return self.own / "generations"

    @property
    def erasure(self) -> Path:
        """What an erasure has prepared, and its journal."""
        return self.own / "erasure"

    @property
    def journal(self) -> Path:
        """The journal of an erasure that is under way."""
        return self.erasure / "journal.json"

    @property
    def lock(self) -> Path:
        """The lock file."""
        return self.root / ".lastro" / "locks" / f"{self.dataset}.lock"

    @property
    def staging(self) -> Path:
        """Where batches are prepared, for all datasets."""
        return self.root / ".lastro" / "staging"

    @property
    def hint(self) -> Path:
        """Delta's pointer to its newest checkpoint."""
        return self.log / "_last_checkpoint"

    def commit(self, number: int) -> Path:
        """The Delta commit of a version."""
        return self.log / f"{number:020d}.json"

    def manifest(self, number: int) -> Path:
        """The manifest of a version."""
        return self.manifests / f"{number}.json"

    def generation(self, number: int) -> Path:
        """The record of an erasure, from 1."""
        return self.generations / f"{number}.json"

    def profile(self, number: int) -> Path:
        """The profile of a version."""
        return self.profiles / f"{number}.json.gz"

    def data(self, path: str) -> Path:
        """A data file, by the path a manifest gives. Raises `Corrupted` if that path is not allowed."""
        return self.table / check_relative(path)

    def check(self) -> None:
        """Raises `Corrupted` if a folder of the table is a link or not a folder."""
        own = (self.own, self.manifests, self.profiles, self.tags, self.temporary, self.generations)
        for folder in (self.table, self.log, *own):
            if (folder.is_symlink() or folder.exists()) and not is_real_folder(folder):
                raise Corrupted(
                    _("{name} is not a folder of its own").format(name=folder.name),
                    where=str(folder),
                    do=_("put the folder back in place of the link or file; links are not followed"),
                )


def check_relative(path: str) -> PurePosixPath:
    """A table-relative path as a manifest holds it. Raises `Corrupted`."""
    parts = path.split("/")
    if _FORBIDDEN.search(path) or any(not part or part[0] in "._" for part in parts):
        raise Corrupted(
            _("a log names a file outside its table"),
            where=repr(path[:120]),
            do=_("do not read this table; restore it from a copy"),
        )
    return PurePosixPath(path)


def from_delta(path: str) -> str:
    """A path as a Delta log writes it (percent-encoded), decoded and checked. Raises `Corrupted`."""
    decoded = unquote(path, errors="strict")
    check_relative(decoded)
    return decoded


def numbers(folder: Path, pattern: re.Pattern[str]) -> list[int]:
    """The version numbers that name the files of a folder, ascending; an absent folder has none."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(name.partition(".")[0]) for name in names if pattern.fullmatch(name))

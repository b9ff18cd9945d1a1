"""Profiles of versions: made from the one before by what came and what went, or by counting all rows.

Rules:

1. A version's profile is its parent's, with the rows of its new files added and those of the files that left taken
   away: a batch costs its own rows.
2. A column keeps its frame for as long as the frame says something: until its type changes, or until a frame that was
   made of few rows meets a table many times as large.
3. Where no frame can be kept, where most rows are new, or where the parent has no profile, all rows are counted.
4. Where the parent's was counted by an older Lastro, which counted less, all rows are counted once, under its frame.
5. A profile is no part of the commit: what fails here fails nothing, and is made when it is asked for.
"""

from __future__ import annotations

from contextlib import suppress

from lastro.engine.protocol import Engine
from lastro.model.errors import Corrupted, Expired
from lastro.model.profile import ColumnProfile, Frame, Profile, merged, without
from lastro.model.schema import ListOf, MapOf, Primitive, StructOf, type_text
from lastro.model.version import VersionInfo
from lastro.store.table import Table
from lastro.store.writer import Writer

FEW = 10_000
"""A frame made of at least so many values is kept however large the table becomes."""
GROWTH = 10
"""A frame made of fewer is made anew for a table so many times as large."""


def kept(
    table: Table, engine: Engine, info: VersionInfo, *, withheld: frozenset[str], writer: Writer | None = None
) -> Profile:
    """The profile of a version: that which is kept, else a new one, which the `writer` keeps.

    Raises `Corrupted`, `Expired`, `EngineError`.
    """
    found = stored(table, info, withheld=withheld)
    if found is not None:
        return found
    found = _made(table, engine, info, withheld)
    if writer is not None:
        writer.keep_profile(info, found)
    return found


def stored(table: Table, info: VersionInfo, *, withheld: frozenset[str]) -> Profile | None:
    """The profile that is kept of a version, if it tells no more than may be told now. Raises `Corrupted`."""
    found = table.profile(info)
    return found if found is not None and _hides(found, withheld) else None


def _hides(profile: Profile, withheld: frozenset[str]) -> bool:
    """True if the profile tells of the withheld columns, and of no others, no more than the missing."""
    return {name for name, column in profile.columns.items() if column.withheld} == withheld & profile.columns.keys()


def _made(table: Table, engine: Engine, info: VersionInfo, withheld: frozenset[str]) -> Profile:
    before = _parent(table, info)
    if before is None:
        return engine.profile(table.paths(info), info.schema, withheld=withheld)
    parent, profile = before
    frame = _settled(profile, info, withheld)
    if frame.keys() == set(info.schema.names) == profile.columns.keys() and profile.together is not None:
        grown = _grown(table, engine, info, parent, profile, withheld)
        if grown is not None:
            return grown
    found = engine.profile(table.paths(info), info.schema, frame=frame, withheld=withheld)
    blind = {name for name in frame if _is_blind(found, name, info)}
    if not blind:
        return found
    seeing = {name: each for name, each in frame.items() if name not in blind}
    return engine.profile(table.paths(info), info.schema, frame=seeing, withheld=withheld)


def _parent(table: Table, info: VersionInfo) -> tuple[VersionInfo, Profile] | None:
    """The version before and its profile, if it has one."""
    if not info.number:
        return None
    with suppress(Corrupted, Expired):  # then it is of no use, and all rows are counted
        before = table.version(info.number - 1)
        profile = table.profile(before)
        return None if profile is None else (before, profile)
    return None


def _settled(profile: Profile, info: VersionInfo, withheld: frozenset[str]) -> Frame:
    """The frames that can be kept for a version (rule 2)."""
    types = {each.name: type_text(each.type) for each in info.schema.fields}
    return {
        name: column.frame
        for name, column in profile.columns.items()
        if types.get(name) == column.frame.type
        and column.withheld == (name in withheld)
        and _is_settled(column, profile.rows - column.nulls)
    }


def _is_settled(column: ColumnProfile, present: int) -> bool:
    made_of = column.frame.made_of
    return made_of >= FEW or present < GROWTH * max(1, made_of)


def _is_blind(profile: Profile, name: str, info: VersionInfo) -> bool:
    """True if a column has values now, but a frame of when it had none."""
    column, kind = profile.columns[name], info.schema.field(name).type
    has_frame = column.frame.numbers is not None or column.frame.values is not None
    is_opaque = kind == Primitive.BINARY or isinstance(kind, ListOf | MapOf | StructOf)
    return not (has_frame or is_opaque or column.withheld) and column.nulls < profile.rows


def _grown(
    table: Table, engine: Engine, info: VersionInfo, parent: VersionInfo, profile: Profile, withheld: frozenset[str]
) -> Profile | None:
    """The parent's profile with what came and without what went; None if counting all rows is less work, or needed."""
    old, new = ({entry.path: entry for entry in each.files} for each in (parent, info))
    came = [entry for path, entry in new.items() if path not in old]
    went = [entry for path, entry in old.items() if path not in new]
    if sum(entry.rows for entry in (*came, *went)) > info.rows:
        return None
    for entries, change in ((came, merged), (went, without)):
        if not entries:
            continue
        paths = [table.file(entry.path) for entry in entries]
        part = engine.profile(paths, info.schema, frame=profile.frame, withheld=withheld)
        if any(_is_blind(part, name, info) for name in part.columns):
            return None
        try:
            profile = change(profile, part)
        except ValueError:  # a profile that is not that of these files
            return None
    return profile if profile.together is not None else None  # columns stand in another order

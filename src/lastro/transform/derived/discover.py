"""Steps as they are found in a workspace's `transforms/`.

Rules:

1. Every `NAME.sql` and `NAME.py` directly in the folder is a step that makes the dataset NAME; names that begin with
   `_` are modules for others to import. Links are not followed.
2. What a step reads is a dataset of the workspace: one with a source, one that is given data, or another step.
3. A step that is made by intervals takes their bounds: `$start` and `$end` in SQL, `start` and `end` in Python.
4. A dataset has one way to come into being: a step's name is no other's, and has no source in `lastro.yaml`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lastro.model import digest
from lastro.model.errors import ConfigurationError, LastroError, NameRefused, UnknownName
from lastro.model.interval import Cut
from lastro.model.reference import check_name
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.transform.derived import code
from lastro.transform.derived.step import END, FOLDER, START, Kind, Step

KINDS = {".sql": Kind.SQL, ".py": Kind.PYTHON}
_RESERVED = ".quarantine"


def files(root: Path) -> tuple[Path, ...]:
    """The files of the steps, by name."""
    folder = root / FOLDER
    if folder.is_symlink() or not folder.is_dir():
        return ()
    try:
        there = sorted(folder.iterdir())
    except OSError as error:
        raise _unreadable(error, FOLDER) from None
    found = (path for path in there if path.suffix in KINDS and not path.name.startswith(("_", ".")))
    return tuple(path for path in found if path.is_file() and not path.is_symlink())


def names(root: Path) -> tuple[str, ...]:
    """The names of the datasets that steps make; a file whose name no dataset may have is left to `steps`."""
    return tuple(dict.fromkeys(path.stem for path in files(root) if _is_name(path.stem)))


def steps(
    root: Path,
    *,
    sourced: Collection[str],
    known: Collection[str],
    parameters: Mapping[str, Mapping[str, Any]],  # Any: JSON values
    cuts: Mapping[str, Cut] = MappingProxyType({}),
) -> dict[str, Step]:
    """The steps by name. `sourced` are the datasets with a source, `known` all of them, `parameters` what `lastro.yaml`
    says instead of defaults, and `cuts` which steps are made by intervals. What is wrong with a file is that step's
    `fault`, and no other's.
    """
    found: dict[str, Step] = {}
    everybody = (*known, *names(root))
    for path in files(root):
        where = f"{FOLDER}/{path.name}"
        try:
            _check_name(path.stem, where)
            _check_single(path.stem, where, sourced, found)
            step = _step(path, where, everybody, parameters.get(path.stem, {}), cuts.get(path.stem))
            found[path.stem] = step
        except OSError as error:
            found[path.stem] = Step(path.stem, where, KINDS[path.suffix], (), "", fault=_unreadable(error, where))
        except LastroError as error:
            error.where = error.where or where
            found[path.stem] = Step(path.stem, where, KINDS[path.suffix], (), "", fault=error)
    return found


def _unreadable(error: OSError, where: str) -> ConfigurationError:
    reason = reason_of(error)
    return ConfigurationError(_("it cannot be read: {reason}").format(reason=reason), where=where)


def _check_single(name: str, where: str, sourced: Collection[str], found: Mapping[str, Step]) -> None:
    if name in sourced:
        do = _("rename the file, or take the source out of lastro.yaml")
    elif name in found:
        do = _("keep one of {files}").format(files=f"{found[name].file}, {where}")
    else:
        return
    raise ConfigurationError(_("{name} comes into being in two ways").format(name=name), where=where, do=do)


def _step(
    path: Path,
    where: str,
    known: Collection[str],
    given: Mapping[str, Any],  # Any: JSON values
    cut: Cut | None,
) -> Step:
    bounds = () if cut is None else (START, END)
    if KINDS[path.suffix] is Kind.SQL:
        return replace(_sql(path, where, known, bounds), parameters=_set({}, given, where), cut=cut)
    found = code.signature(path.read_bytes(), path.stem, where=where)
    _check_bounds(bounds, found.takes, where)
    taken = [name for name in found.takes if name not in bounds]
    arguments = {parameter: _known(parameter, known, where, python=True) for parameter in taken}
    return Step(
        name=path.stem,
        file=where,
        kind=Kind.PYTHON,
        upstream=tuple(dict.fromkeys(arguments.values())),
        code=code_of(path),
        parameters=_set(found.parameters, given, where),
        function=found.function,
        arguments=arguments,
        cut=cut,
    )


def _sql(path: Path, where: str, known: Collection[str], bounds: Sequence[str]) -> Step:
    from lastro.engine import parameters_of, tables_of

    content = path.read_bytes()
    text = text_of(content, where)
    upstream = tuple(_known(name, known, where) for name in tables_of(text, where=where, parameters=bounds))
    if bounds:
        _check_bounds(bounds, parameters_of(text, where=where), where)
    return Step(path.stem, where, Kind.SQL, upstream, digest.of_bytes(content))


def _check_bounds(bounds: Sequence[str], there: Collection[str], where: str) -> None:
    if all(bound in there for bound in bounds):
        return
    if where.endswith(".sql"):
        what = _("the step is made by intervals, but its SELECT does not use both $start and $end")
        do = _("keep only rows of the interval: WHERE … >= $start AND … < $end")
    else:
        what = _("the step is made by intervals, but its function does not take both start and end, without defaults")
        do = _("give it the parameters start and end, and keep only rows at or after start and before end")
    raise ConfigurationError(what, where=where, do=do)


def code_of(path: Path) -> str:
    """The digest of a step's code, as its file and what it imports are now. Raises `OSError`."""
    if KINDS[path.suffix] is Kind.SQL:
        return digest.of_bytes(path.read_bytes())
    return code.digest_of(path, path.parent)


def text_of(content: bytes, where: str) -> str:
    """The text of an SQL file. Raises `ConfigurationError`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(_("the file is not UTF-8"), where=where, do=_("save it as UTF-8")) from None


def _set(
    defaults: Mapping[str, Any],  # Any: JSON values
    given: Mapping[str, Any],  # Any: the same
    where: str,
) -> dict[str, Any]:  # Any: the same
    for name in given:
        if name not in defaults:
            raise ConfigurationError(
                _("the step has no build parameter {name}").format(name=name[:80]),
                where=where,
                do=_("known parameters: {names}").format(names=", ".join(defaults) or "-"),
            )
    return {**defaults, **given}


def _known(name: str, known: Iterable[str], where: str, *, python: bool = False) -> str:
    names = tuple(dict.fromkeys(known))
    if name in names:
        return name
    if python and (same := list(_spelled(name, names))):
        return same[0]
    near = get_close_matches(name, [one for one in names if one != Path(where).stem], 1)
    raise UnknownName(
        _("there is no dataset {name} to derive from").format(name=name[:80]),
        where=where,
        do=_("did you mean {near}?").format(near=near[0])
        if near
        else _("known datasets: {names}").format(names=", ".join(names) or _("none; add one with lastro add")),
    )


def _spelled(name: str, known: Iterable[str]) -> Iterator[str]:
    return (one for one in known if one.replace("-", "_").replace(".", "_") == name)


def _check_name(name: str, where: str) -> None:
    try:
        check_name(name)
    except NameRefused as error:
        raise NameRefused(error.what, where=where, do=error.do) from None
    if name.endswith(_RESERVED):
        raise NameRefused(
            _("{name!r} is kept for a quarantine").format(name=name), where=where, do=_("rename the file")
        )


def _is_name(name: str) -> bool:
    try:
        check_name(name)
    except NameRefused:
        return False
    return not name.endswith(_RESERVED)

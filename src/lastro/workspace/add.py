"""Adding a dataset: look at a source, write a contract a person would keep, enter it in `lastro.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lastro.contract import infer, parse
from lastro.contract.infer import guesses, is_restricted
from lastro.engine import first_lines, sniff
from lastro.engine.protocol import Engine
from lastro.engine.scan import Csv, FileScan
from lastro.model.clock import Clock
from lastro.model.declared import Declared
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.sample import Sample
from lastro.model.text import _, ngettext
from lastro.model.version import Mode
from lastro.source import create, options_for
from lastro.source.protocol import Declaring, Opened, Unchanged
from lastro.workspace import configuration
from lastro.workspace.configuration import MODES, DatasetEntry
from lastro.workspace.derived.flatten import check as check_lists
from lastro.workspace.privacy.proposing import is_value, listable, proposed, values_of

LOOKED_AT = {"batch_files": 4, "batch_bytes": 64 << 20}
"""How much is fetched to look at, of files that are elsewhere."""


@dataclass(frozen=True, slots=True)
class Added:
    """A dataset that was added: its contract's file, what its source is, and what to look at before trusting it."""

    name: str
    contract: Path
    source: str
    mode: str
    columns: int
    notes: tuple[str, ...]
    children: tuple[str, ...] = ()
    """The child datasets that its lists became, see `workspace.flatten`."""
    personal: tuple[str, ...] = ()
    """The columns that look personal, by the contract's names; nobody confirmed it."""

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The addition as plain values, for `--json`."""
        return {
            "name": self.name,
            "contract": str(self.contract),
            "source": self.source,
            "mode": self.mode,
            "columns": self.columns,
            "notes": list(self.notes),
            "children": list(self.children),
            "personal": list(self.personal),
        }


def add(
    root: Path,
    engine: Engine,
    location: str,
    *,
    name: str,
    mode: str | None,
    options: Mapping[str, Any],  # Any: a source's own options
    clock: Clock,
    flatten: bool = False,
) -> Added:
    """Infers and writes a contract and the entry in `lastro.yaml`; the source is read, nothing is stored."""
    configuration.check_dataset_name(name)
    options = _nested(options)
    chosen = _mode(mode, options)
    contract = Path("contracts") / f"{name}.odcs.yaml"
    _check_free(root, name, contract)
    source_options, guessed = _with_dialect(options_for(location, options), root)
    entry = DatasetEntry(name, str(contract), chosen, source_options, flatten=flatten)
    text, added = _inferred(root, engine, entry, clock)
    with configuration.writing(root):
        _write(root / contract, text)
        try:
            configuration.add_dataset(root, entry)
        except BaseException:
            (root / contract).unlink(missing_ok=True)  # else the name would be taken by a dataset that is not there
            raise
    return replace(added, notes=(*guessed, *_left_out(source_options, root, chosen), *added.notes))


def add_contract(root: Path, engine: Engine, entry: DatasetEntry, *, clock: Clock) -> Added:
    """Infers and writes the contract that a dataset of `lastro.yaml` lacks; its source is read as it stands there.

    Raises `SourceError`, `ConfigurationError`.
    """
    if (root / entry.contract).exists():
        raise ConfigurationError(
            _("{name} has a contract already").format(name=entry.name),
            where=entry.contract,
            do=f"lastro ingest {entry.name}",
        )
    if not entry.source:
        raise ConfigurationError(
            _("{name} has no source that a contract could be made from").format(name=entry.name),
            where=configuration.FILE,
            do=f"lastro build {entry.name}" if entry.derived else _("write its source into lastro.yaml"),
        )
    text, added = _inferred(root, engine, entry, clock)
    with configuration.writing(root):
        _write(root / entry.contract, text)
    return added


def _inferred(root: Path, engine: Engine, entry: DatasetEntry, clock: Clock) -> tuple[str, Added]:
    """The contract's text, as the source's rows look, and what to tell of it."""
    declared, label, samples = _sampled(root, engine, entry.source)
    samples = [listable(sample) for sample in samples]
    _refuse_values([sample.column.name for sample in samples], label)
    classes = proposed(samples)
    text = infer(entry.name, samples, source=label, today=clock().date(), key=declared.key, proposed=classes)
    parsed = parse(text, name=entry.contract)
    plan = parsed.plan()
    engine.check(plan)
    if entry.flatten:
        check_lists(parsed)
    added = Added(entry.name, Path(entry.contract), label, entry.mode.value, len(plan.columns), tuple(guesses(text)))
    both = zip(plan.columns, samples, strict=True)
    looking = tuple(
        column.name
        for column, sample in both
        if sample.column.name in classes or is_restricted(sample, classes.get(sample.column.name))
    )
    return text, replace(added, personal=looking)


def source_values(root: Path, engine: Engine, entry: DatasetEntry) -> dict[str, Any]:  # Any: pyarrow arrays
    """Some values of each column of a dataset's source, by the source's names; None where none can be judged.

    Raises `SourceError`, `ConfigurationError`.
    """
    _declares, _label, samples = _sampled(root, engine, entry.source)
    return {sample.column.name: values_of(sample) for sample in samples}


def _sampled(
    root: Path,
    engine: Engine,
    options: Mapping[str, Any],  # Any: a source's own options
) -> tuple[Declared, str, list[Sample]]:
    """What a source declares, what it is called, and a sample of each of its columns."""
    declared = _declared_by(options, root)
    with _opened(options, root) as opened:
        return declared, opened.label, [_typed(sample, declared) for sample in engine.sample(opened.scan)]


def _refuse_values(names: Sequence[str], label: str) -> None:
    """Refuses a source whose columns are named by values of people: names stand in contracts, logs and reports."""
    place = next((place for place, name in enumerate(names, start=1) if is_value(name)), None)
    if place is not None:
        raise ConfigurationError(
            _("the name of column {n} is somebody's identifier or contact").format(n=place),
            where=label,
            do=_("if the first line is a row, say --option header=false; else give the columns names of their own"),
            state=_("nothing was added"),
        )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, text.encode())


def _declared_by(options: Mapping[str, Any], root: Path) -> Declared:  # Any: a source's own options
    source = create(options, base=root)
    return source.declared() if isinstance(source, Declaring) else Declared()


def _typed(sample: Sample, declared: Declared) -> Sample:
    """The sample; of a column without a value, with the type that the source declares."""
    kind = declared.types.get(sample.column.name)
    if kind is None or sample.nulls < sample.rows:
        return sample
    return replace(sample, column=replace(sample.column, type=kind), declared=True)


@contextmanager
def _opened(options: Mapping[str, Any], root: Path) -> Iterator[Opened]:  # Any: a source's own options
    mode = Mode.OVERWRITE
    if options.get("kind") == "files" and "://" in str(options.get("path")):  # fetching all of it to look at a part
        options, mode = {**options, **LOOKED_AT}, Mode.APPEND
    source = create(options, base=root)
    with source.open(None, mode) as opened:
        if isinstance(opened, Unchanged):
            raise SourceBroken(_("there is nothing to read"), where=source.label, do=_("check the location"))
        yield opened


def _with_dialect(
    options: dict[str, Any],  # Any: a source's own options
    root: Path,
) -> tuple[dict[str, Any], tuple[str, ...]]:  # Any: the same
    """The options, and how a source is written where they do not say; then what to tell of that."""
    match options.get("kind"):
        case "http":
            return _with_pages(options, root), ()
        case "logs" if "format" not in options:
            return _with_format(options, root)
        case "files":
            return _delimited(options, root)
        case _:
            return options, ()


def _with_format(
    options: dict[str, Any],  # Any: a source's own options
    root: Path,
) -> tuple[dict[str, Any], tuple[str, ...]]:  # Any: the same
    """The options, and how a log is most likely written, judged by its first lines."""
    from lastro.source.logs.guess import guess

    with _opened(options, root) as opened:
        if not isinstance(opened.scan, FileScan):
            return options, ()
        encoding, lines = first_lines(opened.scan.paths[0])
        found = guess(lines)
    note = ngettext(
        "guessed: the format is {name}, which {fitting} of the first {n} line fits",
        "guessed: the format is {name}, which {fitting} of the first {n} lines fit",
        found.seen,
    ).format(name=found.name, fitting=found.fitting, n=found.seen)
    if not found.fitting:
        note = _("guessed: no known format fits, so a line is one column")
    note = _("{note}; say another with --option format=… or --option format.grok=…").format(note=note)
    notes = [note]
    made = dict(found.options)
    if encoding != "utf-8" and "encoding" not in options:
        made["encoding"] = encoding
        notes.append(_("guessed: the text is {encoding}, as most lines are no UTF-8").format(encoding=encoding))
    return {**options, **{key: value for key, value in made.items() if key not in options}}, tuple(notes)


def _left_out(options: Mapping[str, Any], root: Path, mode: Mode) -> tuple[str, ...]:  # Any: a source's own options
    """What to tell of rotated logs that the path of a followed one leaves out."""
    if options.get("kind") != "logs" or mode is not Mode.APPEND:
        return ()
    from lastro.source.logs.beside import pattern_of, rotations_beside

    path = str(options["path"])
    found = rotations_beside(path, root)
    if not found:
        return ()
    text = ngettext(
        "{name} looks like a rotation of what {path} takes in, and is not read; to read it, too, set path: {pattern!r} "
        "in lastro.yaml before the first ingestion",
        "{name} and others, {n} files, look like rotations of what {path} takes in, and are not read; to read them, "
        "too, set path: {pattern!r} in lastro.yaml before the first ingestion",
        len(found),
    )
    return (text.format(name=found[0], n=len(found), path=path, pattern=pattern_of(path, found)),)


def _delimited(
    options: dict[str, Any],  # Any: a source's own options
    root: Path,
) -> tuple[dict[str, Any], tuple[str, ...]]:  # Any: the same
    """The options, and how a delimited file is written where they do not say: only what is not the rule."""
    with _opened(options, root) as opened:
        scan = opened.scan
        if not isinstance(scan, FileScan) or not isinstance(scan.format, Csv):
            return options, ()
        found = asdict(sniff(scan.paths[0]))
    usual = asdict(Csv())
    unusual = {name: value for name, value in found.items() if value != usual[name]}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in unusual.items()}
    made = {**options, **{name: value for name, value in plain.items() if name not in options}}
    if "header" in options or made.get("header", True):
        return made, ()
    note = _("guessed: the first line is a row and names no columns; --option header=true says that it does")
    return made, (note,)


def _with_pages(options: dict[str, Any], root: Path) -> dict[str, Any]:  # Any: a source's own options
    """The options, and what the first page of an API makes evident: where its records and its other pages are."""
    from lastro.source.http import http_source

    return http_source(options, root).completed(options)


def _nested(options: Mapping[str, Any]) -> dict[str, Any]:  # Any: a source's own options
    """Options whose names have dots as options within options: `pagination.type=page`."""
    made: dict[str, Any] = {}  # Any: the same, in their places
    for name, value in options.items():
        first, *rest = name.split(".")
        inner = made.setdefault(first, {}) if rest else made
        for part in rest[:-1]:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or not all((first, *rest)):
            raise ConfigurationError(
                _("{name!r} does not go together with the other options").format(name=name[:60]),
                do=_("write each of them once, such as --option pagination.type=page"),
            )
        inner[rest[-1] if rest else first] = value
    return made


def _mode(mode: str | None, options: Mapping[str, Any]) -> Mode:  # Any: a source's own options
    if mode is None:
        return Mode.UPSERT if options.get("cursor") or options.get("incremental") else Mode.OVERWRITE
    if mode not in MODES:
        raise ConfigurationError(
            _("{mode!r} is not a mode").format(mode=mode), do=_("use one of {modes}").format(modes=", ".join(MODES))
        )
    return Mode(mode)


def _check_free(root: Path, name: str, contract: Path) -> None:
    if name in configuration.read(root).datasets or (root / contract).exists():
        raise ConfigurationError(
            _("there is a dataset {name} already").format(name=name),
            where=str(contract),
            do=_("choose another name with --as"),
        )

"""The datasheet of one version, in the order of Gebru et al., Datasheets for Datasets (2021): why, what, whence, how
prepared, how checked, for what, how kept. It is what the EU AI Act asks to know of training data: articles 10(2) and
12, annex IV 2(d).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lastro.model.dossier import Dossier, Holding
from lastro.model.finding import Finding
from lastro.model.text import _, ngettext
from lastro.model.version import VersionInfo
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Title, table
from lastro.report.documents.parts import bound, classes, facts, missing, purposes, said
from lastro.report.findings import findings
from lastro.report.numbers import NOTHING, moment, number, percent, size


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a datasheet tells beyond the dossier: the version, how its columns are made (`cleaning`, SQL by column),
    what its rules found, and its statistics as blocks.
    """

    info: VersionInfo
    cleaning: Mapping[str, str]
    found: Sequence[Finding]
    statistics: Blocks = ()


def datasheet(dossier: Dossier, holding: Holding, sheet: Sheet) -> Blocks:
    """The datasheet."""
    return (
        *_motivation(holding),
        *_composition(holding, sheet),
        *_collection(sheet.info),
        *_preparation(sheet),
        *_checks(sheet),
        *_uses(dossier, holding, sheet.info),
        *_maintenance(holding, sheet.info),
        *bound(dossier, [holding]),
    )


def datasheet_title(reference: str) -> str:
    """What the document is called."""
    return _("Datasheet of {reference} (EU AI Act art. 10, annex IV)").format(reference=reference)


def datasheet_verdict(sheet: Sheet) -> str:
    """How much there is."""
    rows = ngettext("{n} row", "{n} rows", sheet.info.rows).format(n=number(sheet.info.rows))
    n = len(sheet.info.schema.fields)
    columns = ngettext("{n} column", "{n} columns", n).format(n=number(n))
    return _("{rows}, {columns}").format(rows=rows, columns=columns)


def _motivation(holding: Holding) -> Blocks:
    where = f"contracts: {holding.name}"
    rows: list[tuple[Cell | str, ...]] = [
        (_("made for"), said(holding.purpose, f"{where}: description.purpose")),
        (_("described as"), said(holding.description, f"{where}: schema.description")),
        (_("purposes and legal bases (GDPR 6, LGPD 7)"), purposes(holding) or missing(f"{where}: purposes")),
        (_("not meant for"), said(holding.limitations, f"{where}: description.limitations")),
    ]
    return (Title(_("Why it was made")), facts(rows))


def _composition(holding: Holding, sheet: Sheet) -> Blocks:
    info = sheet.info
    rows = [
        (_("rows"), number(info.rows)),
        (_("columns"), number(len(info.schema.fields))),
        (_("size"), size(info.size)),
        (_("values of natural persons"), _("yes") if holding.personal.is_personal else _("none that a contract names")),
    ]
    return (Title(_("What it holds")), facts(rows), *classes(holding), *sheet.statistics)


def _collection(info: VersionInfo) -> Blocks:
    origin = info.origin
    counts = origin.counts
    rows = [
        (_("source"), origin.source or NOTHING),
        (_("made from"), ", ".join(origin.inputs) or NOTHING),
        (_("joined by"), origin.mode.value),
        (_("committed (UTC)"), moment(info.committed)),
        (_("rows read"), number(counts.read) if counts else NOTHING),
        (_("kept"), number(counts.kept) if counts else NOTHING),
        (_("set aside"), _share(counts.quarantined, counts.read) if counts else NOTHING),
        (_("counted at the source, too"), _("yes") if origin.reconciliation else _("no")),
    ]
    return (Title(_("How it was collected")), facts(rows))


def _preparation(sheet: Sheet) -> Blocks:
    rows = [(column, expression) for column, expression in sheet.cleaning.items()]
    step = sheet.info.origin.made_of
    lines: list[Block] = []
    if step.get("code"):
        lines.append(Line(_("Made by a step with the code {digest}").format(digest=step["code"])))
    if rows:
        lines.append(table((Column(_("column"), names=True), Column(_("cleaned by"))), rows))
    return (Title(_("How it was prepared")), *(lines or [Line(_("Taken over as it came."))]))


def _checks(sheet: Sheet) -> Blocks:
    told: Blocks = findings(list(sheet.found)) if sheet.found else (Line(_("No rule looked at it.")),)
    return (Title(_("How it was checked, and known gaps")), *told)


def _uses(dossier: Dossier, holding: Holding, info: VersionInfo) -> Blocks:
    runs = [each for each in dossier.trainings if info.reference in each.inputs]
    columns = (Column(_("run"), names=True), Column(_("name")), Column(_("started (UTC)")))
    trained = table(columns, [(each.id, each.name, moment(each.started)) for each in runs])
    readers = sorted({each.actor for each in dossier.accesses if _read(each.dataset, each.versions, holding, info)})
    told = _("Read by {actors}").format(actors=", ".join(readers)) if readers else _("Nobody read it yet.")
    return (Title(_("What it was used for")), *([trained] if runs else []), Line(told))


def _read(dataset: str, versions: tuple[int, ...], holding: Holding, info: VersionInfo) -> bool:
    return dataset == holding.name and info.number in versions


def _maintenance(holding: Holding, info: VersionInfo) -> Blocks:
    tags = sorted(tag for tag, version in holding.tags.items() if version == info.number)
    where = f"contracts: {holding.name}: slaProperties.retention"
    rows: list[tuple[Cell | str, ...]] = [
        (_("kept for"), said(holding.retention, where)),
        (_("versions"), number(holding.versions)),
        (_("tags"), ", ".join(tags) or NOTHING),
        (_("contract"), " ".join(filter(None, (holding.contract_version, holding.contract_digest))) or NOTHING),
        (_("digest"), info.digest),
        (_("parent"), info.parent or NOTHING),
    ]
    return (Title(_("How it is kept")), facts(rows))


def _share(part: int, whole: int) -> str:
    return f"{number(part)} ({percent(part, whole)})" if part else number(part)

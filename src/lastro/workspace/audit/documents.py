"""Documents of the law about a workspace: gathered from what it knows, and told as blocks and as plain values.

A document about datasets names some, or all; a datasheet and a Croissant description are of one version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.errors import UsageError
from lastro.model.text import _
from lastro.workspace.audit.dossier import dossier

if TYPE_CHECKING:
    from lastro.model.dossier import Dossier
    from lastro.report.blocks import Blocks
    from lastro.report.croissant import Described
    from lastro.report.documents.incident import Incident
    from lastro.workspace.version import Version
    from lastro.workspace.workspace import Workspace

ABOUT_DATASETS = ("data-map", "ropa", "dpia", "ripd", "access", "control")


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its kind, title, what it comes to in a sentence, its blocks, and its facts as plain values."""

    kind: str
    title: str
    verdict: str
    blocks: Blocks
    values: dict[str, Any]  # Any: values for `report.json_values`

    def to_markdown(self) -> str:
        """The document as Markdown."""
        from lastro.report.markdown import to_markdown

        return to_markdown(self.title, self.blocks, answer=self.verdict)

    def to_html(self) -> str:
        """The document as a page that needs no network."""
        from lastro.report.html import to_page

        return to_page(self.title, self.blocks, answer=self.verdict)

    def _repr_html_(self) -> str:
        from lastro.report.blocks import Title
        from lastro.report.html import to_html

        return to_html((Title(self.title), *self.blocks))


def document(workspace: Workspace, kind: str, *, names: Sequence[str] = ()) -> Document:
    """The `data-map`, the record of processing (`ropa`), an impact assessment (`dpia`, `ripd`), the `access` report or
    the register of controls (`control`), of these datasets or all. Raises `UsageError` for another kind, `UnknownName`,
    `Corrupted`.
    """
    if kind == "data-map":
        return _mapped(workspace, names)
    if kind == "control":
        return _controlled(workspace, names)
    told = _kinds().get(kind)
    if told is None:
        raise UsageError(
            _("{kind!r} is no document").format(kind=kind[:80]),
            do=_("use one of {keys}").format(keys=", ".join(ABOUT_DATASETS)),
        )
    found = dossier(workspace, names)
    title, verdict, blocks = told(found)
    return Document(kind, title, verdict, blocks, _values(found))


def _mapped(workspace: Workspace, names: Sequence[str]) -> Document:
    from lastro.report import data_map as report
    from lastro.workspace.audit.data_map import data_map

    found = data_map(workspace, names)
    return Document(
        "data-map",
        report.data_map_title(),
        report.data_map_verdict(found),
        report.data_map(found),
        found.to_dict(),
    )


def _controlled(workspace: Workspace, names: Sequence[str]) -> Document:
    from dataclasses import asdict

    from lastro.report.documents import control as report
    from lastro.workspace.audit.controls import controls

    found = controls(workspace, names=names)
    told = {"controls": [asdict(each) for each in found.controls], "promises": found.promises, "cannot": found.cannot}
    return Document(
        "control",
        report.control_title(),
        report.control_verdict(found),
        report.control(found),
        {**_values(found.dossier), **told},
    )


def incident(workspace: Workspace, asked: Incident, *, names: Sequence[str] = ()) -> Document:
    """The dossier of an incident: what these actors (all, without any) could have taken, and whom to tell by when."""
    from lastro.report.documents import incident as report

    found = dossier(workspace, names, of=lambda event: asked.concerns(event.actor, event.moment))
    return Document(
        "incident",
        report.incident_title(),
        report.incident_verdict(found),
        report.incident(found, asked),
        {**_values(found), "asked": asked},
    )


def datasheet(workspace: Workspace, reference: str) -> Document:
    """The datasheet of one version. Raises `UnknownName`, `Expired`, `Corrupted`."""
    from lastro.model.finding import Finding
    from lastro.report.documents import datasheet as report
    from lastro.report.profiles import profile

    version = workspace.version(reference)
    dataset = workspace.dataset(version.info.dataset)
    found = dossier(workspace, [dataset.name])
    holding = replace(found.holdings[0], newest=version.info)
    has_contract = dataset.has_contract()
    columns = dataset.contract().plan().columns if has_contract else ()
    statistics = profile(dataset.profile(str(version.number)).summary) if has_contract else ()
    sheet = report.Sheet(
        version.info,
        {column.name: column.expression for column in columns if column.expression},
        tuple(Finding.from_dict(each) for each in version.info.origin.findings),
        statistics,
    )
    return Document(
        "datasheet",
        report.datasheet_title(version.reference),
        report.datasheet_verdict(sheet),
        report.datasheet(replace(found, holdings=(holding,)), holding, sheet),
        {**_values(replace(found, holdings=(holding,))), "version": version.reference, "digest": version.digest},
    )


def croissant(
    workspace: Workspace, reference: str, *, folder: Path | None = None
) -> dict[str, Any]:  # Any: JSON values
    """The Croissant 1.1 description of one version, to be written into `folder` (the workspace's own, if None).

    Raises `UsageError` if the version's files do not lie below that folder, `UnknownName`, `Expired`, `Corrupted`.
    """
    from lastro.report.croissant import croissant as described

    version = workspace.version(reference)
    root = (folder or workspace.root).resolve()
    paths = [path.resolve() for path in version.table.paths(version.info)]
    if not all(path.is_relative_to(root) for path in paths):
        raise UsageError(
            _("the files of {reference} do not lie below {folder}").format(reference=version.reference, folder=root),
            do=_("write the description into the workspace's folder, or one above it"),
        )
    return described(
        version.info, [path.relative_to(root).as_posix() for path in paths], _described(workspace, version)
    )


def _described(workspace: Workspace, version: Version) -> Described:
    from lastro.report.croissant import Described

    dataset = workspace.dataset(version.info.dataset)
    if not dataset.has_contract():
        return Described()
    contract = dataset.contract()
    (said,) = [each for each in contract.document["schema"] if each.get("name") == dataset.name]
    columns = {each["name"]: str(each["description"]) for each in said.get("properties", ()) if each.get("description")}
    kinds = tuple(dict.fromkeys(each.kind or each.column for each in contract.personal.classes if each.of != "none"))
    about = contract.document.get("description")
    general = about.get("purpose") if isinstance(about, dict) else about
    return Described(
        description=str(said.get("description") or general or ""),
        version=contract.version,
        columns=columns,
        personal=kinds,
        collection=version.info.origin.source,
        key=contract.plan().primary_key,
    )


def _kinds() -> dict[str, Callable[[Dossier], tuple[str, str, Blocks]]]:
    from lastro.report.documents import access, impact, ropa

    def assessed(law: impact.Law, found: Dossier) -> tuple[str, str, Blocks]:
        return impact.impact_title(law), impact.impact_verdict(found), impact.impact(found, law)

    return {
        "ropa": lambda found: (ropa.ropa_title(), ropa.ropa_verdict(found), ropa.ropa(found)),
        "dpia": partial(assessed, impact.Law.DPIA),
        "ripd": partial(assessed, impact.Law.RIPD),
        "access": lambda found: (access.access_title(), access.access_verdict(found), access.access(found)),
    }


def _values(found: Dossier) -> dict[str, Any]:  # Any: values for `report.json_values`
    """The dossier as plain values, a version as its reference and digest."""
    from dataclasses import asdict

    holdings = [
        {
            **asdict(replace(each, newest=None)),
            "newest": each.newest and {"reference": each.newest.reference, "digest": each.newest.digest},
        }
        for each in found.holdings
    ]
    return {**asdict(replace(found, holdings=())), "holdings": holdings}

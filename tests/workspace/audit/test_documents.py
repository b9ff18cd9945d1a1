"""Documents of the law: made of what happened, and honest about what nobody wrote."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import lastro
from lastro.model.errors import NotPermitted, UsageError
from lastro.report.documents.incident import Incident, business_days
from lastro.report.json_values import answer_json
from lastro.workspace.audit import documents
from lastro.workspace.workspace import Workspace

CONTRACT = """version: 1.2.0
apiVersion: v3.2.0
kind: DataContract
id: people
status: active
description: {purpose: decide on credit, limitations: no advertising}
slaProperties: [{property: retention, value: 5, unit: y}]
schema:
  - name: people
    logicalType: object
    description: who asked for credit
    customProperties:
      - {property: subject, vendor: lastro, value: cpf}
      - {property: purposes, vendor: lastro, value: [{purpose: scoring, basis: "LGPD art. 7, X"}]}
    properties:
      - name: cpf
        logicalType: string
        classification: restricted
        customProperties:
          - {property: personal, vendor: lastro, value: {class: identifier, kind: cpf, confirmed: ana}}
      - name: health
        logicalType: string
        classification: restricted
        customProperties: [{property: personal, vendor: lastro, value: {class: sensitive, kind: health}}]
      - {name: amount, logicalType: number, transformLogic: "abs(CAST(amount AS double))"}
"""
ABOUT = """
organisation:
  name: Banco <Exemplo>
  contact: privacidade@exemplo.com.br
  country: BR
  officer: {name: Ana Lima, contact: dpo@exemplo.com.br}
  parties:
    - {name: Cloud GmbH, role: processor, country: DE, safeguard: SCC, datasets: [people]}
    - {name: Bureau SA, role: recipient, country: BR}
judgements:
  subjects: people who ask for credit
  necessity: the law of credit asks for it
  security: [disks are encrypted]
  risks: [{risk: refused wrongly, likelihood: low, severity: high, measure: a person reviews}]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    source = folder / "people.jsonl"
    rows = [{"cpf": f"529.982.247-2{n}", "health": "flu-7391", "amount": n} for n in range(3)]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    workspace = lastro.init(folder / "lake")
    workspace.add(str(source), name="people")
    (workspace.root / "contracts" / "people.odcs.yaml").write_text(CONTRACT, encoding="utf-8")
    workspace.dataset("people").ingest()
    with (workspace.root / "lastro.yaml").open("a", encoding="utf-8") as stream:
        stream.write(ABOUT)
    return workspace.root


@pytest.fixture
def lake(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("LASTRO_LANG", "en")
    monkeypatch.setenv("LASTRO_ACTOR", "bea")
    monkeypatch.setenv("LASTRO_PURPOSE", "scoring")
    shutil.copytree(made, tmp_path / "lake")
    return lastro.open(tmp_path / "lake")


def test_the_record_of_processing_says_what_article_30_asks_for(lake: Workspace) -> None:
    lake.dataset("people").version().to_arrow()

    told = documents.document(lake, "ropa").to_markdown()

    for word in (
        *(
            "Banco &lt;Exemplo>",
            "Ana Lima",
            "people who ask for credit",
            "scoring (LGPD art. 7, X)",
            "cpf, health",
            "5 y",
        ),
        *(
            "Cloud GmbH (processor), Bureau SA (recipient)",
            "| Cloud GmbH | DE | people | SCC |",
            "bea",
            "decide on credit",
        ),
    ):
        assert word in told, word
    assert lake.dataset("people").version().digest in told
    assert lake.ledger.key.name in told
    assert "not stated" not in told


@pytest.mark.parametrize("kind", documents.ABOUT_DATASETS)
@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_no_document_tells_a_value(lake: Workspace, kind: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", language)
    found = documents.document(lake, kind)

    for text in (found.to_markdown(), found.to_html(), answer_json("x/1", found.values, ok=True)):
        assert "529" not in text.replace(lake.dataset("people").version().digest, "")
        assert "flu-7391" not in text
        assert "Ana Lima" in text or kind in {"access", "data-map"}


def test_what_nobody_wrote_is_told_where_it_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "en")
    workspace = lastro.init(tmp_path / "lake")

    told = documents.document(workspace, "dpia").to_markdown()

    for place in ("organisation.name", "organisation.officer.name", "judgements.necessity", "judgements.risks"):
        assert f"not stated: {place}" in told
    assert "the ledger is empty" in told


def test_an_impact_report_says_what_is_open(lake: Workspace) -> None:
    told = documents.document(lake, "ripd").to_markdown()

    assert "people: identifiers or sensitive values without protection: cpf, health" in told
    assert "people: 1 column has no class" in told
    assert "| refused wrongly | low | high | a person reviews |" in told
    assert "| health | sensitive | health | – | nobody yet |" in told


def test_a_datasheet_is_of_one_version(lake: Workspace) -> None:
    version = lake.dataset("people").version()

    told = documents.datasheet(lake, "people@0").to_markdown()

    for word in (
        "who asked for credit",
        "no advertising",
        "abs(CAST(amount AS double))",
        version.digest,
        "1.2.0",
        "amount.type",
    ):
        assert word in told, word
    assert "529" not in told.replace(version.digest, "")


def test_a_broken_contract_is_in_the_record(lake: Workspace) -> None:
    (lake.root / "contracts" / "people.odcs.yaml").write_text("schema: [", encoding="utf-8")

    found = documents.document(lake, "ropa")

    assert found.values["holdings"][0]["fault"]


def test_an_incident_reaches_what_the_actor_read(lake: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_ACTOR", "eve")
    lake.dataset("people").version().to_arrow("cpf")
    known = datetime(2026, 11, 26, 12, tzinfo=UTC)

    of_eve = documents.incident(lake, Incident(known, ("eve",))).to_markdown()
    of_nobody = documents.incident(lake, Incident(known, ("mallory",)))
    before = documents.incident(lake, Incident(known, ("eve",), until=datetime(2020, 1, 1, tzinfo=UTC)))

    assert "| eve | read | people | scoring | 1 | 0 | cpf |" in of_eve
    assert "2026-11-29 12:00" in of_eve
    assert "2026-12-01 12:00" in of_eve
    assert of_nobody.verdict == before.verdict == "0 datasets were reached"


def test_who_was_refused_is_told_with_what_was_asked_for(lake: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_ACTOR", "eve")
    monkeypatch.setenv("LASTRO_LANG", "en")
    with pytest.raises(NotPermitted):
        lake.version("people", purpose="curiosity").to_arrow("cpf")

    found = documents.document(lake, "access")

    assert "| eve | read refused | people |" in found.to_markdown()


def test_an_incident_counts_what_was_done_within_its_span(lake: Workspace) -> None:
    known = datetime(2026, 11, 26, 12, tzinfo=UTC)
    lake.dataset("people").version().to_arrow("cpf")
    between = lake.clock()
    lake.dataset("people").version().to_arrow("amount")

    (before,) = documents.incident(lake, Incident(known, (), until=between)).values["accesses"]
    (after,) = documents.incident(lake, Incident(known, (), since=between)).values["accesses"]

    assert (before["times"], before["columns"]) == (1, ("cpf",))
    assert (after["times"], after["columns"]) == (1, ("amount",))


def test_documents_are_bound_to_the_ledger_whichever_key_signs(lake: Workspace) -> None:
    for _each in range(2):
        lake.ledger.rotate()
        head = lake.ledger.head()

        assert head is not None
        assert head.root in documents.document(lake, "ropa").to_markdown()
        lake.dataset("people").version().to_arrow("amount")
        assert lake.ledger.head() != head


def test_business_days_leave_weekends_out() -> None:
    friday = datetime(2026, 11, 27, tzinfo=UTC)

    assert business_days(friday, 3) == datetime(2026, 12, 2, tzinfo=UTC)
    assert business_days(friday, 0) == friday


def test_another_kind_is_refused(lake: Workspace) -> None:
    with pytest.raises(UsageError, match="is no document"):
        documents.document(lake, "../../etc")


def test_a_description_lies_above_its_files(lake: Workspace, tmp_path: Path) -> None:
    found = documents.croissant(lake, "people")

    assert found["distribution"][0]["contentUrl"].startswith("tables/people/part-")
    assert found["rai:personalSensitiveInformation"] == ["cpf", "health"]
    with pytest.raises(UsageError, match="do not lie below"):
        documents.croissant(lake, "people", folder=tmp_path / "elsewhere")

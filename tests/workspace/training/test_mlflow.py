"""MLflow: a run's input opens again as the very same version."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.workspace.copies import Copy, approved

from lastro.model.errors import NameRefused, ReplayError, UnknownName, UsageError

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed; to run this: pip install 'lastro[mlflow]'")

from lastro.workspace.training.mlflow_source import LastroDataset, LastroDatasetSource  # noqa: E402


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return approved(tmp_path_factory.mktemp("original") / "lake")


@pytest.fixture
def tracked(original, tmp_path, monkeypatch):
    """Version 0 is approved, version 1 the newest; MLflow keeps its runs in a folder."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    return Copy(original, tmp_path / "lake")


def logged(run):
    return mlflow.get_run(run.info.run_id)


def test_a_runs_input_opens_again_as_the_very_same_version(tracked):
    version = tracked.workspace.version("loans@approved")
    with mlflow.start_run() as run:
        mlflow.log_input(mlflow.data.from_lastro(version), context="training")
    tracked.loans.tag("approved", 1)

    (found,) = logged(run).inputs.dataset_inputs
    again = mlflow.data.get_source(found).load()

    assert (again.reference, again.digest) == ("loans@0", version.digest)
    assert again.to_arrow() == version.to_arrow()
    assert found.dataset.name == "loans"
    assert version.digest.endswith(found.dataset.digest, 7, 7 + 32)
    assert json.loads(found.dataset.profile)["rows"] == 3
    columns = {column["name"]: column["type"] for column in json.loads(found.dataset.schema)["mlflow_colspec"]}
    assert columns == {"id": "long", "uf": "string", "income": "double", "applied_at": "datetime"}


def test_a_version_can_be_named_by_a_text(tracked):
    dataset = mlflow.data.from_lastro(f"lastro:{tracked.root}#loans@approved", name="approved loans")

    assert dataset.name == "approved loans"
    assert dataset.source.load().reference == "loans@0"
    for text in ("lastro:", f"lastro:{tracked.root}"):
        with pytest.raises(UsageError):
            mlflow.data.from_lastro(text)
    with pytest.raises(UnknownName):
        mlflow.data.from_lastro(f"lastro:{tracked.root}#income")


def test_mlflow_recognises_what_is_ours(tracked):
    from mlflow.data.dataset_source_registry import resolve_dataset_source

    source = resolve_dataset_source(tracked.workspace.version("loans@0"))

    assert isinstance(source, LastroDatasetSource)
    assert source.to_dict()["version"] == 0
    assert not LastroDatasetSource._can_resolve("s3://bucket/loans")
    assert LastroDatasetSource.from_json(source.to_json()).to_dict() == source.to_dict()


def test_a_workspace_that_moved_is_named_anew_and_another_ones_data_is_refused(tracked, tmp_path):
    source = LastroDatasetSource.of(tracked.workspace.version("loans@0"))
    moved = tracked.root.rename(tmp_path / "moved")

    assert source.load(moved).digest == source.digest
    other = LastroDatasetSource.from_dict(source.to_dict() | {"version": 1})
    with pytest.raises(ReplayError, match="loans@1 is not the version that was logged"):
        other.load(moved)


@pytest.mark.parametrize("change", [{"lastro": 2}, {"extra": 1}, {"lastro": None}])
def test_a_source_of_another_form_is_refused(tracked, change):
    source = LastroDatasetSource.of(tracked.workspace.version("loans@0"))

    with pytest.raises(UsageError):
        LastroDatasetSource.from_dict(source.to_dict() | change)
    with pytest.raises(NameRefused):
        LastroDatasetSource.from_dict(source.to_dict() | {"dataset": "../x"})


def test_mlflows_runs_lead_to_lastros_run(tracked):
    with tracked.workspace.run("train", inputs=["loans@approved"]) as run, mlflow.start_run() as inside:
        pass
    with mlflow.start_run() as outside:
        pass

    tags = logged(inside).data.tags
    assert (tags["lastro.run"], tags["lastro.inputs"]) == (run.id, "loans@0")
    assert tags["lastro.environment"] == run.record.environment.digest
    assert not [name for name in logged(outside).data.tags if name.startswith("lastro")]


def test_a_dataset_shows_its_schema_and_size(tracked):
    version = tracked.workspace.version("loans@0")

    dataset = LastroDataset(version)

    assert dataset.schema.input_names() == ["id", "uf", "income", "applied_at"]
    assert dataset.profile == {"rows": 3, "bytes": version.info.size}
    assert dataset.digest == version.digest[7:39]


@pytest.mark.parametrize(
    "program",
    [
        "import lastro.workspace.training.mlflow_source as ours, mlflow.data",
        "import mlflow.tracking.context.registry, lastro.workspace.training.mlflow_source as ours, mlflow.data",
    ],
)
def test_whoever_is_imported_first_mlflow_knows_us(program):
    check = (
        "\nassert ours.LastroDatasetSource in mlflow.data.get_registered_sources()"
        "\nassert mlflow.data.from_lastro is ours.from_lastro"
        "\nfrom mlflow.tracking.context.registry import _run_context_provider_registry as providers"
        "\nassert 'LastroRunContext' in [type(each).__name__ for each in providers]"
    )

    done = subprocess.run([sys.executable, "-W", "error", "-c", program + check], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr

"""MLflow's view of a version: a dataset whose source opens again as the very same version.

MLflow finds these through the entry points `mlflow.dataset_source` and `mlflow.dataset_constructor`, so that
`mlflow.log_input(mlflow.data.from_lastro(version))` records a version, and `mlflow.data.get_source(input).load()` opens
it again. The interface: https://mlflow.org/docs/latest/plugins. MLflow reads the constructor's return annotation as a
class; this module must therefore not postpone its annotations.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import lastro
from lastro.model.errors import ReplayError, UsageError
from lastro.model.reference import check_name
from lastro.model.schema import Primitive, Type
from lastro.model.text import _
from lastro.workspace.version import Version

if "mlflow" not in sys.modules:
    # MLflow asks for this module while it is itself being imported, and must find it whole. Out of the way, it is made
    # anew then; the import system answers with whatever stands in `sys.modules` at the end.
    del sys.modules[__name__]

from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source import DatasetSource

FORMAT = 1
SCHEME = "lastro:"
DIGEST_LENGTH = 32
"""MLflow's databases hold at most 36 characters of a digest; the whole one is in the source."""
_TYPES = {
    Primitive.LONG: "long",
    Primitive.INTEGER: "integer",
    Primitive.SHORT: "integer",
    Primitive.BYTE: "integer",
    Primitive.DOUBLE: "double",
    Primitive.FLOAT: "float",
    Primitive.BOOLEAN: "boolean",
    Primitive.STRING: "string",
    Primitive.BINARY: "binary",
    Primitive.DATE: "datetime",
    Primitive.TIMESTAMP: "datetime",
    Primitive.TIMESTAMP_NTZ: "datetime",
}


class LastroDatasetSource(DatasetSource):  # type: ignore[misc]  # MLflow is optional and not followed
    """Where a version is: the workspace's folder, the dataset, the number, and the digest that proves it."""

    def __init__(self, workspace: str, dataset: str, version: int, digest: str) -> None:
        self.workspace = workspace
        self.dataset = check_name(dataset)
        self.version = version
        self.digest = digest

    @classmethod
    def of(cls, version: Version) -> Self:
        """The source of an open version."""
        return cls(str(version.table.places.root), version.info.dataset, version.number, version.digest)

    @staticmethod
    def _get_source_type() -> str:
        return "lastro"

    @staticmethod
    def _can_resolve(raw_source: object) -> bool:
        return isinstance(raw_source, Version) or (isinstance(raw_source, str) and raw_source.startswith(SCHEME))

    @classmethod
    def _resolve(cls, raw_source: Any) -> Self:  # Any: a Version or a text
        return cls.of(_opened(raw_source))

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The source as plain values."""
        return {
            "lastro": FORMAT,
            "workspace": self.workspace,
            "dataset": self.dataset,
            "version": self.version,
            "digest": self.digest,
        }

    @classmethod
    def from_dict(cls, source_dict: Mapping[str, Any]) -> Self:  # Any: JSON values
        """Reads what `to_dict` gave. Raises `UsageError`, `NameRefused`."""
        content = {**source_dict}
        if content.pop("lastro", None) != FORMAT or set(content) != {"workspace", "dataset", "version", "digest"}:
            raise UsageError(
                _("this is not a source that Lastro of this version wrote"), do=_("upgrade Lastro, or open it by hand")
            )
        return cls(**content)

    def load(self, workspace: str | Path | None = None) -> Version:
        """Opens the version; `workspace` says where it is now, if its folder moved.

        Raises `ReplayError` if that number is another version there, and what `lastro.open` raises.
        """
        version = lastro.open(workspace or self.workspace).version(f"{self.dataset}@{self.version}")
        if version.digest != self.digest:
            raise ReplayError(
                _("{reference} is not the version that was logged").format(reference=version.reference),
                where=_("recorded {recorded}, found {found}").format(recorded=self.digest, found=version.digest),
                do=_("name the workspace it was logged from: load(workspace=…)"),
            )
        return version


class LastroDataset(Dataset):  # type: ignore[misc]  # MLflow is optional and not followed
    """A version as a dataset of an MLflow run."""

    def __init__(self, version: Version, *, name: str | None = None, digest: str | None = None) -> None:
        self._version = version
        super().__init__(LastroDatasetSource.of(version), name or version.info.dataset, digest)

    def _compute_digest(self) -> str:
        return self._version.digest.removeprefix("sha256:")[:DIGEST_LENGTH]

    @property
    def schema(self) -> Any:  # Any: a mlflow.types.Schema
        """The columns and their types; what MLflow has no name for (decimals, nested ones) is `any`."""
        from mlflow.types.schema import ColSpec
        from mlflow.types.schema import Schema as Columns

        return Columns(
            [ColSpec(_mlflow_type(field.type), field.name, not field.nullable) for field in self._version.schema.fields]
        )

    @property
    def profile(self) -> Any:  # Any: JSON values
        """Rows and bytes."""
        return {"rows": self._version.info.rows, "bytes": self._version.info.size}

    def to_dict(self) -> dict[str, str]:
        """Name, digest, source, schema and profile, each as text."""
        return {
            **super().to_dict(),
            "schema": json.dumps({"mlflow_colspec": self.schema.to_dict()}),
            "profile": json.dumps(self.profile),
        }


def from_lastro(version: Version | str, *, name: str | None = None, digest: str | None = None) -> LastroDataset:
    """A version – open, or as `lastro:FOLDER#loans@approved` – as a dataset for `mlflow.log_input`."""
    return LastroDataset(_opened(version), name=name, digest=digest)


def _opened(raw: Version | str) -> Version:
    if isinstance(raw, Version):
        return raw
    folder, mark, reference = raw.removeprefix(SCHEME).rpartition("#")
    if not mark:
        raise UsageError(
            _("{text!r} names no version").format(text=raw[:80]), do=_("write lastro:FOLDER#loans or …#loans@17")
        )
    return lastro.open(folder).version(reference)


def _mlflow_type(kind: Type) -> Any:  # Any: MLflow's own type
    from mlflow.types.schema import AnyType

    return _TYPES[kind] if isinstance(kind, Primitive) else AnyType()

"""Servers of a contract: found by name, with Lastro's own property; contracts of several schema objects."""

from __future__ import annotations

import pytest

from lastro.contract import load_all, parse
from lastro.contract.servers import server, server_names
from lastro.model.errors import ConfigurationError, ContractError, UnknownName

TEXT = """\
apiVersion: v3.2.0
kind: DataContract
id: shop
version: 1.0.0
status: active
servers:
  - {server: files, type: local, path: a.csv, format: csv}
  - server: other
    type: custom
    customProperties: [{property: source, vendor: lastro, value: {kind: sqlite, path: a.db}}]
schema:
  - name: loans
    properties: [{name: id, logicalType: integer}]
"""
MORE = "  - name: customers\n    properties: [{name: id, logicalType: integer}]\n"


def made(text=TEXT):
    return parse(text, name="shop.odcs.yaml")


def test_a_server_is_found_by_its_name():
    found = server(made(), "other")

    assert (found.name, found.type, found.source) == ("other", "custom", {"kind": "sqlite", "path": "a.db"})
    assert server_names(made()) == ("files", "other")


@pytest.mark.parametrize(
    ("text", "name", "error", "said"),
    [
        (TEXT, "file", UnknownName, "files"),
        (TEXT, "x\ny", UnknownName, "files, other"),
        (TEXT.replace("server: other", "server: files"), "files", ConfigurationError, "two servers"),
        (TEXT.replace("value: {kind: sqlite, path: a.db}", "value: sqlite"), "other", ConfigurationError, "mapping"),
    ],
)
def test_one_that_cannot_be_meant_is_refused(text, name, error, said):
    with pytest.raises(error) as caught:
        server(made(text), name)

    assert said in str(caught.value)


def test_a_property_of_ours_that_is_not_known_at_a_server_is_refused():
    with pytest.raises(ContractError, match="soure"):
        made(TEXT.replace("property: source", "property: soure"))


def test_a_contract_is_read_once_for_each_schema_object(tmp_path):
    path = tmp_path / "shop.odcs.yaml"
    path.write_text(TEXT + MORE)

    loans, customers = load_all(path)

    assert (loans.dataset, customers.dataset) == ("loans", "customers")
    assert loans.digest == customers.digest


def test_schema_objects_of_one_name_are_refused(tmp_path):
    path = tmp_path / "shop.odcs.yaml"
    path.write_text(TEXT + MORE.replace("customers", "loans"))

    with pytest.raises(ContractError):
        load_all(path)

"""Suggested rules stand where they belong, warn, and leave the rest of the text as it was."""

from __future__ import annotations

import pytest

from lastro.contract import parse
from lastro.contract.suggested import NewRule, with_rules
from lastro.model.errors import ContractError
from lastro.model.finding import Policy, Severity

TEXT = """\
# ours
version: 1.0.0
apiVersion: v3.2.0
kind: DataContract
id: loans
schema:
  - name: loans # the loans
    properties:
      - name: id
        logicalType: integer
        quality:
          - metric: nullValues # nobody
            mustBe: 0
      - name: uf
        logicalType: string   # a state

      # the end
"""
EVIDENCE = (("loans@0", "loans@3"), "no value was missing")
REQUIRED = {"metric": "nullValues", "mustBe": 0}


def test_rules_are_put_in_and_every_other_line_stays() -> None:
    before = parse(TEXT, name="loans.odcs.yaml")
    rules = [
        NewRule("id", {"metric": "duplicateValues", "mustBe": 0}, *EVIDENCE),
        NewRule("uf", REQUIRED, *EVIDENCE),
        NewRule(None, {"metric": "rowCount", "mustBeBetween": [1, 9]}, *EVIDENCE),
        NewRule("gone", REQUIRED, *EVIDENCE),
    ]

    after = with_rules(before, rules)

    lines = iter(after.text.splitlines())  # each is met once, in order
    assert all(line in lines for line in TEXT.replace("1.0.0", "1.1.0").splitlines())
    assert after.version == "1.1.0"
    assert '                  from:\n                    - "loans@0"\n' in after.text


def test_suggested_rules_only_warn_even_where_the_dataset_says_fail() -> None:
    before = parse(
        TEXT.replace(
            "    properties:\n",
            "    customProperties: [{property: policy, value: fail, vendor: lastro}]\n    properties:\n",
        ),
        name="loans.odcs.yaml",
    )

    rows = NewRule(None, {"metric": "rowCount", "mustBe": 3}, *EVIDENCE)
    plan = with_rules(before, [NewRule("uf", REQUIRED, *EVIDENCE), rows]).plan()

    row, table = plan.row_rules[-1], plan.table_rules[-1]
    assert (row.name, row.policy, row.severity) == ("uf.nullValues", Policy.WARN, Severity.WARNING)
    assert (table.name, table.policy, table.severity) == ("rowCount", Policy.WARN, Severity.WARNING)
    assert plan.columns[1].nullable


def test_a_column_on_one_line_is_written_anew() -> None:
    before = parse(TEXT + "      - {name: x, logicalType: string} # mine\n", name="loans.odcs.yaml")

    after = with_rules(before, [NewRule("x", REQUIRED, *EVIDENCE)])

    assert after.plan().row_rules[-1].name == "x.nullValues"
    assert "# mine" in after.text


def test_nothing_to_add_leaves_the_contract_as_it_is() -> None:
    before = parse(TEXT, name="loans.odcs.yaml")

    assert with_rules(before, []) is before


def test_the_mark_belongs_to_rules() -> None:
    wrong = TEXT.replace(
        "   # a state\n", "\n        customProperties: [{property: suggested, value: {}, vendor: lastro}]\n"
    )

    with pytest.raises(ContractError, match="no property suggested here"):
        parse(wrong, name="loans.odcs.yaml")

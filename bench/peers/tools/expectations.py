"""Great Expectations on a pandas frame; the failing rows are those of the complete results, written to a file.

It knows no expression over several columns of a frame: what a total differs by is a column made beforehand.
"""

from __future__ import annotations

import sys

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd

from bench.peers import planted
from bench.peers.tools import said


def check(source: str, target: str) -> None:
    """Every check, and the rows that fail one."""
    frame = pd.read_parquet(source)
    frame["apart"] = (frame["total"] - frame["amount"] * frame["quantity"] * (1 - frame["discount"])).abs()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batches = context.data_sources.add_pandas("bench").add_dataframe_asset("orders")
    batch = batches.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    asked = _expectations()
    suite = gx.ExpectationSuite("orders", expectations=list(asked.values()))
    found = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    names = {_identity(expectation.configuration): name for name, expectation in asked.items()}
    counts, places = {}, set()
    for each in found.results:
        name = names[_identity(each.expectation_config)]
        counts[name] = not each.success if name in planted.WHOLE else each.result["unexpected_count"]
        places.update(each.result.get("unexpected_index_list") or ())
    failing = frame.iloc[sorted(places)].drop(columns="apart")
    failing.to_parquet(target)
    said(counts=counts, set_aside=len(failing))


def _identity(configuration: object) -> str:
    told = {key: value for key, value in configuration.kwargs.items() if key != "batch_id"}
    return f"{configuration.type} {sorted(told.items())}"


def _expectations() -> dict[str, object]:
    asked = {f"{name}.missing": gxe.ExpectColumnValuesToNotBeNull(column=name) for name in planted.REQUIRED}
    asked["order_id.unique"] = gxe.ExpectColumnValuesToBeUnique(column="order_id")
    for name, values in planted.LISTED.items():
        asked[f"{name}.listed"] = gxe.ExpectColumnValuesToBeInSet(column=name, value_set=list(values))
    for name, pattern in planted.PATTERNS.items():
        asked[f"{name}.pattern"] = gxe.ExpectColumnValuesToMatchRegex(column=name, regex=f"^{pattern}$")
    for name, (least, most) in planted.RANGES.items():
        asked[f"{name}.range"] = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=least, max_value=most)
    asked["updated_after"] = gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="updated_at", column_B="ordered_at", or_equal=True, ignore_row_if="either_value_is_missing"
    )
    asked["total_adds_up"] = gxe.ExpectColumnValuesToBeBetween(column="apart", max_value=planted.TOTAL_APART)
    asked["rows"] = gxe.ExpectTableRowCountToBeBetween(min_value=planted.ROWS_MIN + 1)
    low, high = planted.SCORE
    asked["usual_score"] = gxe.ExpectColumnMeanToBeBetween(column="score", min_value=low, max_value=high)
    return asked


if __name__ == "__main__":
    check(*sys.argv[1:])

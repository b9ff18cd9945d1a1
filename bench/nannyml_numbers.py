"""What NannyML says, as JSON: `python nannyml_numbers.py MADE.csv OUT.json`, run in NannyML's own environment.

Its bundled data is counted by equal rows: scores there have two decimals, so that little is left of 120,000 rows.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import nannyml
import pandas as pd

METRICS = ["accuracy", "precision", "recall", "f1", "roc_auc"]
ERRORS = ["mae", "rmse"]
CARDS = ["highstreet_card", "prepaid_card", "upmarket_card"]
CAR = ["car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission"]


def numbers(result: Any, metrics: list[str]) -> list[dict[str, list[float]]]:
    """By chunk and metric: the estimate, and the confidence band around it."""
    table = result.filter(period="analysis").to_df()
    names = ("value", "lower_confidence_boundary", "upper_confidence_boundary")
    return [
        {metric: [float(table[(metric, name)].iloc[place]) for name in names] for metric in metrics}
        for place in range(len(table))
    ]


def hundredths(frame: Any, column: str) -> list[int]:
    """Scores as whole numbers; they have two decimals."""
    found = (frame[column] * 100).round().astype(int)
    if ((frame[column] * 100 - found).abs() > 1e-9).any():
        raise ValueError(f"{column} has more than two decimals")
    return [int(each) for each in found]


def known(reference: Any, scores: dict[Any, str], label: str) -> list[list[list[int]]]:
    """For each class, of each score how many rows have it, and how many of these are of the class."""
    found = []
    for name, column in scores.items():
        given = hundredths(reference, column)
        rows = Counter(given)
        hits = Counter(score for score, one in zip(given, reference[label], strict=True) if one == name)
        found.append([[score, rows[score], hits[score]] for score in sorted(rows)])
    return found


def counted(chunk: Any, scores: dict[Any, str], order: list[Any]) -> list[list[int]]:
    """Each different row of scores and prediction, with how often it is there."""
    columns = [hundredths(chunk, column) for column in scores.values()]
    rows = Counter(zip(*columns, [order.index(one) for one in chunk["y_pred"]], strict=True))
    return [[*row, count] for row, count in sorted(rows.items())]


def classes(load: Any, scores: dict[Any, str], label: str, size: int) -> dict[str, Any]:
    reference, analysis, _truth = load()
    two = len(scores) == 1
    estimator = nannyml.CBPE(
        metrics=METRICS,
        y_pred_proba=next(iter(scores.values())) if two else scores,
        y_pred="y_pred",
        y_true=label,
        problem_type="classification_binary" if two else "classification_multiclass",
        chunk_size=size,
    )
    estimator.fit(reference)
    chunks = [analysis[start : start + size] for start in range(0, len(analysis), size)]
    order = [0, 1] if two else list(scores)
    return {
        "reference": known(reference, scores, label),
        "chunks": [counted(chunk, scores, order) for chunk in chunks],
        "nannyml": numbers(estimator.estimate(analysis), METRICS),
    }


def errors(reference: Any, analysis: Any, features: list[str], size: int) -> list[dict[str, list[float]]]:
    estimator = nannyml.DLE(
        feature_column_names=features, y_pred="y_pred", y_true="y_true", metrics=ERRORS, chunk_size=size
    )
    estimator.fit(reference)
    return numbers(estimator.estimate(analysis), ERRORS)


def main(made: str, out: str) -> None:
    warnings.simplefilter("ignore")
    own = pd.read_csv(made)
    own_reference = own[own["side"] == "reference"]
    own_analysis = own[own["side"] == "analysis"].drop(columns="y_true")
    reference, analysis, _truth = nannyml.load_synthetic_car_price_dataset()
    found = {
        "version": nannyml.__version__,
        "car_loan": classes(nannyml.load_synthetic_car_loan_dataset, {1: "y_pred_proba"}, "repaid", 5000),
        "cards": classes(
            nannyml.load_synthetic_multiclass_classification_dataset,
            {card: f"y_pred_proba_{card}" for card in CARDS},
            "y_true",
            6000,
        ),
        "car_price": {
            "rows": {
                "reference": reference[[*CAR, "y_pred", "y_true"]].to_dict("list"),
                "analysis": analysis[[*CAR, "y_pred"]].to_dict("list"),
            },
            "nannyml": errors(reference, analysis, CAR, 6000),
        },
        "made": {"nannyml": errors(own_reference, own_analysis, ["size", "age", "kind"], 500)},
    }
    with Path(out).open("w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])

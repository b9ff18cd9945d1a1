"""`lastro performance`: what is printed, what is written, what is refused, and which code it ends with."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Lastro
from tests.workspace.predictions import CLASSES, NUMBERS, Predictions, judged, measured

COLUMNS = ("--prediction", "predicted", "--label", "actual")
ASKED = ("performance", "scored", "--reference", "0", "--since", "0", *COLUMNS)
SCORED = (*ASKED, "--score", "score")


def made(root: Path, columns: dict[str, str], *batches: dict[str, object], more: str = "") -> Predictions:
    """A workspace with these versions; works there from now on (every test's folder is given back)."""
    lake = Predictions(root / "lake", columns, more=more)
    for batch in batches:
        lake.add(batch)
    return lake


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lake").mkdir()
    monkeypatch.chdir(tmp_path / "lake")
    return tmp_path


def standings(found: dict, way: str) -> set[str]:
    return {change["standing"] for change in found[way]}


def test_harder_rows_are_told_before_their_labels_arrive(there: Path, lastro: Lastro) -> None:
    lake = made(there, CLASSES, judged(1, 3000), judged(2, 3000, low=0.3, high=0.7, labelled=0.0))

    ended, found = lastro(*SCORED), lastro(*SCORED, "--json").json

    assert ended.code == 1
    assert ended.last.startswith("worse than the reference, as is expected before labels arrive: ")
    assert "concept drift" in ended.out
    assert found["schema"] == "lastro.performance/1"
    assert found["rows"]["current"] == {"rows": 3000, "labelled": 0, "troubles": {}, "waiting": 3000}
    assert found["realised"] == []
    assert standings(found, "expected") == {"worse"}
    assert found["drift"]["columns"][0]["name"] == "score"
    truth = judged(2, 3000, low=0.3, high=0.7)
    right = np.mean(np.asarray(truth["actual"]) == np.asarray(truth["predicted"]))
    assert found["expected"][0]["metric"] == "accuracy"
    assert found["expected"][0]["now"]["value"] == pytest.approx(right, abs=0.03)
    report = lake.dataset.performance("0", prediction="predicted", label="actual", score="score")
    assert "worse" in repr(report)
    assert "ROC AUC" in report._repr_html_()


def test_equal_rows_are_no_worse(there: Path, lastro: Lastro) -> None:
    made(there, CLASSES, judged(1, 6000), judged(3, 6000, labelled=0.5))

    ended = lastro(*SCORED, "--margin", "10%")
    found = lastro(*SCORED, "--margin", "10%", "--json").json

    assert ended.code == 0
    assert ended.last.startswith("no worse than the reference: ")
    assert standings(found, "realised") == standings(found, "expected") == {"no worse"}
    assert found["notes"] == []


def test_other_labels_of_the_same_rows_are_seen_by_labels_only(there: Path, lastro: Lastro) -> None:
    made(there, CLASSES, judged(1, 4000), judged(4, 4000, labelled=0.5, turned=0.3))

    ended, found = lastro(*SCORED), lastro(*SCORED, "--json").json

    assert ended.code == 1
    assert standings(found, "realised") == {"worse"}
    assert "worse" not in standings(found, "expected")
    assert found["notes"] == ["scores mean something else"]
    assert "scores no longer mean what they meant" in " ".join(ended.out.split())


def test_a_page_is_written(there: Path, lastro: Lastro, tmp_path: Path) -> None:
    made(there, CLASSES, judged(1, 500), judged(2, 500))
    page = tmp_path / "performance.html"

    ended = lastro(*SCORED, "--html", str(page))

    assert "accuracy" in page.read_text()
    assert "performance.html" in ended.last
    assert len(page.read_bytes()) < 100_000


def test_only_the_chosen_metrics_decide(there: Path, lastro: Lastro) -> None:
    made(there, CLASSES, judged(1, 500), judged(2, 500))

    found = lastro(*SCORED, "--metric", "recall", "--json").json

    assert [change["metric"] for change in found["realised"]] == ["recall"]
    assert lastro(*SCORED, "--metric", "mae").code == 2
    assert lastro(*SCORED, "--metric", "beauty").code == 2


def test_a_window_of_time_is_judged(there: Path, lastro: Lastro) -> None:
    days = [date(2026, 1, 1) + timedelta(days=place // 100) for place in range(1000)]
    rows = judged(1, 1000)
    rows["actual"] = [one if day < date(2026, 1, 8) else None for one, day in zip(rows["actual"], days, strict=True)]
    made(there, {**CLASSES, "day": "logicalType: date"}, {**rows, "day": days})

    found = lastro(
        *("performance", "scored", "--reference", "0", *COLUMNS, "--score", "score"),
        *("--since", "2026-01-06", "--time", "day", "--json"),
    ).json

    assert found["rows"]["current"]["rows"] == 500
    assert found["rows"]["current"]["labelled"] == 200
    assert found["rows"]["reference"] == {"rows": 1000, "labelled": 700, "troubles": {}}


def test_each_period_is_told(there: Path, lastro: Lastro) -> None:
    first, late = judged(1, 1500), judged(2, 1500, low=0.45, high=0.55, labelled=0.5)
    rows = {name: [*first[name], *late[name]] for name in first}
    days = [date(2026, 1, 1) + timedelta(days=place // 100) for place in range(3000)]
    made(there, {**CLASSES, "day": "logicalType: date"}, {**rows, "day": days})
    asked = ("performance", "scored", "--reference", "0", *COLUMNS, "--score", "score", "--since", "2026-01-06")

    ended = lastro(*asked, "--time", "day", "--by-period", "10d")
    found = lastro(*asked, "--time", "day", "--by-period", "10d", "--json").json

    assert [(part["start"][:10], part["rows"]["rows"]) for part in found["periods"]] == [
        ("2026-01-06", 1000),
        ("2026-01-16", 1000),
        ("2026-01-26", 500),
    ]
    assert "worse" not in standings(found["periods"][0], "realised")
    assert "worse" in standings(found["periods"][1], "realised")
    assert found["periods"][0]["expected"] == []
    assert "By period: accuracy" in ended.out
    assert "2026-01-16 00:00" in ended.out
    assert lastro(*asked, "--by-period", "10d").code == 2
    assert "more than 100 periods" in lastro(*asked, "--time", "day", "--by-period", "1h").err


KINDS = {
    "numbers and texts": (int, lambda value: f" {value}.0 "),
    "truth values and texts": (bool, lambda value: "True" if value else "FALSE"),
    "truth values and numbers": (bool, int),
    "numbers and floats": (int, float),
    "truth values": (bool, bool),
}
TYPES = {int: "integer", bool: "boolean", float: "number", str: "string"}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_another_type_than_predictions_are_compared(there: Path, lastro: Lastro, kind: str) -> None:
    predicted, actual = KINDS[kind]
    columns = {
        "predicted": f"logicalType: {TYPES[type(predicted(1))]}",
        "actual": f"logicalType: {TYPES[type(actual(1))]}",
        "score": "logicalType: number",
    }
    batches = [
        {
            "predicted": [predicted(one) for one in rows["predicted"]],
            "actual": [None if one is None else actual(one) for one in rows["actual"]],
            "score": rows["score"],
        }
        for rows in (judged(1, 800), judged(2, 800, labelled=0.5))
    ]
    made(there, columns, *batches)

    found = lastro(*SCORED, "--json").json

    truth = judged(1, 800)
    right = np.mean(np.asarray(truth["actual"]) == np.asarray(truth["predicted"]))
    assert found["realised"][0]["reference"]["value"] == pytest.approx(right)
    assert found["positive"] in {"1", "true"}
    differ = kind not in {"numbers and floats", "truth values"}
    assert found["notes"] == (["types differ"] if differ else [])


def three(seed: int, rows: int, labelled: float = 1.0) -> dict[str, object]:
    draws = np.random.default_rng(seed)
    chances = draws.dirichlet([1, 1, 0.5], rows)
    labels = (draws.random((rows, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    names = np.asarray(["car", "home", "none at all"])
    known = draws.random(rows) < labelled
    return {
        "predicted": names[chances.argmax(axis=1)].tolist(),
        "actual": [name if is_known else None for name, is_known in zip(names[labels].tolist(), known, strict=True)],
        **{f"p{place}": chances[:, place].tolist() for place in range(3)},
    }


THREE = {"predicted": "logicalType: string", "actual": "logicalType: string"} | {
    f"p{place}": "logicalType: number" for place in range(3)
}
OF = ("--score-of", "car=p0", "--score-of", "home=p1", "--score-of", "none at all=p2")


def test_several_classes_have_means_over_classes(there: Path, lastro: Lastro) -> None:
    made(there, THREE, three(1, 2000), three(2, 2000, labelled=0.3))

    ended, found = lastro(*ASKED, *OF), lastro(*ASKED, *OF, "--json").json

    assert ended.code == 0
    assert found["classes"] == ["car", "home", "none at all"]
    assert {change["metric"] for change in found["expected"]} == {"accuracy", "precision", "recall", "f1", "roc_auc"}
    assert "means over the classes car, home, none at all" in " ".join(ended.out.split())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--score-of", "car=p0", "--score-of", "home=p1"), "1 class has no score"),
        (("--score-of", "car=p0"), "one score tells two classes apart, and there are 3"),
        (("--score", "p0"), "of which class is the score?"),
        (("--score", "p0", *OF), "both name scores"),
        (("--score-of", "p0"), "is no class's score"),
        (("--score", "nowhere"), "has no column 'nowhere'"),
        (("--score", "predicted"), "holds no such thing"),
        (("--task", "magic"), "neither a metric nor a task"),
        (("--margin", "100%"), "makes no sense"),
        (("--window", "7d"), "since and window both say"),
    ],
)
def test_what_does_not_fit_is_refused(there: Path, lastro: Lastro, more: tuple[str, ...], said: str) -> None:
    made(there, THREE, three(1, 100), three(2, 50))

    ended = lastro(*ASKED, *more)

    assert ended.code == 2
    assert said in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("labels", "said"),
    [([None] * 40, "the reference has no labels"), ([1] * 40, "the labels of the reference are all of one class")],
)
def test_a_reference_that_tells_nothing_is_refused(
    there: Path, lastro: Lastro, labels: list[int | None], said: str
) -> None:
    made(there, CLASSES, {**judged(1, 40), "actual": labels}, judged(2, 40))

    ended = lastro(*SCORED)

    assert ended.code == 2
    assert said in ended.err


def test_too_many_classes_are_no_classes(there: Path, lastro: Lastro) -> None:
    rows = {"predicted": list(range(200)), "actual": list(range(200)), "score": [0.5] * 200}
    made(there, CLASSES, rows, rows)

    assert "more than 50 classes" in lastro(*SCORED).err


def test_rows_that_count_nowhere_are_told(there: Path, lastro: Lastro) -> None:
    rows = judged(2, 10, labelled=0.0)
    rows["score"] = [math.nan, None, -0.1, 1.1, math.inf, *rows["score"][5:]]
    rows["predicted"] = [*rows["predicted"][:8], None, 7]
    rows["actual"] = [5, *rows["actual"][1:]]
    made(there, CLASSES, judged(1, 400), rows)

    ended, found = lastro(*SCORED), lastro(*SCORED, "--json").json

    assert found["rows"]["current"]["troubles"] == {
        "no prediction": 1,
        "new prediction": 1,
        "new label": 1,
        "no score": 2,
        "score outside 0 to 1": 3,
    }
    assert "now – rows with a score below 0 or above 1, of which nothing is expected: 3 (30 %)" in " ".join(
        ended.out.split()
    )
    assert found["realised"][0]["now"]["value"] == 0.0


def test_scores_beyond_the_references_are_a_guess(there: Path, lastro: Lastro) -> None:
    made(there, CLASSES, judged(1, 500, low=0.3, high=0.7), judged(2, 500, low=0.8, high=1.0, labelled=0.0))

    found = lastro(*SCORED, "--json").json

    assert found["rows"]["current"]["troubles"] == {"score beyond the reference's": 500}


def test_scores_that_are_none_are_refused(there: Path, lastro: Lastro) -> None:
    rows = judged(1, 100)
    rows["score"] = [100.0 * score + 2 for score in rows["score"]]
    made(there, CLASSES, rows, rows)

    ended = lastro(*SCORED)

    assert ended.code == 2
    assert "scores from 0 to 1" in ended.err


def test_no_rows_are_no_silent_pass(there: Path, lastro: Lastro) -> None:
    made(there, CLASSES, judged(1, 100))

    ended = lastro(*SCORED)

    assert ended.code == 1
    assert ended.last.startswith("there are no rows to judge")


def test_without_scores_only_labels_tell(there: Path, lastro: Lastro) -> None:
    made(there, CLASSES, judged(1, 300), judged(2, 300, labelled=0.0))

    ended = lastro(*ASKED)

    assert ended.code == 1
    assert ended.last.startswith("nothing is known of how good these predictions are")
    assert "--score" in ended.out


def test_withheld_columns_are_only_counted(there: Path, lastro: Lastro) -> None:
    secret = {name: f"{rest}, classification: restricted" for name, rest in THREE.items()}
    made(there, secret, three(1, 500), three(2, 500, labelled=0.5))
    page = there / "page.html"

    texts = [
        ended.out + ended.err
        for ended in (
            lastro(*ASKED, *OF, "--html", str(page)),
            lastro(*ASKED, *OF, "--json"),
            lastro(*ASKED, "--score", "p0"),
            lastro(*ASKED, *OF[:2]),
            lastro(*ASKED, *OF[:4]),
        )
    ]

    for text in (*texts, page.read_text()):
        assert "none at all" not in text
        assert "home" not in text
    assert '"accuracy"' in texts[1]


def test_larger_errors_are_told_before_their_labels_arrive(there: Path, lastro: Lastro) -> None:
    made(there, NUMBERS, measured(1, 1500), measured(2, 1500, large=0.95, labelled=0.2))

    ended = lastro(*ASKED, "--json")

    found = ended.json
    assert ended.code == 1
    assert found["task"] == "regression"
    assert standings(found, "expected") == {"worse"}
    assert found["learning"]["columns"] == ["predicted", "size", "kind"]
    assert found["learning"]["left_out"] == {"id": "a key"}
    assert found["learning"]["explained"] > 0.3
    truth = measured(2, 1500, large=0.95)
    error = np.abs(np.asarray(truth["actual"]) - np.asarray(truth["predicted"])).mean()
    assert found["expected"][0]["now"]["value"] == pytest.approx(error, rel=0.12)


def test_ugly_numbers_are_counted_and_change_nothing(there: Path, lastro: Lastro) -> None:
    rows = measured(2, 60)
    rows["predicted"] = [math.inf, math.nan, None, 1e300, *rows["predicted"][4:]]
    rows["kind"] = [None, "", "never seen", *rows["kind"][3:]]
    made(there, NUMBERS, measured(1, 200), rows)

    found = lastro(*ASKED, "--json").json

    assert found["rows"]["current"]["troubles"] == {"no prediction": 2, "not finite": 2}
    assert all(math.isfinite(change["now"]["value"]) for change in found["realised"])


def test_few_labels_teach_nothing(there: Path, lastro: Lastro) -> None:
    made(there, NUMBERS, measured(1, 30), measured(2, 30, labelled=0.0))

    ended = lastro(*ASKED, "--json")

    assert ended.code == 1
    assert ended.json["notes"] == ["few labels"]
    assert ended.json["standing"] == "unknown"


def test_withheld_columns_are_not_learned_from_unless_they_are_named(there: Path, lastro: Lastro) -> None:
    made(
        there,
        {**NUMBERS, "size": "logicalType: number, classification: restricted"},
        measured(1, 200),
        measured(2, 200, labelled=0.0),
    )

    usual, named = lastro(*ASKED, "--json").json, lastro(*ASKED, "--feature", "size", "--json").json

    assert usual["learning"]["left_out"] == {"id": "a key", "size": "withheld"}
    assert named["learning"]["columns"] == ["predicted", "size"]
    assert lastro(*ASKED, "--feature", "actual").code == 2


def test_a_feature_without_any_value_teaches_nothing_and_breaks_nothing(there: Path, lastro: Lastro) -> None:
    rows = [{**measured(seed, 600), "void": np.full(600, np.nan)} for seed in (1, 2)]
    made(there, {**NUMBERS, "void": "logicalType: number"}, *rows)

    assert lastro(*ASKED).code == 0


def test_texts_are_no_numbers_to_a_regression(there: Path, lastro: Lastro) -> None:
    rows = {**measured(1, 100), "actual": ["x"] * 100}
    made(there, {**NUMBERS, "actual": "logicalType: string"}, rows, rows)
    ended = lastro(*ASKED, "--task", "regression")

    assert ended.code == 2
    assert "actual is string, and a regression is about numbers" in ended.err

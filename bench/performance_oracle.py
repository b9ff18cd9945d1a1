"""`python -m bench.performance_oracle [--python PYTHON] [--record]`: our CBPE and DLE beside NannyML's.

Rules:

1. NannyML runs in an environment of its own, made here: it needs an older Python (3.9 to 3.12) and older libraries.
2. Both estimate the same chunks of NannyML's bundled data, and of a regression that is made here. Ours is right if it
   lies within NannyML's own confidence band, which is three standard errors to either side.
3. `--record` writes the small file that the test suite holds ours to: NannyML's numbers, its data counted by equal rows
   (of the several classes, some chunks), and of the regression only how it is made; and the table in the page.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from bench.process import ROOT
from lastro.drift.losses import estimate, learned
from lastro.drift.metrics import Errors, Measured, Metric, of_classes, of_errors
from lastro.drift.performance import calibrated
from lastro.drift.tally import Tally, cells_of, empty

PAGE = ROOT / "docs" / "explanation" / "drift.md"
BEGIN, END = "<!-- oracle: begin -->", "<!-- oracle: end -->"
FILE = ROOT / "tests" / "drift" / "nannyml.json"
NEEDS = ("nannyml==0.13.1", "statsmodels<0.15", "pandas<3", "numpy<2.4", "setuptools<81")
LEARN_ROWS = 50_000
KEPT_CHUNKS = (9,)
"""Of the several classes, these chunks are kept in the small file: the last, which has drifted."""
MADE_ROWS, MADE_CHUNK, MADE_CHUNKS = 3000, 500, 4
Chunks = Sequence[Mapping[str, Sequence[float]]]


def made() -> dict[str, np.ndarray]:
    """A regression whose errors depend on the row; in the second half of the analysis large rows are many.

    Uniform draws of PCG64 and a closed form make it, so that it is the same with every release.
    """
    count = MADE_ROWS + MADE_CHUNK * MADE_CHUNKS
    draws = np.random.Generator(np.random.PCG64(20261126)).random((count, 5))
    late = np.arange(count) >= MADE_ROWS + MADE_CHUNK * MADE_CHUNKS // 2
    large = draws[:, 0] < np.where(late, 0.8, 0.3)
    odd = draws[:, 1] < 0.5
    error = ndtri(draws[:, 2]) * np.where(large, 5.0, 1.0) * np.where(odd, 2.0, 1.0)
    truth = 100 + 20 * ndtri(draws[:, 3])
    return {
        "size": np.where(large, 10.0, 1.0),
        "age": draws[:, 4],
        "kind": odd.astype(float),
        "y_pred": truth + error,
        "y_true": truth,
    }


def of_counted(case: Mapping[str, Any]) -> list[Measured]:
    """Ours on rows counted by equal ones, scores in hundredths: the metrics that are expected of each chunk."""
    reference = _known(case["reference"])
    calibration, found = calibrated(reference), []
    for chunk in case["chunks"]:
        table = np.asarray(chunk)
        rows = np.repeat(table[:, :-1], table[:, -1], axis=0)
        given = rows[:, :-1] / 100
        scores = np.hstack([1 - given, given]) if given.shape[1] == 1 else given
        tally = empty(reference.classes)
        tally.expect(calibration.chances(scores), rows[:, -1], scores)
        positive = 1 if given.shape[1] == 1 else None
        found.append(of_classes(tally, 3.0, positive=positive, among=frozenset(range(reference.classes))))
    return found


def _known(counted: Sequence[Sequence[Sequence[int]]]) -> Tally:
    """The reference's scores; of two classes those of the second are given."""
    classes = [np.asarray(each) for each in counted]
    if len(classes) == 1:
        score, rows, hits = classes[0].T
        classes.insert(0, np.stack([100 - score, rows, rows - hits], axis=1))
    found = empty(len(classes))
    for place, each in enumerate(classes):
        score, rows, hits = each.T
        cells = cells_of(score / 100)
        for counts, times in ((found.rows, rows), (found.hits, hits), (found.sums, rows * score / 100)):
            np.add.at(counts[place], cells, times)
    return found


def of_numbers(
    reference: Mapping[str, np.ndarray], analysis: Mapping[str, np.ndarray], texts: Sequence[str], size: int
) -> list[Measured]:
    """Ours on a regression: the errors that are expected of each chunk; `texts` are the columns that are codes."""
    names = [name for name in reference if name != "y_true"]
    errors = np.asarray(reference["y_pred"]) - np.asarray(reference["y_true"])
    drawn = np.random.default_rng(0).random(len(errors)) * len(errors) < LEARN_ROWS
    matrix, other = (
        np.stack([np.asarray(side[name], float) for name in names], axis=1) for side in (reference, analysis)
    )
    model = learned(matrix[drawn], errors[drawn], [name in texts for name in names])
    spread = Errors().plus(errors)
    found = []
    for start in range(0, len(other), size):
        chunk = other[start : start + size]
        expected, doubt = estimate(len(chunk), model.expected(chunk))
        found.append(of_errors(expected, 3.0, spread=spread, doubt=doubt))
    return found


def apart(ours: Sequence[Measured], theirs: Chunks) -> dict[Metric, float]:
    """By metric, how far ours is from theirs at most, in parts of the half width of their band: within it below 1."""
    found: dict[Metric, float] = {}
    for mine, chunk in zip(ours, theirs, strict=True):
        for name, (value, low, high) in chunk.items():
            metric = Metric(name)
            off = mine[metric].value - value
            part = off / (high - value) if off > 0 else off / (low - value)
            found[metric] = max(found.get(metric, 0.0), part)
    return found


def main() -> int:
    """Measures, prints and records; the exit code is 1 if an estimate of ours is outside of NannyML's band."""
    parser = argparse.ArgumentParser(prog="python -m bench.performance_oracle", description=__doc__)
    parser.add_argument("--python", default=_older(), help="an interpreter that NannyML runs on")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lastro-oracle-") as folder:
        theirs = _asked(Path(folder), given.python)
    lines = list(_table(theirs))
    print("\n".join(lines))
    if given.record:
        _record(theirs, lines)
    return int(any(" no |" in line for line in lines))


def _older() -> str | None:
    found = (shutil.which(f"python3.{minor}") for minor in (12, 11, 10))
    return next((each for each in found if each and not subprocess.run([each, "-c", ""], check=False).returncode), None)


def _asked(folder: Path, python: str | None) -> dict[str, Any]:
    """NannyML's numbers, from an environment that is made in this folder."""
    if python is None:
        raise SystemExit("NannyML needs a Python from 3.9 to 3.12: --python PYTHON")
    subprocess.run([python, "-m", "venv", folder / "env"], check=True)
    own = folder / "env" / "bin" / "python"
    subprocess.run([own, "-m", "pip", "install", "--quiet", *NEEDS], check=True)
    columns = made()
    with (folder / "made.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["side", *columns])
        for place, row in enumerate(zip(*columns.values(), strict=True)):
            writer.writerow(["reference" if place < MADE_ROWS else "analysis", *row])
    script = ROOT / "bench" / "nannyml_numbers.py"
    environment = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"}
    subprocess.run(
        [own, script, folder / "made.csv", folder / "out.json"],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found: dict[str, Any] = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    return found


def _table(theirs: Mapping[str, Any]) -> Iterator[str]:
    yield "| data | metric | chunks | farthest from NannyML's, in parts of its band | within |"
    yield "|---|---|---|---|---|"
    cases = {f"{name}, CBPE": (theirs[name]["nannyml"], of_counted(theirs[name])) for name in ("car_loan", "cards")}
    rows = {side: _numbered(columns) for side, columns in theirs["car_price"]["rows"].items()}
    ours = of_numbers(rows["reference"], rows["analysis"], ("fuel", "transmission"), 6000)
    cases["car_price, DLE"] = (theirs["car_price"]["nannyml"], ours)
    cases["made here, DLE"] = (theirs["made"]["nannyml"], of_made())
    for name, (numbers, mine) in cases.items():
        for metric, part in apart(mine, numbers).items():
            yield f"| {name} | {metric} | {len(numbers)} | {part:.3f} | {'yes' if part <= 1 else 'no'} |"


def of_made() -> list[Measured]:
    """Ours on the regression that is made here."""
    columns = made()
    parts = (
        {name: values[part] for name, values in columns.items()} for part in (slice(MADE_ROWS), slice(MADE_ROWS, None))
    )
    return of_numbers(*parts, ("kind",), MADE_CHUNK)


def _numbered(columns: Mapping[str, Sequence[Any]]) -> dict[str, np.ndarray]:
    """Columns as numbers, texts as codes in the order of their names."""
    found = {}
    for name, values in columns.items():
        array = np.asarray(values)
        found[name] = array.astype(float) if array.dtype.kind in "fiub" else np.unique(array, return_inverse=True)[1]
    return found


def _record(theirs: Mapping[str, Any], lines: Sequence[str]) -> None:
    cards = {name: theirs["cards"][name] for name in ("reference",)}
    cards |= {name: [theirs["cards"][name][place] for place in KEPT_CHUNKS] for name in ("chunks", "nannyml")}
    kept = {
        "how": "python -m bench.performance_oracle --record",
        "source": f"NannyML {theirs['version']} (Apache-2.0, NannyML NV): its estimates and bands, and its bundled "
        "synthetic car loans and cards, counted by equal rows; of the cards the last chunk",
        "car_loan": theirs["car_loan"],
        "cards": cards,
        "made": theirs["made"],
    }
    FILE.write_text(json.dumps(kept, separators=(",", ":")) + "\n", encoding="utf-8")
    head, _begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

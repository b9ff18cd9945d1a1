"""The vault: what governed ingestion costs with tokens in the places of identifiers, and what turning keys costs."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.data import FOLDER, csv
from bench.figure import Figure, Size, versus
from bench.governed import workspace
from bench.process import alternate, cpu, side
from lastro.engine.duck.parquet import Writer, batches
from lastro.engine.encrypted import Sealing
from lastro.privacy.columns import VaultColumnKeys
from lastro.privacy.keys import KeyFor
from lastro.privacy.root import RootAt
from lastro.privacy.rotation import turn
from lastro.privacy.vault import Vault

ROWS_PER_PERSON = 10
RATIO = 2.0
ENCRYPTED_RATIO = 1.1
_SUBJECT = """\
    logicalType: object
    customProperties:
      - {property: subject, value: document, vendor: lastro}
"""
_OTHERS = re.compile(r"^      - name: (?!document$).*\n", re.MULTILINE)
_FEATURE = r"\g<0>        customProperties: [{property: personal, value: feature, vendor: lastro}]" "\n"
_TOKEN = """\
      - name: document
        logicalType: string
        customProperties:
          - {property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}
          - {property: protection, value: token, vendor: lastro}
"""


def figures(size: Size) -> Iterator[Figure]:
    """Three figures; data and workspaces lie in `bench/data`."""
    yield _ingestion(size, classified=True)
    yield _ingestion(size, classified=False)
    yield _encryption(size)
    yield _rotation(size)


def _ingestion(size: Size, *, classified: bool) -> Figure:
    source = _people(size.rows)
    plain = side("governed_ingest", FOLDER / "vault-plain", before=lambda: workspace("vault-plain", source))
    shut = side("governed_ingest", FOLDER / "vault-tokens", before=lambda: _protected(source, classified=classified))
    costs = alternate((replace(plain, name="plain"), replace(shut, name="tokens")), rounds=size.rounds)
    mine, theirs = costs["tokens"], costs["plain"]
    refused = json.loads(mine[0].output)["quarantined"]
    assert json.loads(mine[0].output) == json.loads(theirs[0].output)
    ratio = cpu(mine) / cpu(theirs)
    people = size.rows // ROWS_PER_PERSON
    others = (
        "the other columns classified"
        if classified
        else f"no other column classified, so that {refused:,} refused rows go to the vault whole"
    )
    work = (
        f"governed ingest of {size.rows:,} x 12 CSV, {people:,} new persons to the vault, CPU against the same without"
    )
    return Figure(f"{work}; {others}", f"<= {RATIO:.1f}x", f"{ratio:.2f}x", ratio <= RATIO, versus(mine, theirs))


def _encryption(size: Size) -> Figure:
    """One text of twelve columns encrypted, against the same files in the clear: writing, and reading back."""
    import duckdb

    folder = FOLDER / "vault-columns"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    keys = VaultColumnKeys(Vault(folder / "vault.sqlite", RootAt("file", folder / "keys")))
    with duckdb.connect(config={"threads": 1}) as connection:
        rows = connection.sql(f"FROM read_csv('{csv(size.rows)}')").to_arrow_table()
    copies = max(1, 500_000 // size.rows)  # else a smoke run would measure some milliseconds
    ways = {"plain": None, "encrypted": Sealing(frozenset({"document"}), keys)}
    writing: dict[str, list[float]] = {name: [] for name in ways}
    reading: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(2 * size.rounds + 1):
        for name in sorted(ways, reverse=bool(number % 2)):
            began = time.process_time()
            with Writer(folder, name, sealing=ways[name]) as writer:
                for batch in rows.to_batches() * copies:
                    writer.write(batch)
            written = time.process_time()
            read = sum(batch.num_rows for file in writer.files for batch in batches(file.path))
            assert read == size.rows * copies
            if number:  # the first warms up
                writing[name].append(written - began)
                reading[name].append(time.process_time() - written)
    spent = {name: (median(writing[name]), median(reading[name])) for name in ways}
    ratio, back = (spent["encrypted"][place] / spent["plain"][place] for place in (0, 1))
    shape = f"{size.rows * copies:,} x {rows.num_columns}"
    work = f"files of {shape} written with one text encrypted, CPU against all in the clear"
    details = f"{spent['encrypted'][0]:.2f} s against {spent['plain'][0]:.2f} s; read back {back:.2f}x"
    return Figure(work, f"<= {ENCRYPTED_RATIO:.1f}x", f"{ratio:.2f}x", ratio <= ENCRYPTED_RATIO, details)


def _rotation(size: Size) -> Figure:
    folder, count = FOLDER / "vault-keys", max(1_000, size.rows // 50)
    shutil.rmtree(folder, ignore_errors=True)
    vault = Vault(folder / "vault.sqlite", RootAt("file", folder / "keys"))
    vault.tokens("cpf", [f"{number:011d}" for number in range(count)], is_subject=True)
    began = time.perf_counter()
    turn(vault, KeyFor.RECORD)
    turn(vault, KeyFor.LOOKUP)
    seconds = time.perf_counter() - began
    work = f"the record key and the lookup key of {count:,} entries turned, every entry sealed anew twice"
    rate = 2 * count / seconds
    return Figure(work, ">= 10,000 entries/s", f"{rate:,.0f}/s", rate >= 10_000, "wall time")


def _people(rows: int) -> Path:
    """The CSV of the benchmark with ten rows for each person, in no order."""
    target = FOLDER / f"people-{rows}.csv"
    if not target.exists():
        import duckdb

        people = max(1, rows // ROWS_PER_PERSON)
        document = f"lpad(CAST((id * 7919) % {people} AS VARCHAR), 11, '0')"
        partial = target.with_suffix(".partial")
        with duckdb.connect(config={"threads": 1, "preserve_insertion_order": True}) as connection:
            connection.execute(
                f"COPY (SELECT * REPLACE ({document} AS document) FROM read_csv('{csv(rows)}', all_varchar = true,"
                f" types = {{'id': 'BIGINT'}})) TO '{partial}' (HEADER)"
            )
        partial.rename(target)
    return target


def _protected(source: Path, *, classified: bool) -> Path:
    folder = workspace("vault-tokens", source)
    path = folder / "contracts" / "accounts.odcs.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("    logicalType: object\n", _SUBJECT, 1)
    text = text.replace("      - name: document\n        logicalType: string\n", _TOKEN, 1)
    if classified:
        text = _OTHERS.sub(_FEATURE, text)
    path.write_text(text, encoding="utf-8")
    return folder

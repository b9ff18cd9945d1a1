"""REST: a governed ingestion of an API's pages against draining their bytes with the same HTTP library.

The server is a process of its own that holds its pages ready; its time counts for neither side. Both sides are whole
processes, imports and all; what the work costs in a process that has done it before is told beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.data import FOLDER, csv
from bench.figure import Figure, Size, mib, versus
from bench.governed import CONTRACT
from bench.process import ROOT, Side, alternate, cost, cpu, peak

ROWS, PAGE_ROWS = 100_000, 1_000
SETTINGS = """\
lastro: 1
datasets:
  accounts:
    contract: contracts/accounts.odcs.yaml
    mode: overwrite
    source:
      kind: http
      url: {url}
      records: data
      total: meta.total
      pagination: {{type: cursor, path: meta.next, parameter: after}}
      allow_hosts: ["127.0.0.1"]
"""


def figures(size: Size) -> Iterator[Figure]:
    """The figure for an API of 100,000 records in pages of 1,000."""
    rows = min(ROWS, size.rows)
    source = csv(size.rows)
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.api", "serve", str(source), str(rows)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = server.stdout.readline().strip() if server.stdout else ""
        folder = FOLDER / "api"
        mine, theirs = _side("ingest", folder, url, times=1), _side("drain", folder, url, times=1)
        costs = alternate((mine, theirs), rounds=size.rounds)
        warm, plain = (
            json.loads(cost(_side(name, folder, url, times=2)).output)["last_s"] for name in ("ingest", "drain")
        )
    finally:
        server.terminate()
        server.wait()
    governed, drained = costs["ingest"], costs["drain"]
    assert json.loads(governed[0].output)["read"] == rows
    ratio = cpu(governed) / cpu(drained)
    details = f"{versus(governed, drained)}; in a warm process {warm:.2f} s against {plain:.2f} s"
    work = f"governed ingest of {rows:,} records of an API in pages of {PAGE_ROWS:,}, CPU against draining the bytes"
    yield Figure(work, "<= 2.5x", f"{ratio:.2f}x", ratio <= 2.5, f"{details}; peak {mib(peak(governed))}")


def _side(name: str, folder: Path, url: str, *, times: int) -> Side:
    where = str(folder) if name == "ingest" else url
    arguments = ("-m", "bench.api", name, where, str(times))
    return Side(name, arguments, (lambda: _workspace(folder, url)) if name == "ingest" else (lambda: None))


def ingest(folder: str, times: str) -> None:
    """The whole path; each time but the first is what it costs without the start."""
    import lastro

    read, spent = 0, 0.0
    for number in range(int(times)):
        started = time.process_time()
        result = lastro.open(folder).dataset("accounts").ingest(key=str(number))
        spent = time.process_time() - started
        read = result.counts.read if result.counts else read
    print(json.dumps({"read": read, "last_s": spent}))


def drain(url: str, times: str) -> None:
    """Every page's bytes, and nothing done with them but finding the next page's cursor at their end."""
    spent = 0.0
    for _number in range(int(times)):
        started = time.process_time()
        _drain(url)
        spent = time.process_time() - started
    print(json.dumps({"last_s": spent}))


def _drain(url: str) -> None:
    import httpx2

    after = ""
    with httpx2.Client(trust_env=False) as client:
        while True:
            body = client.get(url, params={"after": after} if after else {}).content
            after = body[body.rindex(b'"next":') :].split(b'"')[3].decode() if b'"next":null' not in body[-80:] else ""
            if not after:
                return


def serve(source: str, rows: str) -> None:
    """Serves a CSV's first rows as JSON, page by page; says where."""
    pages = _pages(source, int(rows))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = pages[int(parse_qs(urlsplit(self.path).query).get("after", ["0"])[0])]
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)

        def log_message(self, *_parts: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
        server.serve_forever()


def _pages(source: str, rows: int) -> list[bytes]:
    import duckdb

    read = f"FROM read_csv('{source}', types = {{'document': 'VARCHAR'}}) LIMIT {rows}"
    records = [row for (row,) in duckdb.connect().execute(f"SELECT to_json(t)::VARCHAR FROM ({read}) AS t").fetchall()]
    starts = range(0, rows, PAGE_ROWS)
    made = []
    for number, start in enumerate(starts, 1):
        after = f'"{number}"' if number < len(starts) else "null"
        listed = ",".join(records[start : start + PAGE_ROWS])
        made.append(f'{{"data":[{listed}],"meta":{{"total":{rows},"next":{after}}}}}'.encode())
    return made


def _workspace(folder: Path, url: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    (folder / "contracts").mkdir(parents=True)
    shutil.copy(CONTRACT, folder / "contracts")
    (folder / "lastro.yaml").write_text(SETTINGS.format(url=url), encoding="utf-8")


PROGRAMS = {program.__name__: program for program in (ingest, drain, serve)}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:4])

"""The pages are tests: what they show is run, in the order they show it, in a folder of the page's own.

1. `sh` blocks are run by bash, `python` blocks by a fresh interpreter; each must end well.
2. `<!-- file: NAME -->` before a block writes the block into that file instead.
3. `<!-- output -->` before a `text` block says: these lines, in this order, stood in the output of the block before.
   `…` stands for whatever comes between; times, sizes, tokens and digests may differ.
4. `<!-- not run: REASON -->` leaves a block out; `<!-- fails: CODE -->` says with which exit code it ends.
5. `<!-- workspace: demo -->` anywhere on a page starts it inside a copy of the demo's workspace, and so does the demo's
   own README. `<!-- story -->` before a `text` block says that the demo printed these lines. The demo is told once for
   all workers of a test run.
6. `<!-- needs: postgres -->` or `<!-- needs: mysql -->` anywhere on a page gives it a real server: `SHOP_URL` leads to
   an empty schema or database of its own; of PostgreSQL, its parts stand in variables of their own, too. Where there is
   no server, the page is skipped, and says so.
7. A page that ends in `.pt-BR.md` is run in Portuguese, every other one in English.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from _pytest.mark import ParameterSet
from tests.source.conftest import Server, postgres_url  # noqa: F401 – a fixture
from tests.source.mysql_server import MysqlServer, mysql_url  # noqa: F401 – a fixture
from tests.tidy.tree import PACKAGE, ROOT, Block, blocks, pages

WATCHED = [
    page
    for page in pages()
    if page.is_relative_to(ROOT / "docs" / "tutorial")
    or page.is_relative_to(ROOT / "docs" / "how-to")
    or page.is_relative_to(ROOT / "docs" / "reference")
    or page.name.startswith("README")
]
DEMO = "<!-- workspace: demo -->"
NEEDS = {"<!-- needs: postgres -->": ("shop", "postgres"), "<!-- needs: mysql -->": ("mysql_shop", "mysql")}
"""Which fixture gives a page what it needs, and with which other tests it shares a worker."""
CHANGING = (
    (re.compile(r"sha256:[0-9a-f]+…?"), "sha256:#"),
    (re.compile(r"\b\d{8}T\d{6}\d{0,3}Z?-[0-9a-f]{8}\b"), "#"),
    (re.compile(r"\btok_[a-z2-7]{26}\b"), "tok_#"),
    (re.compile(r"\b[0-9a-f]{10,64}\b"), "#"),
    (re.compile(r"\d+(?:[.,]\d+)? ?(?:ms|s|seconds|segundos)\b"), "# s"),
    (re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?\S*"), "#time"),
    (re.compile(r"\d+(?:[.,]\d+)? (?:B|[KMG]iB)\b"), "# B"),
    (re.compile(r"\s+"), " "),
)
RUNNABLE = {"sh", "python"}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's workspace, and what it printed: told by the worker that needs it first, waited for by the others."""
    shared = _shared_by_workers(tmp_path_factory)
    known = shared / "told.json"
    with _alone(shared / "told.lock"):
        if not known.exists():
            folder = Path(tempfile.mkdtemp(prefix="told-", dir=shared)) / "lake"
            known.write_text(json.dumps([str(folder), _told(folder)]), encoding="utf-8")
    folder, story = json.loads(known.read_text(encoding="utf-8"))
    return Path(folder), story


def _told(folder: Path) -> str:
    from lastro.demo.story import tell

    lines: list[str] = []
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LASTRO_LANG", "en")
        tell(folder, out=lines.append)
    return "\n".join(lines)


def _shared_by_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of this test run; each worker of pytest-xdist has its own below it."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # let go when the file is closed, however that comes
        yield


@pytest.fixture
def shop(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: F811
    """A schema of the page's own on a real server; what the page's URL leads to."""
    server = Server(postgres_url)
    mark = "&" if "?" in postgres_url else "?"
    monkeypatch.setenv("SHOP_URL", f"{postgres_url}{mark}options=-csearch_path%3D{server.schema}")
    parts = urlsplit(postgres_url)
    monkeypatch.setenv("SHOP_HOST", parts.hostname or "127.0.0.1")
    monkeypatch.setenv("SHOP_PORT", str(parts.port or 5432))
    monkeypatch.setenv("SHOP_DATABASE", parts.path[1:])
    monkeypatch.setenv("SHOP_SCHEMA", server.schema)
    monkeypatch.setenv("LASTRO_PRODUCTION_USERNAME", unquote(parts.username or "postgres"))
    if parts.password:
        monkeypatch.setenv("LASTRO_PRODUCTION_PASSWORD", unquote(parts.password))
    yield
    server.close()


@pytest.fixture
def mysql_shop(mysql_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: F811
    """A database of the page's own on a real server; what the page's URL leads to."""
    server = MysqlServer(mysql_url)
    monkeypatch.setenv("SHOP_URL", server.url)
    yield
    server.close()


def _with_its_server(page: Path) -> ParameterSet:
    """A page that needs a server waits for the other tests of it: open transactions hold up others. Others need not."""
    text = page.read_text(encoding="utf-8")
    groups = [group for marker, (_fixture, group) in NEEDS.items() if marker in text]
    return pytest.param(page, marks=[*map(pytest.mark.xdist_group, groups[:1])], id=str(page.relative_to(ROOT)))


@pytest.mark.parametrize("page", [_with_its_server(page) for page in WATCHED])
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = tmp_path / "page"
    story = ""
    for marker, (fixture, _group) in NEEDS.items():
        if marker in page.read_text(encoding="utf-8"):
            request.getfixturevalue(fixture)
    if DEMO in page.read_text(encoding="utf-8") or page.is_relative_to(PACKAGE / "demo"):
        told, story = request.getfixturevalue("demo")
        shutil.copytree(told, folder)
    else:
        folder.mkdir()
    said = ""

    for block in blocks(page):
        said = follow(block, folder, said, story=story)


def test_what_is_not_run_says_why() -> None:
    silent = [b.at for page in WATCHED for b in blocks(page) if b.remark.startswith("not run") and ":" not in b.remark]

    assert silent == []


def test_a_page_that_lies_is_caught(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\necho one\necho two\n```\n\n<!-- output -->\n```text\ntwo\none\n```\n", encoding="utf-8")
    command, output = blocks(page)

    with pytest.raises(AssertionError, match="one"):
        follow(output, tmp_path, follow(command, tmp_path, ""))


def follow(block: Block, folder: Path, said: str, *, story: str = "") -> str:
    """Does what a block asks; gives what was printed, for a block that shows it."""
    kind, _, detail = block.remark.partition(": ")
    match kind:
        case "file":
            target = folder / detail
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        case "output":
            compare(block, said)
        case "story":
            compare(block, story)
        case "not run":
            pass
        case _ if block.language in RUNNABLE:
            return run(block, folder, expected=int(detail) if kind == "fails" else 0)
    return said


def run(block: Block, folder: Path, *, expected: int) -> str:
    """Runs a block as a reader would; what it prints on both channels."""
    program = ["bash", "-euo", "pipefail", "-c"] if block.language == "sh" else [sys.executable, "-c"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "LASTRO_LANG": language(block.page), "COLUMNS": "120", "NO_COLOR": "1"}
    done = subprocess.run(
        [*program, block.text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == expected, f"{block_name(block)} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def language(page: Path) -> str:
    """In which language a page's reader works."""
    return "pt_BR" if page.name.endswith(".pt-BR.md") else "en"


def compare(block: Block, said: str) -> None:
    """Every line the page shows was printed, in this order, and without gaps save where the page has an ellipsis."""
    printed = [plain(line) for line in said.splitlines() if line.strip()]
    place, gap = 0, True
    for line in filter(None, map(plain, block.text.splitlines())):
        if line == "…":
            gap = True
            continue
        rest = printed[place:]
        assert line in rest if gap else rest[:1] == [line], f"{block_name(block)}: not printed: {line}\n{said}"
        place += rest.index(line) + 1
        gap = False


def plain(line: str) -> str:
    """A line without what changes from run to run."""
    for pattern, stand_in in CHANGING:
        line = pattern.sub(stand_in, line)
    return line.strip()


def block_name(block: Block) -> str:
    return f"{block.page.name}:{block.line}"

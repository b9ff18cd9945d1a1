"""Who may know whom.

1. No module imports itself by any way round; imports inside functions count like any other. What is imported for
   types only never runs and does not count.
2. Every package stands in the layers of `pyproject.toml`, and nothing stands there that does not exist.
3. `import lastro` and `lastro --help` load no heavy library.
4. Nobody uses DuckDB's connection of the whole process, on which another's result may be half read.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest
from tests.tidy.tree import PACKAGE, ROOT, Module, everything, package, told

HEAVY = (
    "duckdb",
    "pyarrow",
    "polars",
    "pandas",
    "scipy",
    "sklearn",
    "numpy",
    "deltalake",
    "pyspark",
    "sqlglot",
    "httpx2",
    "mlflow",
    "cedarpy",
)

IMPORT = "import lastro"
HELP = """
import sys
sys.argv = ["lastro", "--help"]
from lastro.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def test_no_module_imports_itself_by_any_way_round() -> None:
    known = {module.name: module for module in package()}
    graph = {name: imports(module, set(known)) for name, module in known.items()}
    rounds = [" <-> ".join(sorted(ring)) for ring in cycles(graph)]

    assert not rounds, told(rounds)


def test_every_package_stands_in_the_layers() -> None:
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = tables["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name.strip() for layer in layers for name in layer.split("|")}
    found = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}

    assert found == named


@pytest.mark.parametrize("program", [IMPORT, HELP], ids=["import lastro", "lastro --help"])
def test_the_start_is_light(program: str) -> None:
    code = program + f"\nimport sys; print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_whoever_asks_duckdb_opens_a_connection() -> None:
    shared = [
        module.at(node.lineno)
        for module in everything()
        if "bench" not in module.path.parts  # there, each is alone in a process
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and asks_duckdb(node.func)
    ]

    assert not shared, told(shared)


def asks_duckdb(called: ast.expr) -> bool:
    """True for `duckdb.sql` and the like, which take the connection of the whole process."""
    is_duckdb = isinstance(called, ast.Attribute) and ast.unparse(called.value) == "duckdb"
    return is_duckdb and called.attr.islower() and called.attr != "connect"


def test_cycles_are_found_wherever_they_hide() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]
    assert cycles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def imports(module: Module, known: set[str]) -> set[str]:
    """The package's own modules that a module imports anywhere in its text, save for types only."""
    found: set[str] = set()
    for node in running(module.tree):
        match node:
            case ast.Import(names=names):
                found |= {nearest(alias.name, known) for alias in names}
            case ast.ImportFrom(module=base, names=names, level=0) if base:
                found |= {nearest(f"{base}.{alias.name}", known) for alias in names}
            case ast.ImportFrom():
                raise AssertionError(f"{module.at(node.lineno)}: imports are written in full")
    return found - {"", module.name}


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below this one, without the bodies of `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from running(child)


def nearest(name: str, known: set[str]) -> str:
    """The longest part of a dotted name that is one of our modules; empty if none is."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def cycles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of two or more nodes that reach each other, by repeated removal of nodes without a way on or in."""
    left = set(graph)
    while True:
        ends = {n for n in left if not graph[n] & left or not any(n in graph[other] for other in left)}
        if not ends:
            break
        left -= ends
    rings: list[set[str]] = []
    while left:
        ring = {n for n in left if n in reached(min(left), graph) and min(left) in reached(n, graph)} | {min(left)}
        if len(ring) > 1:
            rings.append(ring)
        left -= ring
    return rings


def reached(start: str, graph: dict[str, set[str]]) -> set[str]:
    """Every node that can be reached from a node in one or more steps."""
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for node in graph[ahead.pop()] - seen:
            seen.add(node)
            ahead.append(node)
    return seen

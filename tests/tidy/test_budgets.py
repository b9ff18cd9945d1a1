"""How large things may be.

1. Files have at most 800 lines, half of the package's at most 180.
2. Functions have at most 70 lines, half of the package's at most 8; the docstring does not count.
3. Functions have at most 8 parameters. Those with a default are keyword-only, save the first one of a call.
4. A module of the package has at most 12 public functions and classes; a family – the members of one union, or the
   descendants of one class of the same module – is one name to learn and counts once.
5. Inside the package, a class has at most 2 generations of ancestors.
"""

from __future__ import annotations

import ast
from statistics import median

from tests.tidy.tree import Function, Module, everything, package, told

FILE_LINES_MAX = 800
FILE_LINES_MEDIAN = 180
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_MEDIAN = 8
PARAMETERS_MAX = 8
PUBLIC_NAMES_MAX = 12
ANCESTORS_MAX = 2

FOREIGN_SIGNATURES = {"__arrow_c_stream__", "__exit__", "__dataframe__", "connect_tcp", "start_tls"}
"""Methods whose signature another protocol has fixed."""
READS_AS_A_SENTENCE = {"tag"}
"""`dataset.tag("approved", 17)`: the public face shows the version as a second plain argument."""


def test_files_are_short() -> None:
    long = [f"{module.at(1)}: {module.lines} lines" for module in everything() if module.lines > FILE_LINES_MAX]

    assert not long, told(long)


def test_half_of_the_files_are_very_short() -> None:
    lines = sorted(((module.lines, module.at(1)) for module in package()), reverse=True)

    assert median(count for count, _ in lines) <= FILE_LINES_MEDIAN, told([f"{at}: {n}" for n, at in lines[:20]])


def test_functions_are_short() -> None:
    long = [
        f"{module.at(function.lineno)}: {function.name} has {body_lines(function)} lines"
        for module in everything()
        for function in module.functions()
        if body_lines(function) > FUNCTION_LINES_MAX
    ]

    assert not long, told(long)


def test_half_of_the_functions_are_very_short() -> None:
    lines = [body_lines(function) for module in package() for function in module.functions()]

    assert median(lines) <= FUNCTION_LINES_MEDIAN, f"the median is {median(lines)} of {len(lines)} functions"


def test_functions_take_few_parameters() -> None:
    greedy = [
        f"{module.at(function.lineno)}: {function.name} takes {len(parameters(function))} parameters"
        for module in package()
        for function in module.functions()
        if len(parameters(function)) > PARAMETERS_MAX
    ]

    assert not greedy, told(greedy)


def test_defaults_are_keyword_only() -> None:
    loose = [
        f"{module.at(function.lineno)}: {function.name}({name}=…) must be keyword-only"
        for module in package()
        for function in module.functions()
        if function.name not in FOREIGN_SIGNATURES | READS_AS_A_SENTENCE
        for name in positional_defaults(function)
    ]

    assert not loose, told(loose)


def test_modules_have_few_public_names() -> None:
    wide = [
        f"{module.at(1)}: {len(names)} public names: {', '.join(sorted(names))}"
        for module in package()
        if len(names := public_names(module)) > PUBLIC_NAMES_MAX
    ]

    assert not wide, told(wide)


def test_inheritance_is_shallow() -> None:
    parents = {cls.name: bases(cls) for module in package() for cls in module.classes()}
    deep = [
        f"{module.at(cls.lineno)}: {cls.name} has {generations(cls.name, parents)} generations of ancestors"
        for module in package()
        for cls in module.classes()
        if generations(cls.name, parents) > ANCESTORS_MAX
    ]

    assert not deep, told(deep)


def test_the_measures_see_what_they_must() -> None:
    source = 'def f(a, b=1, *, c=2):\n    """Two\n    lines."""\n    return a\n'
    function = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))

    assert body_lines(function) == 2
    assert positional_defaults(function) == ["b"]
    assert parameters(function) == ["a", "b", "c"]
    assert generations("C", {"C": ["B"], "B": ["A"], "A": ["Exception"]}) == 2


def body_lines(function: Function) -> int:
    """Lines from `def` to the end, less the docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    docstring = ast.get_docstring(function, clean=False)
    return total - (docstring.count("\n") + 1 if docstring else 0)


def parameters(function: Function) -> list[str]:
    """The names of the parameters, without `self` and `cls`."""
    given = function.args
    return [a.arg for a in [*given.posonlyargs, *given.args, *given.kwonlyargs] if a.arg not in {"self", "cls"}]


def positional_defaults(function: Function) -> list[str]:
    """Parameters with a default that may be given by position, save a call's first one."""
    plain = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
    optional = plain[len(plain) - len(function.args.defaults) :]
    first = next((name for name in plain if name not in {"self", "cls"}), None)
    return [name for name in optional if name != first]


def public_names(module: Module) -> set[str]:
    """Public functions and classes, a family counted by its head."""
    defined = [n for n in module.tree.body if isinstance(n, Function | ast.ClassDef) and not n.name.startswith("_")]
    heads = families(module)
    return {heads.get(node.name, node.name) for node in defined}


def families(module: Module) -> dict[str, str]:
    """Each member of a union or of a class tree of this module, with the family's name."""
    heads: dict[str, str] = {}
    for node in module.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=union)], value=ast.BinOp(op=ast.BitOr()) as members):
                heads |= {name.id: union for name in ast.walk(members) if isinstance(name, ast.Name)}
            case ast.ClassDef():
                own = [base for base in bases(node) if base in {cls.name for cls in module.classes()}]
                if own:
                    heads[node.name] = heads.get(own[0], own[0])
    return heads


def bases(cls: ast.ClassDef) -> list[str]:
    """The plain names of a class's bases."""
    return [base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in cls.bases]


def generations(name: str, parents: dict[str, list[str]]) -> int:
    """How many generations of ancestors a class has among the package's own classes."""
    return max((1 + generations(base, parents) for base in parents[name] if base in parents), default=0)

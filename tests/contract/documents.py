"""Contracts for tests: a whole document around the part that a test is about."""

from textwrap import dedent, indent

from lastro.contract import Contract, parse

HEAD = dedent(
    """\
    version: 1.0.0
    apiVersion: v3.2.0
    kind: DataContract
    id: loans
    schema:
      - name: loans
    """
)


def document(properties: str, *, more: str = "") -> str:
    """A contract with these properties (a YAML list) and more keys of the schema object."""
    inside = indent(dedent(more), "    ") + "    properties:\n" + indent(dedent(properties), "      ")
    return HEAD + inside


def contract(properties: str, *, more: str = "") -> Contract:
    """The contract itself."""
    return parse(document(properties, more=more), name="loans.odcs.yaml")


def column(lines: str, *, name: str = "x") -> str:
    """One property with these lines."""
    return f"- name: {name}\n" + indent(dedent(lines), "  ") + "\n"


def rules(quality: str, *, logical: str = "string") -> str:
    """One property `x` with these quality rules."""
    return f"- name: x\n  logicalType: {logical}\n  quality:\n" + indent(dedent(quality), "    ")

"""What was promised: ODCS documents, their plans, their differences, and their first guess from data."""

from lastro.contract.contract import Contract, load, parse

__all__ = ["Contract", "load", "parse"]

"""What was promised: ODCS documents, their plans, their differences, and their first guess from data."""

from lastro.contract.compare import Change, Comparison, compare
from lastro.contract.contract import Contract, load, load_all, parse
from lastro.contract.infer import infer

__all__ = ["Change", "Comparison", "Contract", "compare", "infer", "load", "load_all", "parse"]

"""Governance: use cases of the law, one verb a file. The articles stand in the docstrings."""

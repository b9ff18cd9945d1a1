"""How a batch changes a dataset: which files stay, which are rewritten, and whether the schemas fit."""

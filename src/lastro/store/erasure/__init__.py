"""Erasure: rows leave every version of a table, under the same file names and sizes; every version stays provable."""

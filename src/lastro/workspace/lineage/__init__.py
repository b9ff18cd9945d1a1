"""Lineage: of versions, of columns, and beyond the workspace."""

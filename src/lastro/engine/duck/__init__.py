"""The embedded engine: DuckDB in this process for our own files, in a guarded child for everybody else's."""

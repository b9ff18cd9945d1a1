"""SQLite files, read in one snapshot."""

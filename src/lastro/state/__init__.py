"""State: the SQLite files of a workspace, all opened in one way."""

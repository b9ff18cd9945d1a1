"""The command line: a command's arguments become one call of the workspace, its result one report. One verb a file."""

"""Templates of free-text messages: what a program's log lines have in common, and what varies in each."""

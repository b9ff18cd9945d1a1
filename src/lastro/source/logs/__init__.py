"""Log files: lines with a pattern."""

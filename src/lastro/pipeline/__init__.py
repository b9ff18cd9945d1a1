"""The use cases that move data: one verb a file."""

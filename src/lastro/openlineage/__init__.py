"""OpenLineage: what was read and written, told to others and taken from others, in the open format for that."""

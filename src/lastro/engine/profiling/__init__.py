"""Counting rows into profiles: one kernel over Arrow batches, the same for every engine."""

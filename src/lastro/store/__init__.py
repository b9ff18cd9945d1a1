"""Versions of datasets: stage, commit, read back, tag, verify, repair, collect. The only home of Delta Lake."""

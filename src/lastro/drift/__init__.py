"""Drift: how the rows of one profile differ from another's, how sure that is, and what it means."""

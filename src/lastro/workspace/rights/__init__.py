"""Rights of persons: found, told, put right, kept no longer than needed, and erased."""

"""Training: runs and their replay, and the rows of a version as a model takes them."""

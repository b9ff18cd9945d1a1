"""The façade: a workspace, its datasets, their versions, and the runs that used them."""

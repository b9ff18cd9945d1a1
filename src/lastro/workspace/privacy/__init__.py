"""Privacy: personal values kept apart, turned back only for those who may, or made coarser."""

"""Outliers: values far from their column's others, and rows unlike other rows. Arrays in, frozen results out."""

"""Derived datasets: made by SQL or Python from versions, whole or by intervals."""

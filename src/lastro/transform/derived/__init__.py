"""Derived datasets: what is made from others by a person's SQL or Python – found, ordered and keyed, not executed."""

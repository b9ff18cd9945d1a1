"""Anonymity: values made coarser until nobody stands out, and what risk is left."""

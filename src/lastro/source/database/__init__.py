"""What the sources of all databases share: queries, counts, errors for absent names."""

"""The ledger: what happened to the data, in a tree of hashes under signatures, and the proof of it."""

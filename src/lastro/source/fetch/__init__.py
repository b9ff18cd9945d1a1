"""Requests to others' servers: one door, with address checks, retries, limits and a circuit that opens."""

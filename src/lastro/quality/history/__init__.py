"""Histories: a metric over time, and which of its values are not what those before let expect."""

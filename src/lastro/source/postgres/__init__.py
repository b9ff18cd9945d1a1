"""PostgreSQL, through ADBC: one exported snapshot, late commits waited for, ranges read side by side."""

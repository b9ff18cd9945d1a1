"""What computes: reads inputs, executes plans, answers queries. The only home of duckdb, pyspark and sqlglot."""

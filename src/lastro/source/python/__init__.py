"""What Python code gives: generators, frames, resources of dlt."""

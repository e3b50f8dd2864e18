"""Benchmarks: a table and JSON, never an assertion. `make bench`, or `python -m tests.bench NAME`."""

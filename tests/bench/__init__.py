"""Measurements of the whole product with real processes: `make bench`. How to read them: docs/bench.md."""

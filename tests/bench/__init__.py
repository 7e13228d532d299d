"""Measurements of the whole desk with real processes: `make bench`. How to read them: docs/bench.md."""

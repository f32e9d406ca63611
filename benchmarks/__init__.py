"""Measurements: ``python -m benchmarks`` against other libraries, and single scripts of their own."""

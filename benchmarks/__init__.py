"""Benchmarks, each run with `python -m benchmarks.<name>`. Machines are noisy: compare only within one run."""

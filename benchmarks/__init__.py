"""Measurements, each `python -m benchmarks.<name>`; machines are noisy, so compare within one run."""

"""Upper limits of the machine, with which the measured speeds are compared."""

import torch

from benchmarks.clock import time_in_turn


def measure_matrix_rate(kind: torch.dtype, side: int) -> float:
    """Returns the speed of a matrix product in floating-point operations per second."""
    matrix = torch.randn(side, side).to(kind)
    return 2 * side**3 / time_in_turn({"": lambda: matrix @ matrix}, repeats=5)[""]


def measure_copy_rate() -> float:
    """Returns the memory bandwidth, bytes read and written per second, of a copy too large for the caches."""
    values = torch.randn(2**24)
    copy = torch.empty_like(values)
    return 2 * values.nbytes / time_in_turn({"": lambda: copy.copy_(values)}, repeats=9)[""]

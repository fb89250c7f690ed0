"""What the machine can do at best, to hold against what is reached."""

import torch

from benchmarks.clock import side_by_side


def matrix_rate(kind: torch.dtype, side: int) -> float:
    """Returns the floating-point operations a second of a product of two square matrices."""
    matrix = torch.randn(side, side).to(kind)
    return 2 * side**3 / side_by_side({"": lambda: matrix @ matrix}, repeats=5)[""]


def copy_rate() -> float:
    """Returns the bytes a second that are read and written in a copy too large for the caches."""
    values = torch.randn(2**24)
    copy = torch.empty_like(values)
    return 2 * values.nbytes / side_by_side({"": lambda: copy.copy_(values)}, repeats=9)[""]

"""What the machine can do at best, to hold against what is reached."""

import torch

from benchmarks.clock import side_by_side


def matrix_rate(kind: torch.dtype, side: int) -> float:
    """Returns the floating-point operations a second of a product of two square matrices."""
    matrix = torch.randn(side, side).to(kind)
    return 2 * side**3 / side_by_side({"": lambda: matrix @ matrix}, repeats=5)[""]

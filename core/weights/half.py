"""Weights in half the bits, where 16 bits hold them."""

from collections.abc import Mapping

from torch import Tensor

HALF_ERROR = 2.0**-10  # twice the largest relative error of float16 within its normal range


def to_half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns a state dict in float16, except for counters and tensors that float16 cannot hold (`fits_half`)."""
    return {
        key: value.half() if value.is_floating_point() and fits_half(key, value) else value
        for key, value in state.items()
    }


def fits_half(key: str, value: Tensor) -> bool:
    """Returns whether float16 holds a tensor to three digits, so that no value overflows.

    Errors count in proportion to the tensor's largest value. Those of a variance count in proportion to itself: a
    network divides by it, so that one too small for float16 matters as much as one too large.
    """
    if not value.numel():
        return True
    size = value.abs()
    scale = size if key.endswith("running_var") else size.max()
    return bool(((value.half().to(value.dtype) - value).abs() <= HALF_ERROR * scale).all())

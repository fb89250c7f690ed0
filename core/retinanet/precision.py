"""The precision in which the network computes; everything before and after is in single precision."""

from contextlib import AbstractContextManager, nullcontext

import torch

FAST = ("amx_bf16", "avx512_bf16", "bf16")  # capabilities of processors, the last one of ARM's


def compute_in(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Returns the context for a forward pass in "fp32" or "bf16"; its outputs may be bfloat16."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def is_bf16_fast(device: torch.device) -> bool:
    """Returns True if a device has instructions for bfloat16; others compute with it as well, but not faster."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(capabilities.get(name, False) for name in FAST)

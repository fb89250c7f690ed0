"""Several processes that train together, as `torchrun` or `accelerate launch` start them."""

import os

import torch
from accelerate import Accelerator


def make_accelerator() -> Accelerator:
    """Returns the device and the processes: CUDA where it is there, else the CPU, also for several processes."""
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    # Without a graphics card Accelerate has to be told, or each process would take itself for the only one.
    return Accelerator(cpu=several and not torch.cuda.is_available())


def anywhere(accelerator: Accelerator, value: bool) -> bool:
    """Tells whether something is true in at least one process; all of them must ask at the same place."""
    return accelerator.reduce(torch.tensor(int(value), device=accelerator.device), "sum").item() > 0

"""Several processes that train together, as `torchrun` or `accelerate launch` start them."""

import os
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.functional import pad


def make_accelerator(*, log_with: str | None = None, project_dir: Path | None = None) -> Accelerator:
    """Returns the device and the processes: CUDA where it is there, else the CPU, also for several processes.

    Args:
        log_with: A tracker by Accelerate's name.
        project_dir: Where the tracker may write.
    """
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    # Without a graphics card Accelerate has to be told, or each process would take itself for the only one.
    return Accelerator(cpu=several and not torch.cuda.is_available(), log_with=log_with, project_dir=project_dir)


def anywhere(accelerator: Accelerator, value: bool) -> bool:
    """Tells whether something is true in at least one process; all of them must ask at the same place."""
    return accelerator.reduce(torch.tensor(int(value), device=accelerator.device), "sum").item() > 0


def padded_alike(accelerator: Accelerator, pixels: Tensor) -> Tensor:
    """Pads a batch [B, 3, H, W] at the right and at the bottom to the largest that a process has; all must ask.

    One process would have padded the pictures of all together, and what a place of padding pays counts.
    """
    if accelerator.num_processes == 1:
        return pixels
    sides = accelerator.gather(torch.tensor([pixels.shape[-2:]], device=accelerator.device)).amax(dim=0).tolist()
    return pad(pixels, (0, sides[1] - pixels.shape[-1], 0, sides[0] - pixels.shape[-2]))

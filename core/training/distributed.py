"""Training in several processes, as started by `torchrun` or `accelerate launch`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import pad

from core.training.records import TrainingError

if TYPE_CHECKING:  # imported where one is made: most commands need none
    from accelerate import Accelerator

T = TypeVar("T")


def make_accelerator(*, log_with: str | None = None, project_dir: Path | None = None) -> "Accelerator":
    """Returns the Accelerator of this process: a GPU if available, otherwise the CPU, in one or several processes.

    Args:
        log_with: Accelerate's name of an experiment tracker.
        project_dir: Folder the tracker may write to.
    """
    from accelerate import Accelerator

    # Without a GPU and without this flag, Accelerate would treat each process as the only one.
    return Accelerator(cpu=are_several() and not torch.cuda.is_available(), log_with=log_with, project_dir=project_dir)


def choose_device() -> torch.device:
    """Returns the device of this process, that of `make_accelerator`.

    A single process does not import Accelerate for it unless a variable of Accelerate is set, such as
    ACCELERATE_USE_CPU.
    """
    if are_several() or any(name.startswith("ACCELERATE_") for name in os.environ):
        return make_accelerator().device
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def are_several() -> bool:
    """True if several processes run together."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def require_divisible_batch(batch_size: int, processes: int) -> None:
    """Raises `TrainingError` if a batch cannot be divided among the processes."""
    if batch_size % processes:
        raise TrainingError(
            f"training.batch_size = {batch_size} cannot be divided among {processes} processes: choose a multiple of "
            f"{processes}."
        )


def is_true_anywhere(accelerator: "Accelerator", value: bool) -> bool:
    """True if the value is true in at least one process; every process must call this at the same point."""
    return accelerator.reduce(torch.tensor(int(value), device=accelerator.device), "sum").item() > 0


def gather_if_any(accelerator: "Accelerator", values: list[T]) -> list[T]:
    """Returns the values of all processes; exchanges nothing if none has any.

    Every process must call this at the same point.
    """
    if accelerator.num_processes == 1 or not is_true_anywhere(accelerator, bool(values)):
        return values
    from accelerate.utils import gather_object

    gathered: list[T] = gather_object(values)
    return gathered


def pad_across_processes(accelerator: "Accelerator", pixels: Tensor) -> Tensor:
    """Pads a batch at the right and bottom to the largest height and width of any process's batch.

    A single process would pad all images of the batch to one size, and the locations in the padding contribute to the
    loss, so the sizes must agree for the losses to be equal. Every process must call this at the same point.

    Args:
        accelerator: The processes.
        pixels: Images of this process, [B, 3, H, W].

    Returns:
        The padded images, [B, 3, H', W'] with the same H' and W' in every process.
    """
    if accelerator.num_processes == 1:
        return pixels
    sizes = accelerator.gather(torch.tensor([pixels.shape[-2:]], device=accelerator.device))  # [processes, 2]
    height, width = sizes.amax(dim=0).tolist()
    return pad(pixels, (0, width - pixels.shape[-1], 0, height - pixels.shape[-2]))

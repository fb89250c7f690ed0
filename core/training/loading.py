"""Loading of the batches of a run, by this process or by processes beside it."""

from collections.abc import Generator, Sequence

from accelerate import Accelerator
from torch.utils.data import DataLoader

from core.config import Config
from core.data.dataset import DataSet
from core.evaluation.damage import DamagedPictures
from core.structures import Sample
from core.training.distributed import gather_if_any, is_true_anywhere
from core.training.records import TrainingError
from core.training.samples import MAX_IN_A_ROW, Drawn, TrainingStream, ignore_signals


def load_batches(
    train: DataSet,
    config: Config,
    accelerator: Accelerator,
    damaged: DamagedPictures,
    *,
    steps_done: int = 0,
    workers: int = 0,
) -> Generator[list[Sample]]:
    """Yields this process's share of each remaining batch; loading processes end when the generator is closed.

    Args:
        train: The training data.
        config: All settings.
        accelerator: The processes among which each batch is divided.
        damaged: Receives the images that cannot be used, those of the other processes included.
        steps_done: Number of completed steps.
        workers: Number of processes that load images.

    Raises:
        DataError: More than half of the images cannot be used.
        TrainingError: A loading process was killed.
    """
    loader = DataLoader(
        TrainingStream(train, config),
        batch_sampler=_list_positions(config, accelerator, steps_done),
        collate_fn=list,
        num_workers=workers,
        worker_init_fn=ignore_signals,
    )
    try:
        for drawn in loader:
            yield _take_samples(drawn, accelerator, damaged)
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise TrainingError(
            "A process that loads pictures was killed, usually because the memory is full: use fewer --workers."
        ) from None


def _list_positions(config: Config, accelerator: Accelerator, steps_done: int) -> list[list[int]]:
    """Returns the positions in the stream that this process loads for each remaining step."""
    size, processes = config.training.batch_size, accelerator.num_processes
    return [
        list(range(step * size + accelerator.process_index, (step + 1) * size, processes))
        for step in range(steps_done, config.training.steps)
    ]


def _take_samples(drawn: Sequence[Drawn], accelerator: Accelerator, damaged: DamagedPictures) -> list[Sample]:
    """Returns the samples of a batch, and records the images of all processes that cannot be used."""
    for index, error in gather_if_any(accelerator, [error for each in drawn for error in each.errors]):
        damaged.add(index, error)
    samples = [each.sample for each in drawn if each.sample]
    if is_true_anywhere(accelerator, len(samples) < len(drawn)):
        raise damaged.too_many(f"{MAX_IN_A_ROW} pictures in a row")
    return samples

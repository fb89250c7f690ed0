"""Samples for the tests of augmentation, and what must hold of every augmented one."""

import torch

from core.structures import Sample


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_sample(
    boxes: list, size: tuple[int, int] = (40, 60), crowd: list | None = None, *, image_id: int = 5, seed: int = 0
) -> Sample:
    """Returns a picture of random pixels, height and width given, with the labels 0, 1, …"""
    image = torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=generator(seed))
    return Sample(
        image=image,
        boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        labels=torch.arange(len(boxes)),
        crowd=torch.tensor(crowd or [False] * len(boxes), dtype=torch.bool),
        image_id=image_id,
    )


def paint(boxes: list, size: tuple[int, int], colour: int) -> Sample:
    """Returns a picture of one colour with white objects, all pixels of whose boxes are white."""
    sample = make_sample(boxes, size)
    image = torch.full_like(sample.image, colour)
    for x1, y1, x2, y2 in boxes:
        image[:, y1:y2, x1:x2] = 255
    return sample._replace(image=image)


def equal(first: Sample, second: Sample) -> bool:
    tensors = zip(first[:4], second[:4], strict=True)
    return all(torch.equal(*pair) for pair in tensors) and first.image_id == second.image_id


def assert_sound(sample: Sample) -> None:
    height, width = sample.image.shape[-2:]
    assert sample.image.dtype == torch.uint8
    assert sample.boxes.dtype == torch.float32
    assert sample.boxes.shape == (len(sample.labels), 4)
    assert len(sample.labels) == len(sample.crowd)
    assert (sample.boxes[:, 2:] > sample.boxes[:, :2]).all()
    assert (sample.boxes >= 0).all()
    assert (sample.boxes[:, 2:] <= torch.tensor([width, height]) * (1 + 1e-6)).all()

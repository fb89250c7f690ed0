"""Comparison of an exported file with the detector that it was made from: what both detect in a picture.

A file that detects something else is not kept.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Config
from core.errors import UserError
from core.export.onnx import SUPPORTED
from core.io.atomic import OutputError
from core.io.moving import replace
from core.retinanet.boxes import clip, decode
from core.retinanet.model import RetinaNet
from core.retinanet.predict import detect, extract_detections, make_batch_anchors, predict
from core.structures import Detections
from core.weights.sources import adopt, build, load_weights

PICTURE_SIDES = (120, 160)  # px
WEAK = {"inference.max_detections": 1000, "inference.nms_threshold": 0.2}  # detects objects of all sizes
PLAIN = {**SUPPORTED, "inference.tile_size": 0}  # of which no exported file knows another value
MIN_SCORES = 20  # that exceed the score threshold of the comparison, which is lowered if the picture has fewer


class Tolerance(NamedTuple):
    """Differences that rounding explains.

    Attributes:
        score: Of the scores.
        box: Of the sides of boxes, px of the test picture.
        number: Share of the detections that near ties in NMS may add or remove.
    """

    score: float
    box: float
    number: float


FULL, HALF = Tolerance(1e-3, 0.1, 0.05), Tolerance(0.03, 8.0, 0.1)  # for weights of 32 and of 16 bits

Reader = Callable[[Path, Tensor, Config], Detections]  # detects with the file at a path in an image


class Reference(NamedTuple):
    """What the detector finds in a test picture.

    Attributes:
        picture: uint8 [3, H, W].
        config: The settings, in single precision, without tiles and other views, with hard NMS and a score threshold
            that some scores exceed.
        boxes: [N, 4], the box of each anchor, xyxy in pixels of the picture.
        scores: [N, K], the scores of each anchor.
        detections: What is detected: the best of the boxes; near ties decide which.
    """

    picture: Tensor
    config: Config
    boxes: Tensor
    scores: Tensor
    detections: Detections


def write_compared(
    path: Path, write: Callable[[Path], None], read: Reader, reference: Reference, tolerance: Tolerance
) -> int:
    """Writes a file and keeps it only if it detects what the detector does, within the tolerance.

    Args:
        path: Path of the file.
        write: Writes the file to a path with the same name.
        read: Detects with the file.
        reference: What is to be detected, from `make_reference`.
        tolerance: `FULL` or `HALF`.

    Returns:
        The number of detections that were compared.

    Raises:
        OutputError: The file cannot be read back, or detects something else.
    """
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        copy = Path(folder, path.name)
        try:
            write(copy)
        except UserError as error:
            error.args = (_rename(error, copy, path),)
            raise
        try:
            found = read(copy, reference.picture, reference.config)
        except UserError as error:
            reason = _rename(error, copy, path)
            raise OutputError(f"{path} is not written, because it could not be read back: {reason}") from None
        if difference := find_difference(reference, found, tolerance):
            raise OutputError(
                f"{path} is not written, because read back it detects something else in a test picture ({difference}): "
                "choose another format, or 32 bits."
            )
        replace(copy, path)
    return len(reference.detections.scores)


def _rename(error: UserError, copy: Path, path: Path) -> str:
    """Returns the message of an error on the temporary copy with the path that people know."""
    return str(error).replace(str(copy), str(path))


def read_weights(path: Path, picture: Tensor, config: Config) -> Detections:
    """Detects with a file of weights, with the settings that it holds.

    Raises:
        UserError: The file cannot be read, or holds other anchors, which may differ outside the picture only.
    """
    weights = load_weights(str(path))
    adopted = adopt(Config(inference=config.inference), weights)
    if adopted.anchors != config.anchors:
        raise OutputError(f"it holds other anchors ({adopted.anchors}).")
    return detect(build(adopted, weights), [picture], adopted)[0]


def make_picture() -> Tensor:
    """Returns the test picture, uint8 [3, H, W]: noise at several scales, the same each time."""
    rng = torch.Generator().manual_seed(0)
    noise = partial(torch.rand, generator=rng)
    layers = (noise(1, 3, *(side // cell for side in PICTURE_SIDES)) for cell in (1, 5, 20, 40))
    resize = partial(torch.nn.functional.interpolate, size=PICTURE_SIDES)
    mixed = torch.stack([resize(layer) for layer in layers]).mean(dim=0)[0]
    return (mixed.sub(0.5).mul(2).add(0.5).clamp(0, 1) * 255).to(torch.uint8)


def make_reference(model: RetinaNet, config: Config, *, weak: bool) -> Reference:
    """Detects objects in the test picture.

    Args:
        model: The network.
        config: Its settings.
        weak: Whether to detect all that is possible, on all levels of the pyramid. This suits files that hold weights
            alone; others hold limits on what they detect.
    """
    picture = make_picture()
    config = config.replace(PLAIN)
    prediction = predict(model, [picture], config)
    batch, outputs = prediction
    scores = outputs.logits[0].sigmoid().nan_to_num(0)
    least = scores.flatten().topk(min(MIN_SCORES + 1, scores.numel())).values[-1].item()
    threshold = 0.0 if weak else min(config.inference.score_threshold, least)
    config = config.replace({"inference.score_threshold": threshold, **(WEAK if weak else {})})
    boxes = decode(outputs.deltas[0], make_batch_anchors(batch, config.anchors).boxes)
    boxes = clip(boxes, *batch.sizes[0]) * batch.factors[0]
    return Reference(picture, config, boxes, scores, extract_detections(prediction, config)[0])


def find_difference(reference: Reference, found: Detections, tolerance: Tolerance) -> str:
    """Returns the first difference between what is detected and what should be, "" if rounding explains them all.

    Near ties in NMS may be decided otherwise, so that each detection is compared with those of all anchors.
    """
    expected = reference.detections
    count, wanted = len(found.scores), len(expected.scores)
    if abs(count - wanted) > 1 + tolerance.number * wanted:
        return f"{count} detections instead of {wanted}"
    common = min(count, wanted)
    gap = (found.scores[:common] - expected.scores[:common]).abs()
    if not (gap <= tolerance.score).all():
        return f"a score that differs by {gap.max():.3g}"
    for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
        alike = (reference.scores[:, label] - score).abs() <= tolerance.score
        if not ((reference.boxes[alike] - box).abs().amax(dim=1) <= tolerance.box).any():
            return f"a box at {[round(side) for side in box.tolist()]} that should not be there"
    return ""

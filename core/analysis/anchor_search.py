"""Measures how well anchors fit the objects of a data set, and searches for scales and ratios that fit better."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.config import Anchors, Inference
from core.data.dataset import DataSet
from core.retinanet.anchors import cell_anchors, pyramid_grids, pyramid_strides
from core.retinanet.preprocess import prepare, scale_objects

FEW_OBJECTS = 20  # fewer say little about others
MAX_OBJECTS = 1000  # in a search; more objects change the result little
LOG_SCALE, LOG_RATIO = (-2.0, 2.0), (-3.0, 3.0)  # bounds of the search, as powers of two
GENERATIONS = 30
POPULATION = 12  # candidates per parameter
DIGITS = 3  # decimal places of the resulting scales and ratios


class Objects(NamedTuple):
    """The objects of several images, as the network sees them.

    Attributes:
        boxes: float32 [M, 4], xyxy, in pixels of the resized images.
        image_sizes: int64 [M, 2], height and width of the padded image of each object.
    """

    boxes: Tensor
    image_sizes: Tensor


class AnchorFit(NamedTuple):
    """How well anchors fit objects.

    Attributes:
        iou: float32 [M], the best IoU of each object with any anchor.
        recall: Share of the objects whose best IoU reaches the foreground threshold.
        mean: Mean of `iou`.
    """

    iou: Tensor
    recall: float
    mean: float


def collect_objects(data: DataSet, inference: Inference, count: int) -> Objects:
    """Returns the objects of a data set's first `count` images as the network sees them, without crowd regions."""
    boxes, image_sizes = [torch.zeros(0, 4)], [torch.zeros(0, 2, dtype=torch.int64)]
    for index in range(min(count, len(data))):
        sample = data[index]
        batch = prepare([sample.image], inference)
        resized, _ = scale_objects(sample, batch.factors[0])
        boxes.append(resized)
        image_sizes.append(torch.tensor(batch.pixels.shape[-2:]).expand(len(resized), 2))
    return Objects(torch.cat(boxes), torch.cat(image_sizes))


def measure_fit(objects: Objects, anchors: Anchors, fg_iou_threshold: float) -> AnchorFit:
    """Measures how well anchors fit objects; recall and mean are NaN without objects."""
    shapes = torch.stack([_compute_sides(cell_anchors(anchors, size)) for size in anchors.sizes])  # [L, A, 2]
    iou = torch.from_numpy(_compute_best_iou(*_compute_offsets(objects, anchors), shapes.numpy()))
    if len(iou) == 0:
        return AnchorFit(iou, math.nan, math.nan)
    return AnchorFit(iou, (iou >= fg_iou_threshold).float().mean().item(), iou.mean().item())


def search_anchors(objects: Objects, anchors: Anchors, fg_iou_threshold: float, *, seed: int = 0) -> Anchors:
    """Searches for the scales and ratios that maximize recall plus mean best IoU, by differential evolution.

    Args:
        objects: At least one object.
        anchors: The starting point; the number of scales and ratios, the sizes and the convention are kept.
        fg_iou_threshold: The IoU from which an object counts as matched.
        seed: Seeds the search.

    Returns:
        The better anchors, or `anchors` if the search found none.
    """
    from scipy.optimize import Bounds, differential_evolution  # a second and 30 MB that the page need not have at rest

    offsets = _compute_offsets(_draw_objects(objects, seed), anchors)
    sizes, count = np.array(anchors.sizes, dtype=np.float32), len(anchors.scales)

    def compute_cost(logs: np.ndarray) -> float:
        scales, roots = 2 ** logs[:count], 2 ** (logs[count:] / 2)
        sides = (sizes[:, None, None] * scales).repeat(len(roots), axis=1)  # [L, R, S]
        shapes = np.stack([sides / roots[:, None], sides * roots[:, None]], axis=-1)  # [L, R, S, 2]
        iou = _compute_best_iou(*offsets, shapes.reshape(len(sizes), -1, 2).astype(np.float32))
        return -float((iou >= fg_iou_threshold).mean() + iou.mean())

    low, high = np.array([LOG_SCALE] * count + [LOG_RATIO] * len(anchors.ratios)).T
    start = np.clip(np.log2([*anchors.scales, *anchors.ratios]), low, high)
    found = differential_evolution(
        compute_cost,
        Bounds(low, high),
        x0=start,
        maxiter=GENERATIONS,
        popsize=POPULATION,
        rng=seed,
        polish=False,
        tol=1e-4,
    ).x
    values = [round(float(value), DIGITS) for value in 2**found]
    better = anchors.model_copy(
        update={"scales": tuple(sorted(values[:count])), "ratios": tuple(sorted(values[count:]))}
    )
    before, after = (measure_fit(objects, each, fg_iou_threshold) for each in (anchors, better))
    return better if after.recall + after.mean > before.recall + before.mean else anchors


def describe_doubts(objects: Objects, found: Anchors) -> list[str]:
    """Returns sentences on what makes the result of a search doubtful.

    Args:
        objects: The objects that were searched for.
        found: The anchors that `search_anchors` returned.
    """
    doubts, count = [], len(objects.boxes)
    if count < FEW_OBJECTS:
        few = "One object is" if count == 1 else f"{count} objects are"
        doubts.append(
            f"{few} too few to tell which anchors fit others: these "
            f"may fit everything else worse. Fit to {FEW_OBJECTS} objects or more."
        )
    if min(found.scales) >= 2 or max(found.scales) <= 0.5:
        scales = ", ".join(f"{scale:g}" for scale in found.scales)
        way, sizes = ("above", "raise") if min(found.scales) >= 2 else ("below", "lower")
        doubts.append(
            f"All scales ({scales}) lie {way} the sizes of the levels, so that each level takes the objects of the one "
            f"{way} it: {sizes} the sizes of the levels instead."
        )
    return doubts


def _draw_objects(objects: Objects, seed: int) -> Objects:
    order = torch.randperm(len(objects.boxes), generator=torch.Generator().manual_seed(seed))[:MAX_OBJECTS]
    return Objects(objects.boxes[order], objects.image_sizes[order])


def _compute_sides(boxes: Tensor) -> Tensor:
    return boxes[:, 2:] - boxes[:, :2]  # width and height, [N, 2]


def _compute_offsets(objects: Objects, anchors: Anchors) -> tuple[np.ndarray, np.ndarray]:
    """Computes each object's sides [M, 2] and its offsets to the nearest anchor centre of each level [M, L, 2] (x, y).

    For boxes of given shapes the IoU decreases with the distance along either axis, so the best anchor of a shape is
    the one with the nearest centre.
    """
    boxes = objects.boxes
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    offsets = torch.zeros(len(boxes), len(anchors.sizes), 2)
    for image_size in objects.image_sizes.unique(dim=0):
        chosen = (objects.image_sizes == image_size).all(dim=1)
        height, width = image_size.tolist()
        strides = torch.tensor(pyramid_strides(anchors, height, width)).flip(1)  # [L, 2], x before y
        last = torch.tensor(pyramid_grids(height, width)).flip(1) - 1
        at = centres[chosen][:, None, :]  # [m, 1, 2]
        offsets[chosen] = torch.minimum((at / strides).round().clamp(min=0), last) * strides - at
    return _compute_sides(boxes).numpy(), offsets.numpy()


def _compute_best_iou(sides: np.ndarray, offsets: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Returns the best IoU of each object, float32 [M].

    Args:
        sides: Width and height of each object, [M, 2].
        offsets: From the object's centre to the nearest anchor centre of each level, [M, L, 2].
        shapes: Width and height of the anchors of each level, [L, A, 2].
    """
    half = sides[:, None, None, :] / 2
    low = np.maximum(-half, offsets[:, :, None, :] - shapes / 2)  # [M, L, A, 2]
    high = np.minimum(half, offsets[:, :, None, :] + shapes / 2)
    inter = np.clip(high - low, 0, None).prod(axis=-1)  # [M, L, A]
    union = sides.prod(axis=-1)[:, None, None] + shapes.prod(axis=-1) - inter
    return (inter / union).max(axis=(1, 2), initial=0)

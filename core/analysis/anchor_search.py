"""How well anchors fit the objects of a data set, and a search for scales and ratios that fit better."""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import differential_evolution
from torch import Tensor

from core.config import Anchors, Inference
from core.data.dataset import DataSet
from core.retinanet.anchors import cell_anchors, pyramid_grids, pyramid_strides
from core.retinanet.preprocess import objects_of, prepare

MOST = 1000  # objects a search looks at; more change little
LOG_SCALE, LOG_RATIO = (-2.0, 2.0), (-3.0, 3.0)  # bounds of the search, as powers of two
GENERATIONS, POPULATION = 30, 12  # of the search; a population is this many for each number that is sought
DIGITS = 3  # of the numbers found


class Objects(NamedTuple):
    """Objects of many pictures.

    Attributes:
        boxes: float32 [M, 4], in the network's pixels.
        pictures: int64 [M, 2], height and width of the padded picture each is in.
    """

    boxes: Tensor
    pictures: Tensor


class Fit(NamedTuple):
    """How well anchors fit.

    Attributes:
        iou: float32 [M], the best IoU any anchor has with each object.
        recall: Share of the objects that reach the foreground threshold.
        mean: Mean of `iou`.
    """

    iou: Tensor
    recall: float
    mean: float


def collect(data: DataSet, inference: Inference, count: int) -> Objects:
    """Gathers the objects of the first `count` pictures of a data set as the network sees them; crowds are left out."""
    boxes, pictures = [torch.zeros(0, 4)], [torch.zeros(0, 2, dtype=torch.int64)]
    for index in range(min(count, len(data))):
        sample = data[index]
        batch = prepare([sample.image], inference)
        here, _ = objects_of(sample, batch.factors[0])
        boxes.append(here)
        pictures.append(torch.tensor(batch.pixels.shape[-2:]).expand(len(here), 2))
    return Objects(torch.cat(boxes), torch.cat(pictures))


def measure(objects: Objects, anchors: Anchors, fg_iou_threshold: float) -> Fit:
    """Returns how well anchors fit; recall and mean are nan without objects."""
    shapes = torch.stack([_sides(cell_anchors(anchors, size)) for size in anchors.sizes])  # [L, A, 2]
    iou = torch.from_numpy(_best_iou(*_offsets(objects, anchors), shapes.numpy()))
    if len(iou) == 0:
        return Fit(iou, math.nan, math.nan)
    return Fit(iou, (iou >= fg_iou_threshold).float().mean().item(), iou.mean().item())


def search(objects: Objects, anchors: Anchors, fg_iou_threshold: float, *, seed: int = 0) -> Anchors:
    """Looks for scales and ratios, as many as there are, with the highest recall and mean IoU (differential evolution).

    Args:
        objects: At least one.
        anchors: Their sizes and their convention stay.
        fg_iou_threshold: IoU from which an object is matched.
        seed: Of the search.

    Returns:
        The better anchors, or those given if nothing better was found.
    """
    chosen = _sample(objects, seed)
    offsets, sizes = _offsets(chosen, anchors), np.array(anchors.sizes, dtype=np.float32)
    count = len(anchors.scales)

    def cost(logs: np.ndarray) -> float:
        scales, roots = 2 ** logs[:count], 2 ** (logs[count:] / 2)
        sides = (sizes[:, None, None] * scales).repeat(len(roots), axis=1)  # [L, R, S]
        shapes = np.stack([sides / roots[:, None], sides * roots[:, None]], axis=-1)  # [L, R, S, 2]
        iou = _best_iou(*offsets, shapes.reshape(len(sizes), -1, 2).astype(np.float32))
        return -float((iou >= fg_iou_threshold).mean() + iou.mean())

    bounds = [LOG_SCALE] * count + [LOG_RATIO] * len(anchors.ratios)
    start = np.clip(np.log2([*anchors.scales, *anchors.ratios]), *np.array(bounds).T)
    found = differential_evolution(
        cost, bounds, x0=start, maxiter=GENERATIONS, popsize=POPULATION, rng=seed, polish=False, tol=1e-4
    ).x
    values = [round(float(value), DIGITS) for value in 2**found]
    better = anchors.model_copy(
        update={"scales": tuple(sorted(values[:count])), "ratios": tuple(sorted(values[count:]))}
    )
    before, after = (measure(objects, each, fg_iou_threshold) for each in (anchors, better))
    return better if after.recall + after.mean > before.recall + before.mean else anchors


def _sample(objects: Objects, seed: int) -> Objects:
    order = torch.randperm(len(objects.boxes), generator=torch.Generator().manual_seed(seed))[:MOST]
    return Objects(objects.boxes[order], objects.pictures[order])


def _sides(boxes: Tensor) -> Tensor:
    return boxes[:, 2:] - boxes[:, :2]  # width and height, [N, 2]


def _offsets(objects: Objects, anchors: Anchors) -> tuple[np.ndarray, np.ndarray]:
    """Returns the objects' sides [M, 2], and how far from each the nearest place of every level is [M, L, 2] (x, y).

    IoU with a box of given shape falls with the distance along either axis, so the nearest place has the best one.
    """
    boxes = objects.boxes
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    away = torch.zeros(len(boxes), len(anchors.sizes), 2)
    for picture in objects.pictures.unique(dim=0):
        here = (objects.pictures == picture).all(dim=1)
        height, width = picture.tolist()
        strides = torch.tensor(pyramid_strides(anchors, height, width)).flip(1)  # [L, 2], x before y
        last = torch.tensor(pyramid_grids(height, width)).flip(1) - 1
        at = centres[here][:, None, :]  # [m, 1, 2]
        away[here] = torch.minimum((at / strides).round().clamp(min=0), last) * strides - at
    return _sides(boxes).numpy(), away.numpy()


def _best_iou(sides: np.ndarray, away: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Returns the best IoU of each object, float32 [M].

    Args:
        sides: Width and height of each object, [M, 2].
        away: From its centre to that of the nearest anchors of each level, [M, L, 2].
        shapes: Width and height of a level's anchors, [L, A, 2].
    """
    half = sides[:, None, None, :] / 2
    low = np.maximum(-half, away[:, :, None, :] - shapes / 2)  # [M, L, A, 2]
    high = np.minimum(half, away[:, :, None, :] + shapes / 2)
    inter = np.clip(high - low, 0, None).prod(axis=-1)  # [M, L, A]
    union = sides.prod(axis=-1)[:, None, None] + shapes.prod(axis=-1) - inter
    return (inter / union).max(axis=(1, 2), initial=0)

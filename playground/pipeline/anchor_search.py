"""Anchors that fit: a search on the page's picture, on scenes made with its dials, or on a data set."""

import torch

from core.analysis.anchor_search import Objects, collect_objects, measure_fit, search_anchors
from core.analysis.size_check import join_objects
from core.config import Config
from core.data.sources import SceneData
from core.errors import UserError
from playground.data.image_ref import ImageRef, is_from_data_set
from playground.data.sources import read_annotations
from playground.pipeline.pipeline import Pipeline

SCENES = 100
FIT_TO = ("this picture", f"{SCENES} scenes with these dials", "the data set on show")


def fitted(whose: str, pipeline: Pipeline, place: ImageRef | None = None) -> tuple[Config, str]:
    """Returns the settings with better scales and ratios, and what they improve, in a sentence.

    Args:
        whose: One of `FIT_TO`.
        pipeline: The picture under the settings.
        place: Of the picture in its data set.

    Raises:
        UserError: There are no objects to fit, or `whose` is none of `FIT_TO`.
    """
    if whose not in FIT_TO:
        raise UserError(f"Anchors can be fitted to {' or to '.join(FIT_TO)}, not to {whose!r}.")
    config = pipeline.config
    if whose == FIT_TO[0]:
        objects = _of_picture(pipeline)
    else:
        objects = _of_scenes(config) if whose == FIT_TO[1] else _of_data(place, config)
    if not len(objects.boxes):
        raise UserError("There is no object that anchors could fit: draw some in the Picture step first.")
    threshold = config.matching.fg_iou_threshold
    better = search_anchors(objects, config.anchors, threshold)
    before, after = (measure_fit(objects, each, threshold) for each in (config.anchors, better))
    said = (
        f"Fitted to {whose}: {before.recall:.0%} → {after.recall:.0%} of {len(objects.boxes)} objects reach "
        f"IoU {threshold:g}, mean best IoU {before.mean:.2f} → {after.mean:.2f}."
    )
    return config.replace({"anchors.scales": better.scales, "anchors.ratios": better.ratios}), said


def _of_data(place: ImageRef | None, config: Config) -> Objects:
    if not is_from_data_set(place):
        raise UserError("There is no data set on show: choose one above the picture.")
    looks = read_annotations(place.source, config)
    return join_objects([look for each in looks.values() for look in each])[0]


def _of_picture(pipeline: Pipeline) -> Objects:
    boxes = pipeline.objects[0]
    return Objects(boxes, torch.tensor(pipeline.batch.pixels.shape[-2:]).expand(len(boxes), 2))


def _of_scenes(config: Config) -> Objects:
    return collect_objects(SceneData(config.scenes, SCENES, "train"), config.inference, SCENES)

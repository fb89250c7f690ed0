"""Fits the anchors' scales and ratios to the objects of the picture, of generated scenes, or of a data set."""

import torch

from core.analysis.anchor_search import Objects, collect_objects, describe_doubts, measure_fit, search_anchors
from core.analysis.size_check import join_objects
from core.config import Config
from core.data.sources import SceneData
from core.errors import UserError, quote
from core.io.text import count_noun
from playground.data.image_ref import ImageRef, is_from_album, is_from_data_set
from playground.data.sources import read_annotations
from playground.pipeline.pipeline import Pipeline

SCENES = 100
FIT_TO = ("this picture", f"{SCENES} generated scenes", "this data set")


def fit_anchors(target: str, pipeline: Pipeline, image_ref: ImageRef | None = None) -> tuple[Config, str]:
    """Returns the settings with better scales and ratios, and sentences on how much they improve the fit.

    Args:
        target: The objects to fit, one of `FIT_TO`.
        pipeline: The picture under the settings.
        image_ref: The picture's address in its data set.

    Raises:
        UserError: There are no objects to fit, or `target` is not one of `FIT_TO`.
    """
    config = pipeline.config
    objects = _collect(target, pipeline, image_ref)
    if not len(objects.boxes):
        raise UserError(f"There is no object in {target} to fit anchors to: choose other ones, or draw some.")
    threshold = config.matching.fg_iou_threshold
    better = search_anchors(objects, config.anchors, threshold)
    before, after = (measure_fit(objects, each, threshold) for each in (config.anchors, better))
    sentence = (
        f"Fitted to {target}: {before.recall:.0%} → {after.recall:.0%} of {count_noun(len(objects.boxes), 'object')} "
        f"reach IoU {threshold:g}, mean best IoU {before.mean:.2f} → {after.mean:.2f}."
    )
    said = " ".join([sentence, *describe_doubts(objects, better)])
    return config.replace({"anchors.scales": better.scales, "anchors.ratios": better.ratios}), said


def _collect(target: str, pipeline: Pipeline, image_ref: ImageRef | None) -> Objects:
    if target == FIT_TO[0]:
        boxes = pipeline.objects[0]
        return Objects(boxes, torch.tensor(pipeline.batch.pixels.shape[-2:]).expand(len(boxes), 2))
    if target == FIT_TO[1]:
        config = pipeline.config
        return collect_objects(SceneData(config.scenes, SCENES, "train"), config.inference, SCENES)
    if target == FIT_TO[2]:
        return _collect_from_data_set(image_ref, pipeline.config, pipeline.visitor)
    raise UserError(f"Anchors can be fitted to {' or to '.join(FIT_TO)}, not to {quote(target)}.")


def _collect_from_data_set(image_ref: ImageRef | None, config: Config, visitor: str) -> Objects:
    if not (is_from_data_set(image_ref) or is_from_album(image_ref)):
        raise UserError("The picture does not belong to a data set: choose one above the picture.")
    splits = read_annotations(image_ref.source, config, visitor)
    return join_objects([image for split in splits.values() for image in split])[0]

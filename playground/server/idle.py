"""The knobs that do not act on what is on show, and when they would."""

import json
from collections.abc import Mapping

from core.config import Circumstances, knobs
from core.retinanet.tiles import is_tiled
from core.scenes.render import CLASS_NAMES
from playground.layout.knob_widgets import element_id
from playground.pipeline.pipeline import Pipeline
from playground.steps.step import THE_FIGURE


def build_idle(pipeline: Pipeline, moves: Mapping[str, str]) -> str:
    """Returns a sentence for each knob that does not act, and whether it is quiet, by the id of its element, as JSON.

    Args:
        pipeline: The picture and the settings on show.
        moves: What a knob changes on show even then, in words, by path; one that moves the figure is not quiet.
    """
    known = describe_circumstances(pipeline)
    reasons = {path: knob.idle_reason(pipeline.config, known) for path, knob in knobs().items()}
    return json.dumps(
        {
            element_id(path): (_describe(reason, moves.get(path, "")), moves.get(path) != THE_FIGURE)
            for path, reason in reasons.items()
            if reason
        }
    )


def _describe(reason: str, moved: str) -> str:
    sentence = reason[0].upper() + reason[1:]
    return f"{sentence}; now it changes only {moved}" if moved else sentence


def describe_circumstances(pipeline: Pipeline) -> Circumstances:
    """Returns what is known of the picture on show; training uses the data that it is from."""
    height, width = pipeline.batch.originals[0]
    own_classes = pipeline.picture.class_names if pipeline.image_ref else CLASS_NAMES
    return Circumstances(
        generated=pipeline.picture.is_scene,
        single_image=True,
        tiled=is_tiled(height, width, pipeline.config.inference),
        several_classes=len(pipeline.class_names) > 1,
        new_classes=sorted(own_classes) != sorted(pipeline.class_names),
    )

"""The knobs that do not act on what is on show, and when they would."""

import json

from core.config import Circumstances, knobs
from core.retinanet.tiles import is_tiled
from core.scenes.render import CLASS_NAMES
from playground.layout.knob_widgets import element_id
from playground.pipeline.pipeline import Pipeline


def build_idle(pipeline: Pipeline) -> str:
    """Returns a sentence for each knob that does not act, by the id of its element, as JSON."""
    known = describe_circumstances(pipeline)
    reasons = {path: knob.idle_reason(pipeline.config, known) for path, knob in knobs().items()}
    return json.dumps({element_id(path): reason[0].upper() + reason[1:] for path, reason in reasons.items() if reason})


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

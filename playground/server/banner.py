"""The banner above the picture: what the weights know, if the picture is of another kind, and what helps."""

import json
from typing import Any

from core.errors import UserError
from core.weights.download import COCO, DOWNLOADED, published
from core.weights.weights import ON_COCO
from playground.data.image_ref import is_from_album, is_from_data_set
from playground.pipeline.knowledge import find_unknown, judge, knowledge_of
from playground.pipeline.networks import MissingWeightsError, count_megabytes, find_missing
from playground.pipeline.pipeline import Pipeline
from playground.support.wording import name_knobs

BEST_COCO = "coco_v2"  # AP 41.5 on COCO's val2017, coco 36.4, with the same compute
TITLES = {"coco": "COCO", "coco_v2": "COCO", "imagenet": "ImageNet"}
SOURCES = {
    "COCO": "COCO weights: torchvision's RetinaNet (BSD-3-Clause), trained on COCO 2017 (annotations CC BY 4.0, "
    "photographs under Flickr's terms of use).",
    "ImageNet": "ImageNet weights: torchvision's ResNet (BSD-3-Clause), trained on ImageNet-1k, whose terms allow "
    "research and education only.",
}
TEACH, TRAIN = "teach", "train"
ARRIVED = "downloaded"  # once a download is over
Button = dict[str, Any]


def build_banner(pipeline: Pipeline, pinned: Pipeline | None = None) -> str:
    """Returns the value of the banner as JSON, "" if there is nothing to say.

    Args:
        pipeline: The picture on the page.
        pinned: The pinned picture if it is beside.
    """
    text, buttons = _say(pipeline)
    other = _say(pinned)[0] if pinned else ""
    if other and other != text:
        text = f"{text} A: {other}".strip()
    return json.dumps({"text": text, "buttons": buttons, "source": _name_sources(buttons)}) if text else ""


def offer(name: str, depth: int) -> str:
    """Returns the banner that offers weights which have to be downloaded first."""
    missing = published(name, depth)
    text = f"The {missing.name} weights ({count_megabytes(missing.size)}) are not on this server yet."
    buttons = [weights_button(name, depth)]
    return json.dumps({"text": text, "buttons": buttons, "source": _name_sources(buttons)})


def weights_button(name: str, depth: int = 0) -> Button:
    """Returns the button that chooses weights, and downloads them first if they are not here."""
    missing = find_missing(name, depth)
    size = f" ({count_megabytes(missing.size)})" if missing else ""
    label = f"Use {TITLES[name]} weights{size}" if name in TITLES else "Use the built-in weights"
    return {"action": "weights", "label": label, "name": name, "depth": depth, "download": bool(missing)}


def _say(pipeline: Pipeline) -> tuple[str, list[Button]]:
    """Returns what must be said about the weights and the picture, and the buttons that help."""
    model, from_data_set = pipeline.config.model, is_from_data_set(pipeline.image_ref)
    try:
        knowledge = knowledge_of(pipeline.config)
    except MissingWeightsError as error:
        return name_knobs(error), [weights_button(model.weights, model.depth)]
    except UserError:  # the step says why these weights cannot be used; nothing is detected
        return "", []
    text = judge(pipeline.picture, knowledge, from_data_set=from_data_set, from_album=is_from_album(pipeline.image_ref))
    if not text:
        return "", []
    if pipeline.picture.is_scene:
        return text, [weights_button("builtin")]
    unknown = find_unknown(pipeline.picture, knowledge, from_data_set=from_data_set)
    buttons = [] if knowledge.trained_on == ON_COCO or not _coco_helps(unknown) else [weights_button(BEST_COCO)]
    return text, [*buttons, _teach_button(pipeline)]


def _coco_helps(unknown: list[str]) -> bool:
    """True unless the picture has classes that neither these weights nor those of COCO know."""
    return set(unknown) <= set(COCO[BEST_COCO].meta["categories"])


def _teach_button(pipeline: Pipeline) -> Button:
    if is_from_data_set(pipeline.image_ref) and pipeline.picture.class_names:
        return {"action": TRAIN, "label": "Train on this data set"}
    return {"action": TEACH, "label": "Teach it your objects"}


def _name_sources(buttons: list[Button]) -> str:
    """Returns source and licence of the weights that the buttons download."""
    titles = dict.fromkeys(TITLES[each["name"]] for each in buttons if each.get("name") in DOWNLOADED)
    return " ".join(SOURCES[title] for title in titles)

"""The network: ResNet body, feature pyramid, two heads; their sizes and what they see in this picture."""

from functools import lru_cache

import torch

from core.anchors import LEVELS
from core.architecture import WeightsError
from core.hyperparameters import Model
from core.model import build_model, freeze
from core.model_stats import Part, describe, gflops, training_bytes
from playground import readout
from playground.situation import Situation
from playground.step import Focus, Look, Step, level_heat, section

PART_NAMES = {
    "stem": "stem (stage 1)",
    "layer1": "res2 (stage 2)",
    "layer2": "res3 (stage 3)",
    "layer3": "res4 (stage 4)",
    "layer4": "res5 (stage 5)",
    "fpn": "feature pyramid",
    "class head": "class subnet",
    "box head": "box subnet",
}


def look(situation: Situation, focus: Focus) -> Look:
    """Shows a feature map, the shapes on the way and where the parameters are."""
    try:
        pyramid = situation.pyramid
    except WeightsError as error:  # how large it would be can be told without weights
        text = readout.paragraph(f"{error} So far this is only its size:") + _sizes(situation)
        return Look(readout=text)
    activity = pyramid.levels[focus.level][0].abs().mean(dim=0)  # [rows, columns]
    scaled = (activity / activity.max().clamp(min=1e-9)).numpy()
    heat = level_heat(situation, focus.level, scaled, key="features", label="mean |feature|")
    maps = [*zip(("C3", "C4", "C5"), pyramid.body, strict=True), *zip(LEVELS, pyramid.levels, strict=True)]
    shapes = tuple((name, f"{each.shape[1]} × {each.shape[2]} × {each.shape[3]}") for name, each in maps)
    text = _sizes(situation)
    text += readout.table(readout.Table("Maps of this picture", ("map", "channels × rows × columns"), shapes))
    return Look(heat=heat, readout=text)


def _sizes(situation: Situation) -> str:
    config, classes = situation.config, len(situation.class_names)
    parts = parts_of(config.model, classes, config.anchors.per_place)
    total, trainable = sum(part.parameters for part in parts), sum(part.trainable for part in parts)
    height, width = situation.batch.pixels.shape[-2:]
    shape = {"num_classes": classes, "anchors_per_place": config.anchors.per_place, "height": height, "width": width}
    memory = training_bytes(config.model, **shape, batch_size=config.training.batch_size)
    text = readout.facts(
        [
            ("parameters", f"{total / 1e6:.1f} M"),
            ("of them train", readout.percent(trainable / total)),
            ("work a picture", f"{gflops(config.model, **shape):.1f} GFLOP"),
            (f"to train on {config.training.batch_size}", f"{memory / 2**30:.1f} GiB"),
            ("classes", str(classes)),
        ]
    )
    rows = tuple((PART_NAMES[part.name], readout.count(part.parameters), _trains(part)) for part in parts)
    return text + readout.table(readout.Table("Parameters", ("part", "number", "trains"), rows))


def _trains(part: Part) -> str:
    return "yes" if part.trainable == part.parameters else "frozen" if part.trainable == 0 else "partly"


@lru_cache(maxsize=64)
def parts_of(model: Model, num_classes: int, anchors_per_place: int) -> tuple[Part, ...]:
    """Counts the parameters that settings give each part, and which train, without making a network."""
    with torch.device("meta"):
        network = build_model(model, num_classes=num_classes, anchors_per_place=anchors_per_place)
    freeze(network, model.freeze_stages, batch_norm=model.batch_norm)
    return describe(network)


def _headline(situation: Situation) -> str:
    config = situation.config
    parts = parts_of(config.model, len(situation.class_names), config.anchors.per_place)
    return f"ResNet-{config.model.depth} · {sum(part.parameters for part in parts) / 1e6:.1f} M"


STEP = Step(
    "network",
    "Network",
    "A ResNet body turns the picture into maps, the feature pyramid into five levels P3–P7, and two small subnets say "
    "for every anchor what it shows and how to correct its box. The colours show where a level is active.",
    section("model"),
    _headline,
    look,
    uses_level=True,
)

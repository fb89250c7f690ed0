"""The network and where its weights come from."""

from typing import Literal

from core.config.knob import Effect, Section, knob

ALL_STAGES = 5  # of the body: the stem, then res2 … res5
BUILT_IN_WEIGHTS = ("builtin", "imagenet", "coco", "coco_v2", "random")


class Model(Section):
    """The network: ResNet body, feature pyramid and the two heads (paper, section 4)."""

    weights: str = knob(
        "builtin", label="Initial weights", effect=Effect.FORWARD, options=BUILT_IN_WEIGHTS, min_length=1,
        help="Where the weights come from: builtin is the small detector trained on these scenes, coco and coco_v2 are "
        "torchvision's (ResNet-50), imagenet loads the body only, random starts from nothing.",
    )  # fmt: skip
    heads: Literal["loaded", "new"] = knob(
        "loaded", label="Heads", effect=Effect.FORWARD,
        help="loaded takes the heads from the initial weights too; new starts them afresh, with π, on the loaded body "
        "and pyramid, so that anchors a place and head settings are free.",
    )  # fmt: skip
    depth: Literal[18, 34, 50, 101, 152] = knob(
        18, label="Backbone depth", effect=Effect.FORWARD,
        help="Layers of the ResNet body; deeper sees more and costs more time and memory.",
    )  # fmt: skip
    fpn_channels: int = knob(
        64, label="FPN channels", effect=Effect.FORWARD, ge=32, le=512, step=32, multiple_of=32,
        help="Width of every pyramid level and head convolution; the paper uses 256, narrow ones are fast.",
    )  # fmt: skip
    num_convs: int = knob(
        4, label="Head convolutions", effect=Effect.FORWARD, ge=0, le=6, step=1,
        help="3×3 convolutions in the class and in the box subnet, the final prediction layer not counted; "
        "more lets the heads combine a wider neighbourhood.",
    )  # fmt: skip
    head_norm: Literal["none", "group"] = knob(
        "group", label="Head normalisation", effect=Effect.FORWARD,
        help="Group normalisation after each head convolution steadies training from random weights; the paper: none.",
    )  # fmt: skip
    p6_source: Literal["c5", "p5"] = knob(
        "c5", label="P6 computed from", effect=Effect.FORWARD,
        help="Whether level P6 is made from the body's C5 (paper, torchvision v2) or the pyramid's P5 "
        "(torchvision v1); match it to the weights you load.",
    )  # fmt: skip
    prior_probability: float = knob(
        0.01, label="Prior probability π", effect=Effect.FORWARD, ge=0.0001, le=0.5, step=0.0001,
        help="Score every anchor starts with before training; small π keeps 100,000 background anchors "
        "from drowning the first steps (0.5 is no prior). Acts where heads start afresh.",
    )  # fmt: skip
    freeze_stages: int = knob(
        0, label="Frozen stages", effect=Effect.TRAIN, ge=0, le=ALL_STAGES, step=1,
        help="Stages of the body that do not train (1 the stem, 2–5 res2–res5); cheaper, but too many hurt.",
    )  # fmt: skip
    batch_norm: Literal["live", "frozen"] = knob(
        "live", label="Batch norm while training", effect=Effect.TRAIN,
        help="live normalises by each batch and updates the running statistics; frozen keeps the loaded ones, "
        "better for batches of one or two.",
    )  # fmt: skip

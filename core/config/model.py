"""Hyperparameters of the network and its initial weights."""

from typing import Literal

from core.config.condition import Check, when
from core.config.knob import Effect, Section, knob

ALL_STAGES = 5  # of the backbone: the stem, then res2 … res5
BUILT_IN_WEIGHTS = ("builtin", "imagenet", "coco", "coco_v2", "random")
WITHOUT_HEADS = ("imagenet", "random")  # weights of the backbone or none; the rest is initialised at random

HAVE_CONVOLUTIONS = when("when the heads have convolutions", Check("model.num_convs", above=0))
HAVE_HEADS = when("when the initial weights have heads", Check("model.weights", excluded=WITHOUT_HEADS))
NEW_HEADS = when(
    "when the heads are new, not loaded with the weights",
    Check("model.heads", ("new",)),
    Check("new_classes", (True,)),
    Check("model.weights", WITHOUT_HEADS),
)


class Model(Section):
    """The network: ResNet backbone, feature pyramid and the two heads (paper, section 4)."""

    weights: str = knob(
        "builtin", label="Initial weights", effect=Effect.FORWARD, options=BUILT_IN_WEIGHTS, min_length=1,
        help="Source of the weights: builtin is the small detector trained on the generated scenes, coco and coco_v2 "
        "are torchvision's (ResNet-50), imagenet loads only the backbone, random loads nothing.",
    )  # fmt: skip
    heads: Literal["loaded", "new"] = knob(
        "loaded", label="Heads", effect=Effect.FORWARD, acts=(HAVE_HEADS,),
        help="loaded keeps the heads of the initial weights; new re-initialises them with the prior π on the loaded "
        "backbone and pyramid, so that the anchors per location and the head settings can change.",
    )  # fmt: skip
    depth: Literal[18, 34, 50, 101, 152] = knob(
        18, label="Backbone depth", effect=Effect.FORWARD,
        help="Layers of the ResNet backbone; deeper ones have more capacity and cost more time and memory.",
    )  # fmt: skip
    fpn_channels: int = knob(
        64, label="FPN channels", effect=Effect.FORWARD, ge=32, le=512, step=32, multiple_of=32,
        help="Channels of every pyramid level and head convolution; the paper uses 256, fewer are faster.",
    )  # fmt: skip
    num_convs: int = knob(
        4, label="Head convolutions", effect=Effect.FORWARD, ge=0, le=6, step=1,
        help="3×3 convolutions in the class and in the box subnet, not counting the prediction layer; "
        "more of them give the heads a larger receptive field.",
    )  # fmt: skip
    head_norm: Literal["none", "group"] = knob(
        "group", label="Head normalisation", effect=Effect.FORWARD, acts=(HAVE_CONVOLUTIONS,),
        help="Group normalisation after each head convolution stabilises training from random weights; the paper uses "
        "none.",
    )  # fmt: skip
    head_groups: Literal[1, 2, 4, 8, 16, 32] = knob(
        32, label="Groups of the head normalisation", effect=Effect.FORWARD,
        acts=(when("when the head normalisation is group", Check("model.head_norm", ("group",))),),
        help="Number of groups of channels in each group normalisation, at most half the channels; it must match the "
        "loaded weights.",
    )  # fmt: skip
    norm_eps: float = knob(
        1e-5, label="ε of the batch norms", effect=Effect.FORWARD, ge=0, le=0.5, options=(0.0, 1e-6, 1e-5, 1e-4, 1e-3),
        help="Added to each variance in the backbone's batch norms; it must match the loaded weights (torchvision's "
        "COCO v1 weights need 0, TensorFlow's usually 0.001).",
    )  # fmt: skip
    p6_source: Literal["c5", "p5"] = knob(
        "c5", label="P6 computed from", effect=Effect.FORWARD,
        help="Input of level P6: the backbone's C5 (paper, torchvision v2) or the pyramid's P5 (torchvision v1); it "
        "must match the loaded weights.",
    )  # fmt: skip
    prior_probability: float = knob(
        0.01, label="Prior probability π", effect=Effect.FORWARD, ge=0.0001, le=0.5, step=0.0001, acts=(NEW_HEADS,),
        help="Score of every anchor before training; a small π keeps the loss of 100,000 background anchors "
        "from dominating the first steps (0.5 is no prior). Only acts on heads that are newly initialised.",
    )  # fmt: skip
    freeze_stages: int = knob(
        0, label="Frozen stages", effect=Effect.TRAIN, ge=0, le=ALL_STAGES, step=1,
        help="Backbone stages that are not trained (1 is the stem, 2–5 are res2–res5); saves time and memory, but "
        "too many cost accuracy.",
    )  # fmt: skip
    batch_norm: Literal["live", "frozen"] = knob(
        "live", label="Batch norm in training", effect=Effect.TRAIN,
        acts=(when("while a stage of the backbone is not frozen", Check("model.freeze_stages", below=ALL_STAGES)),),
        help="live normalises with each batch's statistics and updates the running ones; frozen keeps the loaded ones, "
        "which is better for batches of one or two images.",
    )  # fmt: skip

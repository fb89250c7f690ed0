"""Hyperparameters of the anchors and of their assignment to objects."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.config.condition import Check, when
from core.config.knob import Effect, Section, knob

OUTPUT_ASSIGNERS = ("simota",)  # assigners that look at what the network predicts
MAX_IOU = when("when the assigner is max IoU", Check("matching.assigner", ("max_iou",)))
Scale = Annotated[float, Field(ge=0.25, le=4)]
Ratio = Annotated[float, Field(ge=0.05, le=20)]


class Anchors(Section):
    """Boxes tiled over the pyramid, `scales × ratios` at each location (paper, section 4, "Anchors")."""

    size_p3: float = knob(
        16, label="Size on P3", effect=Effect.ANCHORS, ge=4, le=256, step=1, unit="px",
        help="Side of the square anchor on P3; lower it when small objects match no anchor (the paper uses 32 px, for "
        "images of 600–800 px).",
    )  # fmt: skip
    size_p4: float = knob(
        32, label="Size on P4", effect=Effect.ANCHORS, ge=8, le=512, step=1, unit="px",
        help="Side of the square anchor on P4; sizes usually double from level to level, and the scales fill the "
        "octave in between.",
    )  # fmt: skip
    size_p5: float = knob(
        64, label="Size on P5", effect=Effect.ANCHORS, ge=16, le=1024, step=1, unit="px",
        help="Side of the square anchor on P5; change it when medium-sized objects match no anchor.",
    )  # fmt: skip
    size_p6: float = knob(
        128, label="Size on P6", effect=Effect.ANCHORS, ge=32, le=2048, step=1, unit="px",
        help="Side of the square anchor on P6; change it when large objects match no anchor.",
    )  # fmt: skip
    size_p7: float = knob(
        256, label="Size on P7", effect=Effect.ANCHORS, ge=64, le=4096, step=1, unit="px",
        help="Side of the square anchor on P7; only objects that fill the image need it.",
    )  # fmt: skip
    scales: tuple[Scale, ...] = knob(
        (1.0, 2 ** (1 / 3), 2 ** (2 / 3)), label="Scales per octave", effect=Effect.ANCHORS,
        options=(0.5, 0.75, 1.0, 2 ** (1 / 3), 2**0.5, 2 ** (2 / 3)), min_length=1, max_length=6,
        help="Factors on each level's size; with three per octave, every object size is within 12% of an anchor's.",
    )  # fmt: skip
    ratios: tuple[Ratio, ...] = knob(
        (0.5, 1.0, 2.0), label="Aspect ratios", effect=Effect.ANCHORS,
        options=(0.2, 0.25, 1 / 3, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0), min_length=1, max_length=9,
        help="Height over width at equal area; add 1/3 and 3 when elongated objects match no anchor.",
    )  # fmt: skip
    convention: Literal["torchvision", "exact"] = knob(
        "torchvision", label="Anchor arithmetic", effect=Effect.ANCHORS,
        help="torchvision truncates sizes, rounds corners to whole pixels and fits the strides to the grid; exact "
        "keeps fractions and strides 8–128 (mmdetection; detectron2 in another order). Use the one the weights were "
        "trained with.",
    )  # fmt: skip

    @property
    def sizes(self) -> tuple[float, ...]:
        """Base size of each level P3–P7, in pixels."""
        return (self.size_p3, self.size_p4, self.size_p5, self.size_p6, self.size_p7)

    @property
    def per_location(self) -> int:
        """Number of anchors per location, A."""
        return len(self.scales) * len(self.ratios)


class Matching(Section):
    """Assignment of anchors to objects (paper, section 4, "Anchors"; the README names the papers of later ones)."""

    assigner: Literal["max_iou", "atss", "simota"] = knob(
        "max_iou", label="Assigner", effect=Effect.ASSIGN,
        help="max IoU: the paper's two thresholds. ATSS: each object has its own threshold, from the IoUs of the "
        "anchors closest to it. SimOTA: each object takes the anchors whose predictions suit it best, so that the "
        "assignment changes as the network learns.",
    )  # fmt: skip
    bg_iou_threshold: float = knob(
        0.4, label="Background IoU threshold", effect=Effect.ASSIGN, ge=0, le=1, step=0.01, acts=(MAX_IOU,),
        help="Anchors with a best IoU below this are background; those between the two thresholds are ignored.",
    )  # fmt: skip
    fg_iou_threshold: float = knob(
        0.5, label="Foreground IoU threshold", effect=Effect.ASSIGN, ge=0, le=1, step=0.01, acts=(MAX_IOU,),
        help="Anchors with a best IoU of at least this are foreground; at 0.9 only the most precise ones are.",
    )  # fmt: skip
    force_best_match: bool = knob(
        True, label="Force best match", effect=Effect.ASSIGN,
        acts=(when("when the foreground IoU threshold is above 0", Check("matching.fg_iou_threshold", above=0)),),
        help="Makes the anchor with an object's highest IoU foreground, however low that is, for the object it "
        "overlaps most itself; without it, small or elongated objects may get no anchor.",
    )  # fmt: skip
    atss_topk: int = knob(
        9, label="ATSS candidates", effect=Effect.ASSIGN, ge=1, le=100, step=1,
        acts=(when("when the assigner is ATSS", Check("matching.assigner", ("atss",))),),
        help="How many of the closest anchors of each level are an object's candidates, k in ATSS. With few, the "
        "closest location decides alone; with many, the object's own threshold falls, and more anchors reach it.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.bg_iou_threshold > self.fg_iou_threshold:
            raise ValueError(
                f"matching.bg_iou_threshold ({self.bg_iou_threshold:g}) must not be above "
                f"matching.fg_iou_threshold ({self.fg_iou_threshold:g}): lower the first or raise the second."
            )
        return self

"""Hyperparameters of the generated images."""

from typing import Self

from pydantic import model_validator

from core.config.condition import Check, when
from core.config.knob import Effect, Section, knob

GENERATED = when("on generated scenes, not on other pictures", Check("generated", (True,)))
POPULATED = when("when not all images are empty", Check("scenes.empty_share", below=1))
CROWDED = when("when an image may have several objects", Check("scenes.max_objects", above=1))


class Scenes(Section):
    """The procedural data set: images with adjustable content and exact boxes."""

    seed: int = knob(
        0, label="Scene seed", effect=Effect.DATA, ge=0, le=2**31 - 1, step=None, acts=(GENERATED,),
        help="Seed of the generated image or data set; another seed gives other images with the same settings.",
    )  # fmt: skip
    image_size: int = knob(
        256, label="Scene size", effect=Effect.DATA, ge=64, le=1024, step=32, unit="px", acts=(GENERATED,),
        help="Side of the square images that are generated.",
    )  # fmt: skip
    min_objects: int = knob(
        3, label="Minimum objects", effect=Effect.DATA, ge=0, le=100, step=1, acts=(GENERATED, POPULATED),
        help="Fewest objects drawn for an image, empty ones aside; objects that find no room are left out.",
    )  # fmt: skip
    max_objects: int = knob(
        10, label="Maximum objects", effect=Effect.DATA, ge=1, le=100, step=1, acts=(GENERATED, POPULATED),
        help="Most objects in an image; crowds test NMS, top-K and the maximum number of detections.",
    )  # fmt: skip
    min_size: float = knob(
        0.05, label="Smallest object", effect=Effect.DATA, ge=0.02, le=1, step=0.01, acts=(GENERATED, POPULATED),
        help="Longer side of the smallest objects as a fraction of the image; tiny ones match no anchor.",
    )  # fmt: skip
    max_size: float = knob(
        0.5, label="Largest object", effect=Effect.DATA, ge=0.02, le=1, step=0.01, acts=(GENERATED, POPULATED),
        help="Longer side of the largest objects as a fraction of the image.",
    )  # fmt: skip
    elongation: float = knob(
        2.0, label="Elongation", effect=Effect.DATA, ge=1, le=8, step=0.1, acts=(GENERATED, POPULATED),
        help="Largest ratio of an object's length to its width; very long ones match none of the usual anchors.",
    )  # fmt: skip
    overlap: float = knob(
        0.3, label="Overlap", effect=Effect.DATA, ge=0, le=0.8, step=0.05, acts=(GENERATED, POPULATED, CROWDED),
        help="Largest fraction of an object that others may cover; overlapping objects of one class test NMS.",
    )  # fmt: skip
    clutter: float = knob(
        0.4, label="Clutter", effect=Effect.DATA, ge=0, le=1, step=0.05, acts=(GENERATED,),
        help="Amount of background shapes that resemble objects: hard negatives.",
    )  # fmt: skip
    noise: float = knob(
        0.15, label="Noise", effect=Effect.DATA, ge=0, le=1, step=0.05, acts=(GENERATED,),
        help="Strength of the simulated camera noise.",
    )  # fmt: skip
    imbalance: float = knob(
        0.0, label="Class imbalance", effect=Effect.DATA, ge=0, le=1, step=0.05, acts=(GENERATED, POPULATED),
        help="0 draws all classes equally often; towards 1 the last ones become rare.",
    )  # fmt: skip
    empty_share: float = knob(
        0.0, label="Empty images", effect=Effect.DATA, ge=0, le=1, step=0.05, acts=(GENERATED,),
        help="Fraction of images without any object.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        for low, high in (("min_objects", "max_objects"), ("min_size", "max_size")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(
                    f"scenes.{low} ({getattr(self, low):g}) must not be above scenes.{high} "
                    f"({getattr(self, high):g}): lower the first or raise the second."
                )
        return self

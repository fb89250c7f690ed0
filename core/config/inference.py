"""Hyperparameters of preprocessing and post-processing."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.config.condition import SEVERAL_CLASSES, Check, when
from core.config.knob import Effect, Section, knob

MIN_TILE = 32  # px; smaller tiles would be countless
ViewScale = Annotated[float, Field(ge=0.25, le=3)]

PASSABLE = when("when the score threshold is below 1", Check("inference.score_threshold", below=1))
TILED = when("when the tile size is above 0", Check("inference.tile_size", above=0))
LARGER = when("when the picture is larger than a tile", Check("tiled", (True,)))
SUPPRESSES = when(
    "when the NMS threshold is below 1",
    Check("inference.nms_kind", ("soft",)),
    Check("inference.nms_threshold", below=1),
)


class Inference(Section):
    """Resizing of images, and post-processing of the outputs into detections (paper, section 4, "Inference")."""

    image_size: int = knob(
        256, label="Shorter side", effect=Effect.FORWARD, ge=32, le=1600, step=32, unit="px",
        help="Images are resized so that the shorter side has this length; larger finds smaller objects but is slower.",
    )  # fmt: skip
    max_image_size: int = knob(
        1333, label="Maximum longer side", effect=Effect.FORWARD, ge=32, le=2666, step=1, unit="px",
        help="Limit of the longer side, which takes precedence over the shorter side; keeps panoramas affordable.",
    )  # fmt: skip
    precision: Literal["fp32", "bf16"] = knob(
        "fp32", label="Precision of inference", effect=Effect.FORWARD,
        help="bf16 computes predictions with half the bits: faster where the processor has instructions for it, with "
        "slightly different scores and boxes.",
    )  # fmt: skip
    tile_size: int = knob(
        0, label="Tile size", effect=Effect.VIEWS, ge=0, le=4096, step=32, unit="px", acts=(PASSABLE,),
        help="A larger picture is also seen in square tiles with this side, each resized like a picture of its own, to "
        "find small objects: start with 1 to 1.5 times the shorter side; 0 sees it whole only, as training does.",
    )  # fmt: skip
    tile_overlap: float = knob(
        0.2, label="Tile overlap", effect=Effect.VIEWS, ge=0, le=0.5, step=0.05, acts=(TILED, LARGER),
        help="Smallest share of a tile that its neighbour repeats; it should be wider than the small objects, so that "
        "each is whole in some tile.",
    )  # fmt: skip
    score_threshold: float = knob(
        0.05, label="Score threshold", effect=Effect.SELECT, ge=0, le=1, step=0.01,
        help="Only scores above this become candidates; raise it for fewer, more confident boxes, keep it low to "
        "measure AP.",
    )  # fmt: skip
    topk_candidates: int = knob(
        1000, label="Top-K per level", effect=Effect.SELECT, ge=1, le=10000, step=1, acts=(PASSABLE,),
        help="Best-scored candidates kept from each pyramid level before NMS; in crowded images it drops objects "
        "silently.",
    )  # fmt: skip
    nms_threshold: float = knob(
        0.5, label="NMS threshold", effect=Effect.SUPPRESS, ge=0, le=1, step=0.01,
        acts=(when("when the NMS kind is not soft", Check("inference.nms_kind", excluded=("soft",))),),
        help="A box is dropped (or fused) when its overlap with a better one is above this; raise it for crowds, lower "
        "it against duplicates.",
    )  # fmt: skip
    class_agnostic_nms: bool = knob(
        False, label="Class-agnostic NMS", effect=Effect.SUPPRESS,
        acts=(SUPPRESSES, SEVERAL_CLASSES),
        help="Boxes also suppress boxes of other classes; useful when one object gets two labels.",
    )  # fmt: skip
    nms_kind: Literal["hard", "soft", "diou", "wbf"] = knob(
        "hard", label="NMS kind", effect=Effect.SUPPRESS, acts=(PASSABLE,),
        help="What becomes of boxes that overlap: hard drops them, diou only if their centres are close too "
        "(IoU − ρ²/c²), soft multiplies their scores by exp(−IoU²/σ), wbf fuses them into one with their mean score, "
        "which weak boxes lower.",
    )  # fmt: skip
    soft_nms_sigma: float = knob(
        0.5, label="Soft-NMS σ", effect=Effect.SUPPRESS, ge=0.05, le=2, step=0.05,
        acts=(when("when the NMS kind is soft", Check("inference.nms_kind", ("soft",))),),
        help="How gently soft NMS lowers scores; larger keeps more overlapping boxes.",
    )  # fmt: skip
    test_time_flip: bool = knob(
        False, label="Test-time flip", effect=Effect.VIEWS, acts=(PASSABLE,),
        help="The picture is also seen mirrored, in twice the time; NMS merges what both views find.",
    )  # fmt: skip
    test_time_scales: tuple[ViewScale, ...] = knob(
        (1.0,), label="Test-time scales", effect=Effect.VIEWS, options=(0.75, 1.0, 1.25, 1.5, 2.0), min_length=1,
        max_length=4, acts=(PASSABLE,),
        help="Sizes in which the picture is seen, as factors of the shorter side, 1 among them; NMS merges what they "
        "find. The time for each grows with its square.",
    )  # fmt: skip
    max_detections: int = knob(
        100, label="Maximum detections", effect=Effect.SUPPRESS, ge=1, le=1000, step=1, acts=(PASSABLE,),
        help="Boxes kept after NMS, best first; raise it for images with more objects than this.",
    )  # fmt: skip

    @property
    def num_views(self) -> int:
        """How often a picture is seen: mirrored or not, in each size."""
        return len(self.test_time_scales) * (2 if self.test_time_flip else 1)

    @model_validator(mode="after")
    def _check_scales(self) -> Self:
        scales = self.test_time_scales
        if 1 not in scales or len(set(scales)) < len(scales):
            raise ValueError(
                f"inference.test_time_scales = {', '.join(f'{scale:g}' for scale in scales)} is not allowed: 1 must be "
                "among them, and each of them once."
            )
        return self

    @model_validator(mode="after")
    def _check_tile_size(self) -> Self:
        if 0 < self.tile_size < MIN_TILE:
            raise ValueError(
                f"inference.tile_size = {self.tile_size} is not allowed: it must be 0, for whole pictures only, or at "
                f"least {MIN_TILE} px."
            )
        return self

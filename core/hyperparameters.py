"""Every hyperparameter of RetinaNet, declared once, in the order of the pipeline.

Names follow the paper (Lin et al., "Focal Loss for Dense Object Detection", 2017) and the frameworks.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.knobs import Effect, Section, knob

Scale = Annotated[float, Field(ge=0.25, le=4)]
Ratio = Annotated[float, Field(ge=0.05, le=20)]
Share = Annotated[float, Field(ge=0.01, le=0.99)]

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
        0, label="Frozen stages", effect=Effect.TRAIN, ge=0, le=5, step=1,
        help="Stages of the body that do not train (1 the stem, 2–5 res2–res5); cheaper, but too many hurt.",
    )  # fmt: skip
    batch_norm: Literal["live", "frozen"] = knob(
        "live", label="Batch norm while training", effect=Effect.TRAIN,
        help="live normalises by each batch and updates the running statistics; frozen keeps the loaded ones, "
        "better for batches of one or two.",
    )  # fmt: skip


class Anchors(Section):
    """Boxes tiled over the pyramid, `scales × ratios` at each place (paper, section 4, "Anchors")."""

    size_p3: float = knob(
        16, label="Size on P3", effect=Effect.ANCHORS, ge=4, le=256, step=1, unit="px",
        help="Side of P3's square anchor; lower it when small objects match no anchor (the paper has 32 px, for "
        "pictures of 600–800 px).",
    )  # fmt: skip
    size_p4: float = knob(
        32, label="Size on P4", effect=Effect.ANCHORS, ge=8, le=512, step=1, unit="px",
        help="Side of P4's square anchor; levels usually double, so that scales fill the octave between.",
    )  # fmt: skip
    size_p5: float = knob(
        64, label="Size on P5", effect=Effect.ANCHORS, ge=16, le=1024, step=1, unit="px",
        help="Side of P5's square anchor; change it when middle-sized objects match no anchor.",
    )  # fmt: skip
    size_p6: float = knob(
        128, label="Size on P6", effect=Effect.ANCHORS, ge=32, le=2048, step=1, unit="px",
        help="Side of P6's square anchor; change it when large objects match no anchor.",
    )  # fmt: skip
    size_p7: float = knob(
        256, label="Size on P7", effect=Effect.ANCHORS, ge=64, le=4096, step=1, unit="px",
        help="Side of P7's square anchor; only objects that fill the picture need it.",
    )  # fmt: skip
    scales: tuple[Scale, ...] = knob(
        (1.0, 2 ** (1 / 3), 2 ** (2 / 3)), label="Scales per octave", effect=Effect.ANCHORS,
        options=(0.5, 0.75, 1.0, 2 ** (1 / 3), 2**0.5, 2 ** (2 / 3)), min_length=1, max_length=6,
        help="Multiples of each level's size; three an octave leave no size further than 12% from an anchor.",
    )  # fmt: skip
    ratios: tuple[Ratio, ...] = knob(
        (0.5, 1.0, 2.0), label="Aspect ratios", effect=Effect.ANCHORS,
        options=(0.2, 0.25, 1 / 3, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0), min_length=1, max_length=9,
        help="Height over width at equal area; add 1/3 and 3 when elongated objects match no anchor.",
    )  # fmt: skip
    convention: Literal["torchvision", "exact"] = knob(
        "torchvision", label="Anchor arithmetic", effect=Effect.ANCHORS,
        help="torchvision truncates sizes and rounds corners to whole pixels and fits strides to the grid; exact "
        "keeps fractions and strides 8–128 (detectron2). Keep the one the weights were trained with.",
    )  # fmt: skip

    @property
    def sizes(self) -> tuple[float, ...]:
        """Base size of each level P3–P7, in pixels."""
        return (self.size_p3, self.size_p4, self.size_p5, self.size_p6, self.size_p7)

    @property
    def per_place(self) -> int:
        """Anchors at each place of a level, A."""
        return len(self.scales) * len(self.ratios)


class Matching(Section):
    """Which anchor answers for which object (paper, section 4, "Anchors")."""

    bg_iou_threshold: float = knob(
        0.4, label="Background below IoU", effect=Effect.ASSIGN, ge=0, le=1, step=0.01,
        help="Anchors whose best IoU is below this are background; between the two thresholds they are ignored.",
    )  # fmt: skip
    fg_iou_threshold: float = knob(
        0.5, label="Foreground from IoU", effect=Effect.ASSIGN, ge=0, le=1, step=0.01,
        help="Anchors whose best IoU is at least this are foreground; at 0.9 only the most precise ones train.",
    )  # fmt: skip
    force_best_match: bool = knob(
        True, label="Force best match", effect=Effect.ASSIGN,
        help="Makes the anchor that overlaps an object most foreground, however little that is, for the object it "
        "overlaps most itself; off, small or elongated "
        "objects may train nothing.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _ordered(self) -> "Matching":
        if self.bg_iou_threshold > self.fg_iou_threshold:
            raise ValueError(
                f"matching.bg_iou_threshold ({self.bg_iou_threshold:g}) must not be above "
                f"matching.fg_iou_threshold ({self.fg_iou_threshold:g}): lower the first or raise the second."
            )
        return self


class Loss(Section):
    """What each anchor pays (paper, section 3; box losses: GIoU 2019, DIoU and CIoU 2020)."""

    kind: Literal["focal", "cross_entropy", "balanced_cross_entropy", "ohem", "cutoff"] = knob(
        "focal", label="Classification loss", effect=Effect.LOSS,
        help="focal turns easy examples down by (1−p_t)^γ; balanced cross-entropy only weighs by α; ohem keeps "
        "only the hardest anchors of a picture; cutoff drops all scores whose p_t is above a value, as a hinge does.",
    )  # fmt: skip
    alpha: float = knob(
        0.25, label="α (foreground weight)", effect=Effect.LOSS, ge=0, le=1, step=0.01,
        help="Weight of foreground, background gets 1−α; choose it lower when γ is higher, because γ already "
        "silences the background (the paper pairs γ 2 with α 0.25). Used by focal, balanced cross-entropy and cutoff.",
    )  # fmt: skip
    gamma: float = knob(
        2.0, label="γ (focusing)", effect=Effect.LOSS, ge=0, le=8, step=0.1,
        help="How strongly easy examples are turned down; 0 is α-balanced cross-entropy. Used by focal.",
    )  # fmt: skip
    cutoff: float = knob(
        0.5, label="Cut-off", effect=Effect.LOSS, ge=0.05, le=1, step=0.05,
        help="p_t above which a score pays nothing under cutoff; 1 is α-balanced cross-entropy. The paper found such "
        "losses unstable: what is just right enough is no longer held there.",
    )  # fmt: skip
    ohem_anchors: int = knob(
        256, label="OHEM anchors", effect=Effect.LOSS, ge=1, le=4096, step=1,
        help="Hardest anchors kept in each picture by ohem.",
    )  # fmt: skip
    ohem_nms_threshold: float = knob(
        0.7, label="OHEM NMS", effect=Effect.LOSS, ge=0, le=1, step=0.05,
        help="Of ohem's anchors that overlap more than this only the hardest stays; 1 turns it off.",
    )  # fmt: skip
    ohem_one_to_three: bool = knob(
        False, label="OHEM 1:3", effect=Effect.LOSS,
        help="Holds ohem to at most three background anchors for each foreground anchor, as SSD does.",
    )  # fmt: skip
    box_loss: Literal["smooth_l1", "l1", "giou", "diou", "ciou"] = knob(
        "smooth_l1", label="Box loss", effect=Effect.LOSS,
        help="How a foreground anchor's box is scored: by its deltas (L1, smooth L1) or by its overlap (the IoUs).",
    )  # fmt: skip
    smooth_l1_beta: float = knob(
        0.1, label="Smooth L1 β", effect=Effect.LOSS, ge=0, le=2, step=0.05,
        help="Delta error below which smooth L1 is quadratic; 0 is plain L1.",
    )  # fmt: skip
    box_weight: float = knob(
        1.0, label="Box loss weight", effect=Effect.LOSS, ge=0, le=10, step=0.1,
        help="Factor on the box loss; raise it when boxes are loose though classes are right.",
    )  # fmt: skip
    normaliser: Literal["image", "batch", "moving_average"] = knob(
        "image", label="Normaliser", effect=Effect.LOSS,
        help="Foreground count the loss is divided by: each image's own (torchvision), the batch's, or its "
        "moving average (detectron2), steadier when objects are few. Differs only for batches.",
    )  # fmt: skip


class Inference(Section):
    """From outputs to detections (paper, section 4, "Inference")."""

    image_size: int = knob(
        256, label="Shorter side", effect=Effect.FORWARD, ge=32, le=1600, step=32, unit="px",
        help="The picture is scaled so that its shorter side has this length; larger finds smaller objects, slower.",
    )  # fmt: skip
    max_image_size: int = knob(
        1333, label="Longer side at most", effect=Effect.FORWARD, ge=32, le=2666, step=1, unit="px",
        help="Bound on the longer side, which wins over the shorter side; keeps panoramas affordable.",
    )  # fmt: skip
    score_threshold: float = knob(
        0.05, label="Score threshold", effect=Effect.DECODE, ge=0, le=1, step=0.01,
        help="Scores up to this are dropped first; raise it for fewer, surer boxes, keep it low to measure AP.",
    )  # fmt: skip
    topk_candidates: int = knob(
        1000, label="Top-K a level", effect=Effect.DECODE, ge=1, le=10000, step=1,
        help="Best-scored candidates taken from each pyramid level before NMS; it cuts silently in crowded pictures.",
    )  # fmt: skip
    nms_threshold: float = knob(
        0.5, label="NMS threshold", effect=Effect.DECODE, ge=0, le=1, step=0.01,
        help="Keep the best box, drop those that overlap it more than this, repeat; raise it for crowds, "
        "lower it against duplicates.",
    )  # fmt: skip
    class_agnostic_nms: bool = knob(
        False, label="Class-agnostic NMS", effect=Effect.DECODE,
        help="Lets a box suppress boxes of other classes too; good when one object gets two labels.",
    )  # fmt: skip
    nms_kind: Literal["hard", "soft"] = knob(
        "hard", label="NMS kind", effect=Effect.DECODE,
        help="soft lowers the score of overlapping boxes by exp(−IoU²/σ) instead of dropping them (Soft-NMS, 2017).",
    )  # fmt: skip
    soft_nms_sigma: float = knob(
        0.5, label="Soft-NMS σ", effect=Effect.DECODE, ge=0.05, le=2, step=0.05,
        help="How gently soft NMS lowers scores; larger keeps more overlapping boxes.",
    )  # fmt: skip
    max_detections: int = knob(
        100, label="Maximum detections", effect=Effect.DECODE, ge=1, le=1000, step=1,
        help="Boxes kept after NMS, best first; raise it for pictures with more objects than this.",
    )  # fmt: skip


class Training(Section):
    """One training run (paper, section 4.1; defaults suit short runs)."""

    steps: int = knob(
        200, label="Steps", effect=Effect.TRAIN, ge=1, le=1_000_000, step=None,
        help="Batches the run trains on; a few hundred show a trend, thousands make a detector.",
    )  # fmt: skip
    batch_size: int = knob(
        8, label="Batch size", effect=Effect.TRAIN, ge=1, le=64, step=1, unit="images",
        help="Pictures a step; change the learning rate in proportion.",
    )  # fmt: skip
    optimizer: Literal[
        "adamw", "sgd", "adam", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam", "asgd"
    ] = knob(
        "adamw", label="Optimizer", effect=Effect.TRAIN,
        help="adamw is forgiving in short runs; the paper uses sgd with momentum 0.9.",
    )  # fmt: skip
    learning_rate: float = knob(
        1e-3, label="Learning rate", effect=Effect.TRAIN, ge=0, le=10,
        options=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0),
        help="Size of a step; too large diverges, too small learns nothing (sgd 0.01, adamw 0.001).",
    )  # fmt: skip
    momentum: float = knob(
        0.9, label="Momentum", effect=Effect.TRAIN, ge=0, le=0.99, step=0.01,
        help="Memory of past gradients: momentum of sgd and rmsprop, β₁ of the Adam family.",
    )  # fmt: skip
    weight_decay: float = knob(
        1e-4, label="Weight decay", effect=Effect.TRAIN, ge=0, le=1,
        options=(0.0, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1),
        help="Pull of convolution weights towards zero (biases and norms are spared); against overfitting.",
    )  # fmt: skip
    schedule: Literal[
        "constant", "step", "multi_step", "exponential", "cosine", "cyclic", "one_cycle", "plateau"
    ] = knob(
        "cosine", label="Learning-rate schedule", effect=Effect.TRAIN,
        help="How the learning rate moves over the run; ending low settles the weights.",
    )  # fmt: skip
    warmup_steps: int = knob(
        20, label="Warm-up steps", effect=Effect.TRAIN, ge=0, le=100_000, step=None,
        help="Steps over which the learning rate rises from nothing; raise it when a run diverges at its start.",
    )  # fmt: skip
    decay_factor: float = knob(
        0.1, label="Decay factor", effect=Effect.TRAIN, ge=0.001, le=1, step=0.001,
        help="Factor of each drop (step, multi_step, plateau), of the whole run (exponential), or of the lowest "
        "to the highest rate (cyclic).",
    )  # fmt: skip
    decay_period: float = knob(
        0.33, label="Decay period", effect=Effect.TRAIN, ge=0.01, le=1, step=0.01,
        help="Length of one step or one cycle, or the patience of plateau, as a share of the run.",
    )  # fmt: skip
    milestones: tuple[Share, ...] = knob(
        (0.67, 0.89), label="Milestones", effect=Effect.TRAIN, options=(0.33, 0.5, 0.67, 0.75, 0.89),
        min_length=1, max_length=8,
        help="Shares of the run at which multi_step drops the rate; the paper drops at 2/3 and 8/9.",
    )  # fmt: skip
    clip_norm: float = knob(
        10.0, label="Gradient clipping", effect=Effect.TRAIN, ge=0, le=1000, step=None,
        help="Largest norm of all gradients together, 0 for no bound; lower it when the loss jumps.",
    )  # fmt: skip
    ema_decay: float = knob(
        0.0, label="Averaging of weights", effect=Effect.TRAIN, ge=0, le=0.9999,
        options=(0.0, 0.9, 0.98, 0.99, 0.998, 0.999, 0.9998),
        help="Memory of an exponential moving average of the weights, which is then what is evaluated and saved; 0 for "
        "none. Smooths what a high learning rate leaves rough.",
    )  # fmt: skip
    precision: Literal["fp32", "bf16"] = knob(
        "fp32", label="Precision", effect=Effect.TRAIN,
        help="bf16 computes in half the bits, about twice as fast where the processor supports it.",
    )  # fmt: skip
    seed: int = knob(
        0, label="Training seed", effect=Effect.TRAIN, ge=0, le=2**31 - 1, step=None,
        help="Fixes initial weights, order and augmentation, so that a run can be repeated.",
    )  # fmt: skip
    eval_interval: int = knob(
        50, label="Evaluate every", effect=Effect.TRAIN, ge=0, le=100_000, step=None, unit="steps",
        help="Steps between evaluations, 0 for none before the end.",
    )  # fmt: skip
    eval_images: int = knob(
        32, label="Evaluation images", effect=Effect.TRAIN, ge=1, le=5000, step=None,
        help="Held-out pictures of an evaluation; few make AP jump about.",
    )  # fmt: skip
    flip_probability: float = knob(
        0.5, label="Flip", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Share of training pictures mirrored left to right.",
    )  # fmt: skip
    scale_jitter: float = knob(
        0.0, label="Scale jitter", effect=Effect.TRAIN, ge=0, le=0.9, step=0.05,
        help="Scales each training picture by a random factor from 1−j to 1+j; helps with unseen sizes.",
    )  # fmt: skip
    crop_probability: float = knob(
        0.0, label="Crop", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Share of training pictures cut to a random part that keeps at least one object.",
    )  # fmt: skip
    colour_jitter: float = knob(
        0.0, label="Colour jitter", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Strength of random brightness, contrast and saturation; helps with unseen light.",
    )  # fmt: skip
    noise_jitter: float = knob(
        0.0, label="Noise jitter", effect=Effect.TRAIN, ge=0, le=0.5, step=0.01,
        help="Grain over training pictures with a random standard deviation up to this share of full brightness, "
        "mostly a small one; helps with noisy pictures.",
    )  # fmt: skip


class Scenes(Section):
    """The procedural data set: pictures one can dial, with exact boxes."""

    seed: int = knob(
        0, label="Scene seed", effect=Effect.DATA, ge=0, le=2**31 - 1, step=None,
        help="Another seed, another picture (or data set), with the same dials.",
    )  # fmt: skip
    image_size: int = knob(
        256, label="Scene size", effect=Effect.DATA, ge=64, le=1024, step=32, unit="px",
        help="Side of the square pictures that are rendered.",
    )  # fmt: skip
    min_objects: int = knob(
        3, label="Objects at least", effect=Effect.DATA, ge=0, le=100, step=1,
        help="Fewest objects a picture is given (empty ones apart); a crowd that does not fit is thinned out.",
    )  # fmt: skip
    max_objects: int = knob(
        10, label="Objects at most", effect=Effect.DATA, ge=1, le=100, step=1,
        help="Most objects placed in a picture; crowds test NMS, top-K and the cap.",
    )  # fmt: skip
    min_size: float = knob(
        0.05, label="Smallest object", effect=Effect.DATA, ge=0.02, le=1, step=0.01,
        help="Longer side of the smallest objects as a share of the picture; tiny ones match no anchor.",
    )  # fmt: skip
    max_size: float = knob(
        0.5, label="Largest object", effect=Effect.DATA, ge=0.02, le=1, step=0.01,
        help="Longer side of the largest objects as a share of the picture.",
    )  # fmt: skip
    elongation: float = knob(
        2.0, label="Elongation", effect=Effect.DATA, ge=1, le=8, step=0.1,
        help="Largest ratio of an object's length to its width; long ones match no usual anchor.",
    )  # fmt: skip
    overlap: float = knob(
        0.3, label="Overlap", effect=Effect.DATA, ge=0, le=0.8, step=0.05,
        help="Largest share of an object that others may cover; overlapping twins test NMS.",
    )  # fmt: skip
    clutter: float = knob(
        0.4, label="Clutter", effect=Effect.DATA, ge=0, le=1, step=0.05,
        help="Amount of background shapes that look a little like objects: hard negatives.",
    )  # fmt: skip
    noise: float = knob(
        0.15, label="Noise", effect=Effect.DATA, ge=0, le=1, step=0.05,
        help="Strength of the camera's grain.",
    )  # fmt: skip
    imbalance: float = knob(
        0.0, label="Class imbalance", effect=Effect.DATA, ge=0, le=1, step=0.05,
        help="0 draws all classes equally often; towards 1 the last ones become rare.",
    )  # fmt: skip
    empty_share: float = knob(
        0.0, label="Empty pictures", effect=Effect.DATA, ge=0, le=1, step=0.05,
        help="Share of pictures without any object.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _ordered(self) -> "Scenes":
        for low, high in (("min_objects", "max_objects"), ("min_size", "max_size")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(
                    f"scenes.{low} ({getattr(self, low):g}) must not be above scenes.{high} "
                    f"({getattr(self, high):g}): lower the first or raise the second."
                )
        return self

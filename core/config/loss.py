"""Hyperparameters of the loss."""

from typing import Literal

from core.config.condition import SEVERAL_CLASSES, SEVERAL_STEPS, Check, when
from core.config.knob import Effect, Section, knob

IOU_TARGETS = ("quality_focal", "varifocal")  # losses in which the target of a foreground score is its box's IoU
BALANCED = when(
    "when the loss is focal, Poly-1 focal, balanced cross-entropy or cut-off",
    Check("loss.kind", ("focal", "poly1_focal", "balanced_cross_entropy", "cutoff")),
)
FOCUSED = when(
    "when the loss is focal, Poly-1 focal or varifocal", Check("loss.kind", ("focal", "poly1_focal", "varifocal"))
)
WEIGHS_BACKGROUND = when(
    "when α (varifocal) is above 0", Check("loss.kind", excluded=("varifocal",)), Check("loss.varifocal_alpha", above=0)
)
OHEM = when("when the loss is OHEM", Check("loss.kind", ("ohem",)))
COMPARES = when("when OHEM keeps more than one anchor", Check("loss.ohem_anchors", above=1))
HAS_POSITIVES = when(
    "when OHEM 1:3 keeps at least 4 anchors",
    Check("loss.ohem_one_to_three", (False,)),
    Check("loss.ohem_anchors", above=3),
)
GHM = when("when the loss is GHM-C", Check("loss.kind", ("ghm",)))
SEVERAL = when("in training: the loss of a single picture is the same with each", Check("single_image", (False,)))
DIVIDED = when(
    "when the loss is not GHM-C, or the box loss weight is above 0",
    Check("loss.kind", excluded=("ghm",)),
    Check("loss.box_weight", above=0),
)


class Loss(Section):
    """Classification and box loss (paper, section 3; the README names the papers of later ones)."""

    kind: Literal[
        "focal", "cross_entropy", "balanced_cross_entropy", "ohem", "cutoff", "poly1_focal", "quality_focal",
        "varifocal", "ghm",
    ] = knob(
        "focal", label="Classification loss", effect=Effect.LOSS,
        help="focal weights by 1−pₜ to the power of γ (Poly-1 adds ε), balanced cross-entropy by α only; ohem keeps "
        "the hardest anchors, cutoff keeps scores below a pₜ; quality focal and varifocal teach scores the box's IoU; "
        "ghm weights by how rare a gradient is.",
    )  # fmt: skip
    alpha: float = knob(
        0.25, label="α (foreground weight)", effect=Effect.LOSS, ge=0, le=1, step=0.01,
        acts=(BALANCED,),
        help="Weight of foreground, background gets 1−α; choose it lower when γ is higher, because γ already "
        "down-weights background (the paper pairs γ 2 with α 0.25). Used by both focal losses, balanced cross-entropy "
        "and cutoff.",
    )  # fmt: skip
    gamma: float = knob(
        2.0, label="γ (focusing)", effect=Effect.LOSS, ge=0, le=8, step=0.1,
        acts=(FOCUSED, WEIGHS_BACKGROUND),
        help="How strongly easy examples are down-weighted; 0 is α-balanced cross-entropy, under Poly-1 focal with its "
        "added term. Used by both focal losses, and by varifocal for background.",
    )  # fmt: skip
    poly1_epsilon: float = knob(
        -1.0, label="ε (Poly-1)", effect=Effect.LOSS, ge=-1, le=5, step=0.1,
        acts=(when("when the loss is Poly-1 focal", Check("loss.kind", ("poly1_focal",))),),
        help="Added to the coefficient of the first term of focal loss as a polynomial of 1−pₜ; 0 is focal loss, and "
        "−1, the best for RetinaNet in its paper, removes that term, so that confident scores pay still less.",
    )  # fmt: skip
    quality_beta: float = knob(
        2.0, label="β (quality focal)", effect=Effect.LOSS, ge=0, le=8, step=0.1,
        acts=(when("when the loss is quality focal", Check("loss.kind", ("quality_focal",))),),
        help="How strongly scores near their target are down-weighted: by |target − score|^β. 0 is cross-entropy with "
        "the IoU as target; 2 is best in its paper, which has no α.",
    )  # fmt: skip
    varifocal_alpha: float = knob(
        0.75, label="α (varifocal)", effect=Effect.LOSS, ge=0, le=2, step=0.05,
        acts=(when("when the loss is varifocal", Check("loss.kind", ("varifocal",))),),
        help="Weight of background in varifocal; foreground is weighted by the IoU of its box instead. Lower it when "
        "background still dominates the loss.",
    )  # fmt: skip
    ghm_bins: int = knob(
        30, label="GHM bins", effect=Effect.LOSS, ge=1, le=200, step=1, acts=(GHM,),
        help="Bins of the gradient's size in which GHM-C counts scores: those of a full bin weigh little each, all "
        "bins alike. On the page this picture is counted alone; in training, the batches.",
    )  # fmt: skip
    ghm_momentum: float = knob(
        0.75, label="GHM momentum", effect=Effect.LOSS, ge=0, le=0.99, step=0.01,
        acts=(GHM, SEVERAL_STEPS, SEVERAL),
        help="How slowly the counts of GHM-C follow the batches: the share of their moving average that a step keeps.",
    )  # fmt: skip
    cutoff: float = knob(
        0.5, label="Cut-off", effect=Effect.LOSS, ge=0.05, le=1, step=0.05,
        acts=(when("when the loss is cut-off", Check("loss.kind", ("cutoff",))),),
        help="pₜ above which cutoff has no loss; 1 is α-balanced cross-entropy. The paper found such a loss "
        "unstable; perhaps because no gradient keeps a score there once it is just right enough.",
    )  # fmt: skip
    ohem_anchors: int = knob(
        256, label="OHEM anchors", effect=Effect.LOSS, ge=1, le=4096, step=1, acts=(OHEM,),
        help="Number of hardest anchors that ohem keeps per image.",
    )  # fmt: skip
    ohem_nms_threshold: float = knob(
        0.7, label="OHEM NMS threshold", effect=Effect.LOSS, ge=0, le=1, step=0.05,
        acts=(OHEM, COMPARES, HAS_POSITIVES),
        help="Of anchors that overlap by a higher IoU than this, ohem keeps only the hardest; 1 turns it off.",
    )  # fmt: skip
    ohem_one_to_three: bool = knob(
        False, label="OHEM 1:3", effect=Effect.LOSS, acts=(OHEM,),
        help="Limits ohem to three background anchors per foreground anchor, as SSD does.",
    )  # fmt: skip
    class_weights: Literal["none", "inverse_frequency", "effective_number"] = knob(
        "none", label="Class weights", effect=Effect.LOSS, acts=(SEVERAL_CLASSES,),
        help="Weight of foreground by its class, from the counts of objects in the training data: 1/n for n objects, "
        "or one over their effective number, which saturates. Rare classes then score higher, also wrongly.",
    )  # fmt: skip
    class_weights_beta: float = knob(
        0.9999, label="β (effective number)", effect=Effect.LOSS, ge=0, le=0.999999,
        options=(0.9, 0.99, 0.999, 0.9999, 0.99999),
        acts=(when("when class weights are by effective number", Check("loss.class_weights", ("effective_number",))),),
        help="The effective number of objects never exceeds 1/(1−β), so that classes with more weigh alike: 0 weighs "
        "all classes alike, near 1 it is inverse frequency.",
    )  # fmt: skip
    box_loss: Literal["smooth_l1", "l1", "giou", "diou", "ciou"] = knob(
        "smooth_l1", label="Box loss", effect=Effect.LOSS,
        acts=(when("when the box loss weight is above 0", Check("loss.box_weight", above=0)),),
        help="Loss of a foreground anchor's box: by its deltas (l1, smooth_l1) or by its overlap (giou, diou, ciou).",
    )  # fmt: skip
    smooth_l1_beta: float = knob(
        0.1, label="Smooth L1 β", effect=Effect.LOSS, ge=0, le=2, step=0.05,
        acts=(when("when the box loss is smooth L1", Check("loss.box_loss", ("smooth_l1",))),),
        help="Delta error below which smooth L1 is quadratic; 0 is plain L1.",
    )  # fmt: skip
    box_weight: float = knob(
        1.0, label="Box loss weight", effect=Effect.LOSS, ge=0, le=10, step=0.1,
        help="Factor on the box loss; raise it when boxes are loose although classes are right.",
    )  # fmt: skip
    normaliser: Literal["image", "batch", "moving_average"] = knob(
        "image", label="Normaliser", effect=Effect.LOSS,
        acts=(DIVIDED, SEVERAL),
        help="Foreground count that divides the loss: each image's own (torchvision), the batch's, or its moving "
        "average (detectron2), which is steadier when objects are few. Differs only for batches; "
        "under GHM-C it divides the box loss alone.",
    )  # fmt: skip

"""Presets: short, instructive comparisons that train the same detector a few times with one setting changed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from core.config import Config
from core.experiments import paper_results


class Variant(NamedTuple):
    """One of the variants that a preset compares.

    Attributes:
        name: Name, unique within the preset.
        settings: The settings in which it differs, by path.
        paper: AP in per cent of the corresponding experiment in the paper, None if there is none.
    """

    name: str
    settings: dict[str, Any]
    paper: float | None = None


class Preset(NamedTuple):
    """A comparison.

    Attributes:
        title: Title for display.
        description: What is compared, and what to look for in the results.
        variants: The variants.
        settings: Settings by path that all variants share, beyond `SHARED`.
    """

    title: str
    description: str
    variants: tuple[Variant, ...]
    settings: Mapping[str, Any] = MappingProxyType({})

    def config(self, variant: Variant, seed: int, **overrides: Any) -> Config:
        """Returns the settings of one run; `overrides` by path take precedence over the preset's."""
        return Config.from_flat({**SHARED, **self.settings, **variant.settings, "training.seed": seed, **overrides})


# Small images with objects of the size the built-in backbone was trained on: a run takes well under a minute.
SHARED: dict[str, Any] = {
    "model.weights": "builtin",
    "model.heads": "new",
    "model.freeze_stages": 5,
    "scenes.image_size": 160,
    "scenes.min_size": 0.12,
    "inference.image_size": 160,
    "training.batch_size": 4,
    "training.steps": 150,
    "training.warmup_steps": 20,
    "training.eval_interval": 50,
    "training.eval_images": 32,
}

# The paper's best settings for OHEM.
OHEM: dict[str, Any] = {"loss.kind": "ohem", "loss.ohem_anchors": 128, "loss.ohem_nms_threshold": 0.5}

PRESETS: dict[str, Preset] = {
    "loss": Preset(
        "Focal loss against cross-entropy",
        "New heads on a frozen backbone. Without the prior π, thousands of background anchors dominate the loss of the "
        "first steps: compare where the loss starts, and how late the first detections appear.",
        (
            Variant("focal loss", {}, paper_results.GAMMA[2].ap),
            Variant("focal loss without π", {"model.prior_probability": 0.5}),
            Variant("cross-entropy with π", {"loss.kind": "cross_entropy"}, paper_results.PRIOR),
            Variant("cross-entropy without π", {"loss.kind": "cross_entropy", "model.prior_probability": 0.5}),
        ),
    ),
    "prior": Preset(
        "The prior π, trained as in the paper",
        "Cross-entropy with plain heads and SGD with momentum, without warm-up or gradient clipping, as in the paper: "
        "compare where each loss starts, and see at which step the run without π diverges.",
        (
            Variant("without π", {"model.prior_probability": 0.5}),
            Variant("with π", {}, paper_results.PRIOR),
        ),
        {
            "loss.kind": "cross_entropy",
            "model.head_norm": "none",
            "training.optimizer": "sgd",
            "training.learning_rate": 0.005,
            "training.schedule": "constant",
            "training.warmup_steps": 0,
            "training.clip_norm": 0.0,
            "training.steps": 100,
            "training.eval_interval": 0,
        },
    ),
    "gamma": Preset(
        "γ: how strongly easy examples are down-weighted",
        "In the paper γ = 2 is best and a wide range works well, with α chosen for each γ; with too large a γ the "
        "network learns little from any but the hardest examples.",
        tuple(
            Variant(
                f"γ = {gamma}",
                {"loss.gamma": gamma, "loss.alpha": paper_results.GAMMA[gamma].alpha},
                paper_results.GAMMA[gamma].ap,
            )
            for gamma in (0, 1, 2, 5)
        ),
    ),
    "alpha": Preset(
        "α: how foreground is weighted against background",
        "α-balanced cross-entropy, as in the paper's table 1a: with too small an α the background dominates the loss, "
        "with too large an α it hardly counts.",
        tuple(Variant(f"α = {alpha:g}", {"loss.alpha": alpha}, ap) for alpha, ap in paper_results.ALPHA.items()),
        {"loss.kind": "balanced_cross_entropy"},
    ),
    "ohem": Preset(
        "Focal loss against hard example mining",
        "OHEM trains on the hardest anchors of an image and ignores all others; focal loss uses all anchors and "
        "down-weights the easy ones. In the paper no setting of OHEM comes close to focal loss.",
        (
            Variant("focal loss", {}, paper_results.BESIDE_OHEM),
            Variant("OHEM, 128 anchors", {**OHEM}, paper_results.OHEM),
            Variant("OHEM, 128 anchors, 1:3", {**OHEM, "loss.ohem_one_to_three": True}),
        ),
    ),
    "after_focal": Preset(
        "Losses that came after focal loss",
        "Poly-1 changes what confident scores pay, quality focal and varifocal teach scores the IoU of their boxes, "
        "GHM-C weights by the rarity of gradients: compare AP75, in which better ranked boxes show, with AP50.",
        (
            Variant("focal loss", {}),
            Variant("Poly-1 focal", {"loss.kind": "poly1_focal"}),
            Variant("quality focal", {"loss.kind": "quality_focal"}),
            Variant("varifocal", {"loss.kind": "varifocal"}),
            Variant("GHM-C", {"loss.kind": "ghm"}),
        ),
    ),
    "freeze": Preset(
        "Frozen stages: speed, and AP after a short run",
        "Training the whole network against training new heads and a pyramid on a frozen backbone: compare images per "
        "second, then AP.",
        (
            Variant("nothing frozen", {"model.freeze_stages": 0}),
            Variant("backbone frozen", {"model.freeze_stages": 5}),
        ),
        {"training.steps": 100},
    ),
    "thresholds": Preset(
        "IoU thresholds: 0.4/0.5 against 0.1/0.9",
        "With 0.1/0.9 hardly more than the best anchor of each object is foreground, and most anchors near it are "
        "ignored: compare the foreground anchors per step, then AP50 with AP75.",
        (
            Variant("background below 0.4, foreground from 0.5", {}),
            Variant(
                "background below 0.1, foreground from 0.9",
                {"matching.bg_iou_threshold": 0.1, "matching.fg_iou_threshold": 0.9},
            ),
        ),
    ),
    "assigners": Preset(
        "Assigners: two thresholds, ATSS, SimOTA",
        "ATSS gives each object its own threshold, SimOTA the anchors whose predictions suit it best, at most ten: "
        "compare the foreground anchors per step, where the loss starts, then AP50 with AP75.",
        (
            Variant("max IoU", {}),
            Variant("ATSS", {"matching.assigner": "atss"}),
            Variant("SimOTA", {"matching.assigner": "simota"}),
        ),
    ),
    "anchors": Preset(
        "One anchor per location against nine",
        "One square anchor per location gives far fewer foreground anchors at less cost: compare their number, then "
        "AP75, in which less precise boxes would show.",
        (
            Variant("nine anchors per location", {}, paper_results.ANCHORS[3, 3]),
            Variant(
                "one anchor per location",
                {"anchors.scales": (1.0,), "anchors.ratios": (1.0,)},
                paper_results.ANCHORS[1, 1],
            ),
        ),
    ),
}

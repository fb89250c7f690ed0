"""Short comparisons that teach: each trains the same detector a few times with one thing changed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from core.config import Config
from core.experiments import paper_results


class Variant(NamedTuple):
    """One of the runs that are compared.

    Attributes:
        name: Tells it from the others.
        settings: What it has of its own, by path.
        paper: AP in per cent of the like of it in the paper, None where the paper has no like of it.
    """

    name: str
    settings: dict[str, Any]
    paper: float | None = None


class Preset(NamedTuple):
    """A comparison.

    Attributes:
        title: Names it for people.
        look_at: What is compared, and what to look at.
        arms: The runs.
        settings: What all of them share beyond `SHARED`, by path.
    """

    title: str
    look_at: str
    arms: tuple[Variant, ...]
    settings: Mapping[str, Any] = MappingProxyType({})

    def config(self, arm: Variant, seed: int, **own: Any) -> Config:
        """Returns the settings of one run; `own` settings by path win over the preset's."""
        return Config.from_flat({**SHARED, **self.settings, **arm.settings, "training.seed": seed, **own})


# Small pictures, and objects as large on them as those the built-in body knows: a run takes well under a minute.
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

# The paper's best for OHEM.
OHEM: dict[str, Any] = {"loss.kind": "ohem", "loss.ohem_anchors": 128, "loss.ohem_nms_threshold": 0.5}

PRESETS: dict[str, Preset] = {
    "loss": Preset(
        "Focal loss against cross-entropy",
        "New heads on the frozen body. Without the prior π the first steps pay for thousands of background anchors at "
        "once: look at where the loss begins, and at how late the first detections come.",
        (
            Variant("focal loss", {}, paper_results.GAMMA[2].ap),
            Variant("focal loss without π", {"model.prior_probability": 0.5}),
            Variant("cross-entropy with π", {"loss.kind": "cross_entropy"}, paper_results.PRIOR),
            Variant("cross-entropy without π", {"loss.kind": "cross_entropy", "model.prior_probability": 0.5}),
        ),
    ),
    "prior": Preset(
        "The prior π, trained as in the paper",
        "Cross-entropy with plain heads and plain SGD, without warm-up or clipping of gradients, as in the paper: look "
        "at where each loss begins, and at which step the run without π ends.",
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
        "γ: how strongly easy examples are turned down",
        "The paper finds γ = 2 best and a wide range good, with α chosen for each γ; too large a γ learns little from "
        "anything but the hardest.",
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
        "α: how foreground is weighed against background",
        "Cross-entropy balanced by α, as in the paper's table 1a: too small an α and the background has its way, too "
        "large an α and it is hardly heard.",
        tuple(Variant(f"α = {alpha:g}", {"loss.alpha": alpha}, ap) for alpha, ap in paper_results.ALPHA.items()),
        {"loss.kind": "balanced_cross_entropy"},
    ),
    "ohem": Preset(
        "Focal loss against hard example mining",
        "OHEM trains on the hardest anchors of a picture and drops all others; focal loss hears all and turns the easy "
        "ones down. In the paper no setting of OHEM comes near focal loss.",
        (
            Variant("focal loss", {}, paper_results.BESIDE_OHEM),
            Variant("OHEM, 128 anchors", {**OHEM}, paper_results.OHEM),
            Variant("OHEM, 128 anchors, 1:3", {**OHEM, "loss.ohem_one_to_three": True}),
        ),
    ),
    "freeze": Preset(
        "Frozen stages: how much is saved, how much is lost",
        "The whole network against new heads and pyramid on a frozen body: compare images a second, then AP.",
        (Variant("nothing frozen", {"model.freeze_stages": 0}), Variant("body frozen", {"model.freeze_stages": 5})),
        {"training.steps": 100},
    ),
    "thresholds": Preset(
        "IoU thresholds: 0.4/0.5 against 0.1/0.9",
        "With 0.1/0.9 only the anchor forced on each object trains it, and all that merely look near are ignored: "
        "compare the foreground anchors a step, then AP50 with AP75.",
        (
            Variant("background below 0.4, foreground from 0.5", {}),
            Variant(
                "background below 0.1, foreground from 0.9",
                {"matching.bg_iou_threshold": 0.1, "matching.fg_iou_threshold": 0.9},
            ),
        ),
    ),
    "anchors": Preset(
        "One anchor a place against nine",
        "One square anchor a place gives far fewer foreground anchors, for less work: compare them, then AP75, where "
        "looser boxes would show.",
        (
            Variant("nine anchors a place", {}, paper_results.ANCHORS[3, 3]),
            Variant(
                "one anchor a place", {"anchors.scales": (1.0,), "anchors.ratios": (1.0,)}, paper_results.ANCHORS[1, 1]
            ),
        ),
    ),
}

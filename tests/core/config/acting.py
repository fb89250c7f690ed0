"""Where each hyperparameter acts and where it does not, and values of it that may make a difference."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from core.config import Circumstances, Config, knobs


class Case(NamedTuple):
    """A configuration in which a hyperparameter acts, or does not.

    Attributes:
        settings: The settings, by path.
        known: The circumstances, by name.
        refused: Whether other values are refused there, instead of having no effect.
    """

    settings: Mapping[str, Any] = MappingProxyType({})
    known: Mapping[str, bool] = MappingProxyType({})
    refused: bool = False

    @property
    def config(self) -> Config:
        return Config.from_flat(dict(self.settings))

    @property
    def circumstances(self) -> Circumstances:
        return Circumstances(**self.known)


NEW, RANDOM = {"model.heads": "new"}, {"model.weights": "random"}
OTHER_PICTURE = [Case({}, {"generated": False})]
EMPTY = [*OTHER_PICTURE, Case({"scenes.empty_share": 1})]
NONE_PASSES = {"inference.score_threshold": 1}
STANDS_STILL = {"training.learning_rate": 0}
ONE_STEP = {"training.steps": 1}
COMBINING = ("mosaic_probability", "copy_paste_probability")
JITTERS = ("scale_jitter", "crop_probability", "colour_jitter", "noise_jitter")


def settings_of(path: str, *values: Any) -> list[Case]:
    return [Case({path: value}) for value in values]


# The settings of some classification losses, and these losses.
OF_KINDS: dict[str, tuple[str, ...]] = {
    "loss.alpha": ("focal", "poly1_focal", "balanced_cross_entropy", "cutoff"),
    "loss.gamma": ("focal", "poly1_focal", "varifocal"),
    "loss.poly1_epsilon": ("poly1_focal",),
    "loss.quality_beta": ("quality_focal",),
    "loss.varifocal_alpha": ("varifocal",),
    "loss.ghm_bins": ("ghm",),
    "loss.ghm_momentum": ("ghm",),
    "loss.cutoff": ("cutoff",),
    "loss.ohem_anchors": ("ohem",),
    "loss.ohem_nms_threshold": ("ohem",),
    "loss.ohem_one_to_three": ("ohem",),
}


def of_other_kinds(path: str) -> list[Case]:
    """Returns a case for each classification loss that does not have one of these settings."""
    return settings_of("loss.kind", *(kind for kind in knobs()["loss.kind"].choices if kind not in OF_KINDS[path]))


# For every hyperparameter, where it acts and where it does not.
ACTS: dict[str, list[Case]] = {
    "model.prior_probability": [Case(NEW), Case(RANDOM), Case({}, {"new_classes": True})],
    **{f"model.{name}": [Case(RANDOM)] for name in ("depth", "fpn_channels", "p6_source")},
    "model.head_norm": [Case(NEW)],
    "model.head_groups": [Case(NEW)],
    "model.num_convs": [Case(NEW)],
    **{path: settings_of("loss.kind", *kinds) for path, kinds in OF_KINDS.items()},
    "loss.class_weights": [Case({}, {"several_classes": True}), Case()],
    "loss.ohem_nms_threshold": [
        Case({"loss.kind": "ohem", "loss.ohem_anchors": 2}),
        Case({"loss.kind": "ohem", "loss.ohem_one_to_three": True}),
    ],
    "loss.class_weights_beta": settings_of("loss.class_weights", "effective_number"),
    "loss.smooth_l1_beta": settings_of("loss.box_loss", "smooth_l1"),
    "loss.normaliser": [
        Case({}, {"single_image": False}),
        Case(),
        Case({"loss.kind": "ghm"}),
        Case({"loss.box_weight": 0}),
    ],
    "matching.atss_topk": settings_of("matching.assigner", "atss"),
    "inference.tile_overlap": [Case({"inference.tile_size": 64}, {"tiled": True}), Case({"inference.tile_size": 64})],
    "inference.nms_threshold": settings_of("inference.nms_kind", "hard", "diou", "wbf"),
    "inference.soft_nms_sigma": settings_of("inference.nms_kind", "soft"),
    "inference.class_agnostic_nms": [
        Case({}, {"several_classes": True}),
        *settings_of("inference.nms_kind", "diou", "wbf"),
        Case({"inference.nms_kind": "soft", "inference.nms_threshold": 1}),
    ],
    "training.momentum": settings_of(
        "training.optimizer", "sgd", "rmsprop", "adam", "adamw", "adamax", "nadam", "radam"
    ),
    "training.ema_decay": [Case(), Case(STANDS_STILL)],
    "training.early_stopping": [Case(), Case({"training.steps": 2, "training.eval_interval": 1})],
    "training.decay_factor": [
        *settings_of("training.schedule", "step", "multi_step", "exponential", "cyclic", "plateau"),
        Case({"training.schedule": "step", "training.decay_factor": 1}),
        Case({"training.schedule": "cyclic", "training.steps": 1}),
    ],
    "training.decay_period": settings_of("training.schedule", "step", "cyclic", "plateau"),
    "training.milestones": settings_of("training.schedule", "multi_step"),
    "training.cache_features": [Case({"model.freeze_stages": 5})],
    "training.repeat_threshold": settings_of("training.sampler", "repeat_factor"),
    "model.batch_norm": settings_of("model.freeze_stages", 0, 4),
}
IDLE: dict[str, list[Case]] = {
    "model.heads": settings_of("model.weights", "random"),
    "model.head_norm": [Case({**NEW, "model.num_convs": 0})],
    "model.head_groups": [Case({**NEW, "model.head_norm": "none"}), Case({**NEW, "model.num_convs": 0})],
    "model.prior_probability": [Case({}, {"new_classes": False})],
    "model.batch_norm": settings_of("model.freeze_stages", 5),
    "matching.bg_iou_threshold": settings_of("matching.assigner", "atss", "simota"),
    "matching.fg_iou_threshold": settings_of("matching.assigner", "atss", "simota"),
    "matching.force_best_match": [
        Case({"matching.fg_iou_threshold": 0, "matching.bg_iou_threshold": 0}),
        *settings_of("matching.assigner", "atss", "simota"),
    ],
    "matching.atss_topk": settings_of("matching.assigner", "max_iou", "simota"),
    **{path: of_other_kinds(path) for path in OF_KINDS},
    "loss.gamma": [*of_other_kinds("loss.gamma"), Case({"loss.kind": "varifocal", "loss.varifocal_alpha": 0})],
    "loss.ghm_momentum": [
        *of_other_kinds("loss.ghm_momentum"),
        Case({"loss.kind": "ghm"}, {"single_image": True}),
        Case({"loss.kind": "ghm", **ONE_STEP}),
    ],
    "loss.ohem_nms_threshold": [
        *of_other_kinds("loss.ohem_nms_threshold"),
        Case({"loss.kind": "ohem", "loss.ohem_anchors": 1}),
        Case({"loss.kind": "ohem", "loss.ohem_one_to_three": True, "loss.ohem_anchors": 3}),
    ],
    "loss.class_weights": [Case({}, {"several_classes": False})],
    "loss.class_weights_beta": [
        *settings_of("loss.class_weights", "none", "inverse_frequency"),
        Case({"loss.class_weights": "effective_number"}, {"several_classes": False}),
    ],
    "loss.box_loss": settings_of("loss.box_weight", 0),
    "loss.smooth_l1_beta": [*settings_of("loss.box_loss", "l1", "giou", "diou", "ciou"), Case({"loss.box_weight": 0})],
    "loss.normaliser": [Case({}, {"single_image": True}), Case({"loss.kind": "ghm", "loss.box_weight": 0})],
    "inference.tile_size": [Case(NONE_PASSES)],
    "inference.test_time_flip": [Case(NONE_PASSES)],
    "inference.test_time_scales": [Case(NONE_PASSES)],
    "inference.tile_overlap": [
        Case(),
        Case({"inference.tile_size": 1024}, {"tiled": False}),
        Case({**NONE_PASSES, "inference.tile_size": 64}),
    ],
    "inference.topk_candidates": [Case(NONE_PASSES)],
    "inference.nms_kind": [Case(NONE_PASSES)],
    "inference.max_detections": [Case(NONE_PASSES)],
    "inference.nms_threshold": [*settings_of("inference.nms_kind", "soft"), Case(NONE_PASSES)],
    "inference.soft_nms_sigma": [
        *settings_of("inference.nms_kind", "hard", "diou", "wbf"),
        Case({**NONE_PASSES, "inference.nms_kind": "soft"}),
    ],
    "inference.class_agnostic_nms": [
        *(Case({"inference.nms_kind": kind, "inference.nms_threshold": 1}) for kind in ("hard", "diou", "wbf")),
        Case(NONE_PASSES),
        Case({}, {"several_classes": False}),
    ],
    **{
        f"training.{name}": [Case(STANDS_STILL)]
        for name in ("optimizer", "weight_decay", "schedule", "warmup_steps", "clip_norm")
    },
    "training.momentum": [*settings_of("training.optimizer", "adagrad", "adadelta", "asgd"), Case(STANDS_STILL)],
    "training.decay_factor": [
        *settings_of("training.schedule", "constant", "cosine", "one_cycle"),
        Case({**STANDS_STILL, "training.schedule": "step"}),
        *(Case({"training.schedule": name, **ONE_STEP}) for name in ("step", "multi_step", "exponential", "plateau")),
    ],
    "training.decay_period": [
        *settings_of("training.schedule", "constant", "multi_step", "exponential", "cosine", "one_cycle"),
        *(Case({"training.schedule": name, "training.decay_factor": 1}) for name in ("step", "cyclic", "plateau")),
        *(Case({"training.schedule": name, **ONE_STEP}) for name in ("step", "cyclic", "plateau")),
    ],
    "training.milestones": [
        *settings_of(
            "training.schedule", "constant", "step", "exponential", "cosine", "cyclic", "one_cycle", "plateau"
        ),
        Case({"training.schedule": "multi_step", "training.decay_factor": 1}),
        Case({"training.schedule": "multi_step", **ONE_STEP}),
    ],
    "training.cache_features": [
        Case({"model.freeze_stages": 4}, refused=True),
        *(Case({"model.freeze_stages": 5, f"training.{name}": 0.1}, refused=True) for name in (*JITTERS, *COMBINING)),
    ],
    "training.ema_decay": [
        Case({**STANDS_STILL, "model.batch_norm": "frozen"}),
        Case({**STANDS_STILL, "model.freeze_stages": 5}),
        Case(ONE_STEP),
    ],
    "training.eval_interval": [Case(ONE_STEP)],
    "training.early_stopping": [
        Case({"training.eval_interval": 0}, refused=True),
        *(Case({"training.steps": 2, "training.eval_interval": interval}) for interval in (2, 3)),
    ],
    "training.repeat_threshold": [Case()],
    "training.accumulation": [Case({"training.batch_size": 1}), Case({"loss.kind": "ghm"}, refused=True)],
    **{f"scenes.{name}": OTHER_PICTURE for name in ("seed", "image_size", "clutter", "noise", "empty_share")},
    **{
        f"scenes.{name}": EMPTY
        for name in ("min_objects", "max_objects", "min_size", "max_size", "elongation", "imbalance")
    },
    "scenes.overlap": [*EMPTY, Case({"scenes.min_objects": 1, "scenes.max_objects": 1})],
}
OTHERS: dict[str, Iterable[Any]] = {  # where the ends of the slider take long or change nothing
    "model.weights": ["random"],
    "model.depth": [34],
    "model.head_groups": [1, 8],
    "model.fpn_channels": [32],
    "model.num_convs": [0, 2],
    "inference.image_size": [32],
    "inference.max_image_size": [64],
    "inference.tile_size": [0, 32, 64],
    "inference.test_time_scales": [(1.0,), (0.5, 1.0), (1.0, 2.0)],
    "inference.topk_candidates": [1, 7],
    "inference.max_detections": [1, 3],
    "loss.ohem_anchors": [1, 4000],
    "loss.class_weights_beta": [0, 0.9],
    "training.steps": [1],
    "training.batch_size": [1],
    "training.learning_rate": [0, 1e-4],
    "training.seed": [1],
    "training.eval_interval": [0, 1],
    "training.eval_images": [1],
    "training.warmup_steps": [0, 50],
    "training.cache_features": [1],
    "training.early_stopping": [1, 9],
    "training.accumulation": [2],
    "training.repeat_threshold": [0, 1],
    "scenes.seed": [1],
    "scenes.image_size": [96],
}


def other_values(path: str, config: Config) -> list[Any]:
    """Returns other values of a hyperparameter, among them the ends of its range."""
    knob, value = knobs()[path], config.to_flat()[path]
    by_kind = {
        "bool": lambda: (False, True),
        "choice": lambda: knob.choices,
        "list": lambda: ((0.5,), (0.25, 0.9)),
        "int": lambda: (knob.ge, knob.le),
        "float": lambda: (knob.ge, knob.le, (knob.ge + knob.le) / 2),
    }
    others = OTHERS[path] if path in OTHERS else by_kind[knob.kind]()
    return [other for other in others if other != value]

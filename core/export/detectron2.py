"""Converts the settings to a detectron2 configuration."""

from functools import partial
from typing import Any

from core.config import Config
from core.export.framework_settings import (
    BASIC_WIDTHS,
    BOTTLENECK_WIDTHS,
    LOSS_KINDS,
    WEIGHTS,
    Framework,
    acts,
    format_missing,
    get_focal_parameters,
)
from core.retinanet.backbone import NORM_EPS
from core.retinanet.heads import norm_groups
from core.retinanet.preprocess import IMAGENET_MEAN, IMAGENET_STD

GROUPS = 32  # of every group norm of detectron2
SAMPLERS = {"uniform": "TrainingSampler", "repeat_factor": "RepeatFactorTrainingSampler"}
FLIPS = {0.0: "none", 0.5: "horizontal"}
SUPPORTED_VALUES: dict[str, tuple[object, ...]] = {
    WEIGHTS: ("random",),
    "anchors.convention": ("exact",),
    "model.head_groups": (GROUPS,),
    "model.norm_eps": (NORM_EPS,),
    "model.p6_source": ("c5",),
    "matching.force_best_match": (True,),
    "matching.assigner": ("max_iou",),
    "loss.kind": LOSS_KINDS,
    "loss.class_weights": ("none",),
    "loss.box_weight": (1.0,),
    "loss.normaliser": ("moving_average",),
    "inference.precision": ("fp32",),
    "inference.tile_size": (0,),
    "inference.test_time_flip": (False,),
    "inference.test_time_scales": ((1.0,),),
    "inference.class_agnostic_nms": (False,),
    "inference.nms_kind": ("hard",),
    "training.optimizer": ("sgd",),
    "training.schedule": ("constant", "cosine", "multi_step"),
    "training.clip_norm": (0.0,),  # SOLVER.CLIP_GRADIENTS limits each parameter's gradient, not all together
    "training.ema_decay": (0.0,),
    "training.early_stopping": (0,),
    "training.accumulation": (1,),
    "training.precision": ("fp32",),  # SOLVER.AMP computes in float16, not in bfloat16
    "training.flip_probability": tuple(FLIPS),
    "training.scale_jitter": (0.0,),
    "training.crop_probability": (0.0,),  # INPUT.CROP crops every picture
    "training.colour_jitter": (0.0,),
    "training.noise_jitter": (0.0,),
    "training.mosaic_probability": (0.0,),
    "training.copy_paste_probability": (0.0,),
}
# The keys of settings that do not always act; empty SOLVER.STEPS must stay, since detectron2 has some of its own.
OF_SETTING = {
    "MODEL.RESNETS.NORM": "model.batch_norm",
    "MODEL.RETINANET.NORM": "model.head_norm",
    "MODEL.RETINANET.IOU_THRESHOLDS": "matching.bg_iou_threshold",
    "MODEL.RETINANET.IOU_LABELS": "matching.bg_iou_threshold",
    "MODEL.RETINANET.NMS_THRESH_TEST": "inference.nms_threshold",
    "MODEL.RETINANET.TOPK_CANDIDATES_TEST": "inference.topk_candidates",
    "TEST.DETECTIONS_PER_IMAGE": "inference.max_detections",
    "MODEL.RETINANET.BBOX_REG_LOSS_TYPE": "loss.box_loss",
    "DATALOADER.REPEAT_THRESHOLD": "training.repeat_threshold",
    "SOLVER.MOMENTUM": "training.momentum",
    "SOLVER.WEIGHT_DECAY": "training.weight_decay",
    "SOLVER.WARMUP_ITERS": "training.warmup_steps",
    "SOLVER.WARMUP_FACTOR": "training.warmup_steps",
    "SOLVER.LR_SCHEDULER_NAME": "training.schedule",
    "SOLVER.GAMMA": "training.milestones",
    "TEST.EVAL_PERIOD": "training.eval_interval",
}
ANCHOR_ORDER = """\
# The anchors of a location are ordered by size and then ratio in detectron2, by ratio and then size here: when you
# convert weights, reorder the outputs of the heads.
"""


def to_detectron2(config: Config, num_classes: int) -> str:
    """Returns Python code that sets detectron2's configuration (`detectron2.config.get_cfg`)."""
    build = partial(build_detectron2_config, num_classes=num_classes)
    lines = [f"cfg.{key} = {value!r}" for key, value in build(config).items()]
    head = "from detectron2.config import get_cfg\n\ncfg = get_cfg()\n"
    missing = format_missing(config, Framework("detectron2", build, SUPPORTED_VALUES))
    return missing + _note_groups(config) + ANCHOR_ORDER + head + "\n".join(lines) + "\n"


def _note_groups(config: Config) -> str:
    groups = norm_groups(config.model)
    if not acts(config, "model.head_groups") or groups == GROUPS:
        return ""
    return f"# The group norms of the heads have {groups} groups here, and always {GROUPS} in detectron2.\n"


def build_detectron2_config(config: Config, num_classes: int) -> dict[str, Any]:
    """Returns detectron2's settings by their documented names, without those that do not act."""
    values = {
        **_build_network(config),
        **_build_retinanet(config, num_classes),
        **_build_input(config),
        **_build_solver(config),
    }
    return {key: value for key, value in values.items() if key not in OF_SETTING or acts(config, OF_SETTING[key])}


def _build_network(config: Config) -> dict[str, Any]:
    model, anchors = config.model, config.anchors
    return {
        "MODEL.META_ARCHITECTURE": "RetinaNet",
        "MODEL.PIXEL_MEAN": [round(255 * mean, 3) for mean in IMAGENET_MEAN],
        "MODEL.PIXEL_STD": [round(255 * std, 3) for std in IMAGENET_STD],
        "MODEL.BACKBONE.NAME": "build_retinanet_resnet_fpn_backbone",
        "MODEL.BACKBONE.FREEZE_AT": model.freeze_stages,
        "MODEL.RESNETS.DEPTH": model.depth,
        "MODEL.RESNETS.RES2_OUT_CHANNELS": BASIC_WIDTHS.get(model.depth, BOTTLENECK_WIDTHS)[0],
        "MODEL.RESNETS.OUT_FEATURES": ["res3", "res4", "res5"],
        "MODEL.RESNETS.NORM": "FrozenBN" if model.batch_norm == "frozen" else "BN",
        "MODEL.RESNETS.STRIDE_IN_1X1": False,
        "MODEL.FPN.IN_FEATURES": ["res3", "res4", "res5"],
        "MODEL.FPN.OUT_CHANNELS": model.fpn_channels,
        "MODEL.ANCHOR_GENERATOR.SIZES": [[size * scale for scale in anchors.scales] for size in anchors.sizes],
        "MODEL.ANCHOR_GENERATOR.ASPECT_RATIOS": [list(anchors.ratios)],
    }


def _build_retinanet(config: Config, num_classes: int) -> dict[str, Any]:
    model, matching, loss, inference = config.model, config.matching, config.loss, config.inference
    alpha, gamma = get_focal_parameters(config)
    smooth = loss.box_loss in ("smooth_l1", "l1")
    beta = {"MODEL.RETINANET.SMOOTH_L1_LOSS_BETA": loss.smooth_l1_beta if loss.box_loss == "smooth_l1" else 0.0}
    return {
        "MODEL.RETINANET.NUM_CLASSES": num_classes,
        "MODEL.RETINANET.NUM_CONVS": model.num_convs,
        "MODEL.RETINANET.NORM": "GN" if model.head_norm == "group" else "",
        "MODEL.RETINANET.PRIOR_PROB": model.prior_probability,
        "MODEL.RETINANET.IOU_THRESHOLDS": [matching.bg_iou_threshold, matching.fg_iou_threshold],
        "MODEL.RETINANET.IOU_LABELS": [0, -1, 1],
        "MODEL.RETINANET.FOCAL_LOSS_ALPHA": alpha,
        "MODEL.RETINANET.FOCAL_LOSS_GAMMA": gamma,
        "MODEL.RETINANET.BBOX_REG_LOSS_TYPE": "smooth_l1" if smooth else loss.box_loss,
        **(beta if smooth and acts(config, "loss.box_loss") else {}),
        "MODEL.RETINANET.SCORE_THRESH_TEST": inference.score_threshold,
        "MODEL.RETINANET.TOPK_CANDIDATES_TEST": inference.topk_candidates,
        "MODEL.RETINANET.NMS_THRESH_TEST": inference.nms_threshold,
        "TEST.DETECTIONS_PER_IMAGE": inference.max_detections,
    }


def _build_input(config: Config) -> dict[str, Any]:
    inference = config.inference
    return {
        "INPUT.FORMAT": "RGB",
        "INPUT.RANDOM_FLIP": FLIPS.get(config.training.flip_probability, "horizontal"),
        "INPUT.CROP.ENABLED": False,
        "DATALOADER.FILTER_EMPTY_ANNOTATIONS": False,  # pictures without objects are used
        "INPUT.MIN_SIZE_TRAIN": (inference.image_size,),
        "INPUT.MIN_SIZE_TEST": inference.image_size,
        "INPUT.MAX_SIZE_TRAIN": inference.max_image_size,
        "INPUT.MAX_SIZE_TEST": inference.max_image_size,
    }


def _build_solver(config: Config) -> dict[str, Any]:
    training = config.training
    milestones = training.milestones if acts(config, "training.milestones") else ()
    return {
        "DATALOADER.SAMPLER_TRAIN": SAMPLERS[training.sampler],
        "DATALOADER.REPEAT_THRESHOLD": training.repeat_threshold,
        "SOLVER.IMS_PER_BATCH": training.batch_size,
        "SOLVER.MAX_ITER": training.steps,
        "SOLVER.BASE_LR": training.learning_rate,
        "SOLVER.MOMENTUM": training.momentum,
        "SOLVER.WEIGHT_DECAY": training.weight_decay,
        "SOLVER.WEIGHT_DECAY_NORM": 0.0,
        "SOLVER.WEIGHT_DECAY_BIAS": 0.0,
        "SOLVER.CLIP_GRADIENTS.ENABLED": False,
        "SOLVER.AMP.ENABLED": False,
        "SOLVER.WARMUP_ITERS": training.warmup_steps,
        "SOLVER.WARMUP_FACTOR": 1 / max(1, training.warmup_steps),
        "SOLVER.LR_SCHEDULER_NAME": "WarmupCosineLR" if training.schedule == "cosine" else "WarmupMultiStepLR",
        "SOLVER.STEPS": tuple(round(share * training.steps) for share in milestones),
        "SOLVER.GAMMA": training.decay_factor,
        "TEST.EVAL_PERIOD": training.eval_interval,
        "SEED": training.seed,
    }

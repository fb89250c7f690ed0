"""Settings to take home: as JSON, as this project's command, and as code for torchvision, detectron2 and mmdetection.

What a framework cannot express is named in a comment instead of being dropped in silence.
"""

import shlex
from collections.abc import Callable, Sequence
from pprint import pformat
from typing import Any

from core.anchors import STRIDES
from core.config import Config, knobs, text_of
from core.model import norm_groups, prior_logit

WIDTHS = {18: (64, 128, 256, 512), 34: (64, 128, 256, 512)}  # of res2 … res5; the others are four times as wide
WIDE = (256, 512, 1024, 2048)
PLAIN_FOCAL = (0.25, 2.0)  # α and γ that torchvision's RetinaNet has built in


def as_json(config: Config, num_classes: int) -> str:
    """Returns all settings, as `python -m core --config` reads them."""
    return config.to_json()


def as_command(config: Config, num_classes: int) -> str:
    """Returns the training command with every setting that is not the default."""
    flags = (f"--{path} {shlex.quote(text_of(value))}" for path, value in config.changed().items())
    return " \\\n  ".join(["python -m core train --data scenes --out runs/mine", *flags]) + "\n"


def as_torchvision(config: Config, num_classes: int) -> str:
    """Returns a script that builds torchvision's RetinaNet; weights exported here load into it unchanged."""
    model, anchors, inference = config.model, config.anchors, config.inference
    widths = WIDTHS.get(model.depth, WIDE)
    sizes = tuple(tuple(int(size * scale) for scale in anchors.scales) for size in anchors.sizes)
    source = widths[-1] if model.p6_source == "c5" else model.fpn_channels
    norm = f"partial(nn.GroupNorm, {norm_groups(model.fpn_channels)})" if model.head_norm == "group" else "None"
    sides = f"min_size={inference.image_size}, max_size={inference.max_image_size}"
    return f"""{_left_out(config, TORCHVISION_LACKS)}from functools import partial

from torch import nn
from torchvision.models import resnet{model.depth}
from torchvision.models.detection import RetinaNet, retinanet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import Conv2dNormActivation, sigmoid_focal_loss
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

NUM_CLASSES = {num_classes}

# {"P6 comes from C5" if model.p6_source == "c5" else "P6 comes from P5"}.
extra_levels = LastLevelP6P7({source}, {model.fpn_channels})
extra_levels.use_P5 = {model.p6_source == "p5"}
backbone = BackboneWithFPN(
    resnet{model.depth}(weights=None),
    {{"layer2": "0", "layer3": "1", "layer4": "2"}},
    {list(widths[1:])},
    {model.fpn_channels},
    extra_blocks=extra_levels,
)
anchors = AnchorGenerator(
    {sizes!r},
    ({tuple(anchors.ratios)!r},) * {len(sizes)},
)
norm = {norm}
head = retinanet.RetinaNetHead(
    {model.fpn_channels}, anchors.num_anchors_per_location()[0], NUM_CLASSES, norm_layer=norm
)
make = partial(Conv2dNormActivation, {model.fpn_channels}, {model.fpn_channels}, norm_layer=norm)
for part in (head.classification_head, head.regression_head):  # torchvision always makes four convolutions
    part.conv = nn.Sequential(*part.conv[:{model.num_convs}], *(make() for _ in range(4, {model.num_convs})))
nn.init.constant_(head.classification_head.cls_logits.bias, {prior_logit(model.prior_probability)!r})
head.regression_head._loss_type = {config.loss.box_loss!r}
{_torchvision_loss(config)}
model = RetinaNet(
    backbone,
    NUM_CLASSES,
    {sides},
    anchor_generator=anchors,
    head=head,
    score_thresh={inference.score_threshold!r},
    topk_candidates={inference.topk_candidates},
    nms_thresh={inference.nms_threshold!r},
    detections_per_img={inference.max_detections},
    fg_iou_thresh={config.matching.fg_iou_threshold!r},
    bg_iou_thresh={config.matching.bg_iou_threshold!r},
)
model.proposal_matcher.allow_low_quality_matches = {config.matching.force_best_match}
"""


def _torchvision_loss(config: Config) -> str:
    """torchvision calls its losses without α, γ and β, so others must be put in their place."""
    alpha, gamma = _focal(config)
    lines = []
    if (alpha, gamma) != PLAIN_FOCAL:
        lines.append(f"retinanet.sigmoid_focal_loss = partial(sigmoid_focal_loss, alpha={alpha!r}, gamma={gamma!r})")
    if config.loss.box_loss == "smooth_l1":
        beta = {"beta": config.loss.smooth_l1_beta}
        lines.append(f"retinanet._box_loss = partial(retinanet._box_loss, cnf={beta!r})")
    return "\n".join(lines)


def _focal(config: Config) -> tuple[float, float]:
    """Returns α and γ that make a focal loss the chosen one; α = −1 stands for no weighting, as in all frameworks.

    Of ohem and cutoff, which no framework has, it is the cross-entropy without their choice of what counts.
    """
    loss = config.loss
    if loss.kind == "focal":
        return loss.alpha, loss.gamma
    return (loss.alpha if loss.kind in ("balanced_cross_entropy", "cutoff") else -1.0), 0.0


def as_detectron2(config: Config, num_classes: int) -> str:
    """Returns lines that set detectron2's configuration (`detectron2.config.get_cfg`)."""
    values = detectron2_values(config, num_classes)
    lines = [f"cfg.{key} = {value!r}" for key, value in values.items()]
    head = "from detectron2.config import get_cfg\n\ncfg = get_cfg()\n"
    return _left_out(config, DETECTRON2_LACKS) + head + "\n".join(lines) + "\n"


def detectron2_values(config: Config, num_classes: int) -> dict[str, Any]:
    """Returns detectron2's settings by their documented names."""
    model, anchors, matching, inference, training = (
        config.model, config.anchors, config.matching, config.inference, config.training
    )  # fmt: skip
    alpha, gamma = _focal(config)
    smooth = config.loss.box_loss in ("smooth_l1", "l1")
    return {
        "MODEL.META_ARCHITECTURE": "RetinaNet",
        "MODEL.BACKBONE.NAME": "build_retinanet_resnet_fpn_backbone",
        "MODEL.BACKBONE.FREEZE_AT": model.freeze_stages,
        "MODEL.RESNETS.DEPTH": model.depth,
        "MODEL.RESNETS.RES2_OUT_CHANNELS": WIDTHS.get(model.depth, WIDE)[0],
        "MODEL.RESNETS.OUT_FEATURES": ["res3", "res4", "res5"],
        "MODEL.RESNETS.NORM": "FrozenBN" if model.batch_norm == "frozen" else "BN",
        "MODEL.RESNETS.STRIDE_IN_1X1": False,
        "MODEL.FPN.IN_FEATURES": ["res3", "res4", "res5"],
        "MODEL.FPN.OUT_CHANNELS": model.fpn_channels,
        "MODEL.ANCHOR_GENERATOR.SIZES": [[size * scale for scale in anchors.scales] for size in anchors.sizes],
        "MODEL.ANCHOR_GENERATOR.ASPECT_RATIOS": [list(anchors.ratios)],
        "MODEL.RETINANET.NUM_CLASSES": num_classes,
        "MODEL.RETINANET.NUM_CONVS": model.num_convs,
        "MODEL.RETINANET.NORM": "GN" if model.head_norm == "group" else "",
        "MODEL.RETINANET.PRIOR_PROB": model.prior_probability,
        "MODEL.RETINANET.IOU_THRESHOLDS": [matching.bg_iou_threshold, matching.fg_iou_threshold],
        "MODEL.RETINANET.IOU_LABELS": [0, -1, 1],
        "MODEL.RETINANET.FOCAL_LOSS_ALPHA": alpha,
        "MODEL.RETINANET.FOCAL_LOSS_GAMMA": gamma,
        "MODEL.RETINANET.BBOX_REG_LOSS_TYPE": "smooth_l1" if smooth else config.loss.box_loss,
        "MODEL.RETINANET.SMOOTH_L1_LOSS_BETA": config.loss.smooth_l1_beta if config.loss.box_loss != "l1" else 0.0,
        "MODEL.RETINANET.SCORE_THRESH_TEST": inference.score_threshold,
        "MODEL.RETINANET.TOPK_CANDIDATES_TEST": inference.topk_candidates,
        "MODEL.RETINANET.NMS_THRESH_TEST": inference.nms_threshold,
        "TEST.DETECTIONS_PER_IMAGE": inference.max_detections,
        "INPUT.MIN_SIZE_TRAIN": (inference.image_size,),
        "INPUT.MIN_SIZE_TEST": inference.image_size,
        "INPUT.MAX_SIZE_TRAIN": inference.max_image_size,
        "INPUT.MAX_SIZE_TEST": inference.max_image_size,
        "SOLVER.IMS_PER_BATCH": training.batch_size,
        "SOLVER.MAX_ITER": training.steps,
        "SOLVER.BASE_LR": training.learning_rate,
        "SOLVER.MOMENTUM": training.momentum,
        "SOLVER.WEIGHT_DECAY": training.weight_decay,
        "SOLVER.WARMUP_ITERS": training.warmup_steps,
        "SOLVER.LR_SCHEDULER_NAME": "WarmupCosineLR" if training.schedule == "cosine" else "WarmupMultiStepLR",
        "SOLVER.STEPS": tuple(round(share * training.steps) for share in training.milestones),
        "SOLVER.GAMMA": training.decay_factor,
        "SEED": training.seed,
    }


def as_mmdetection(config: Config, num_classes: int) -> str:
    """Returns the model of an mmdetection 3 configuration file."""
    body = pformat(mmdetection_model(config, num_classes), width=110, sort_dicts=False)
    return f"{_left_out(config, MMDETECTION_LACKS)}model = {body}\n"


def mmdetection_model(config: Config, num_classes: int) -> dict[str, Any]:
    """Returns the `model` of an mmdetection 3 configuration by its documented names."""
    model = config.model
    return {
        "type": "RetinaNet",
        "data_preprocessor": {
            "type": "DetDataPreprocessor",
            "mean": [123.675, 116.28, 103.53],
            "std": [58.395, 57.12, 57.375],
            "bgr_to_rgb": True,
            "pad_size_divisor": 32,
        },
        "backbone": {
            "type": "ResNet",
            "depth": model.depth,
            "num_stages": 4,
            "out_indices": (0, 1, 2, 3),
            "frozen_stages": model.freeze_stages - 1,  # there −1 freezes nothing and 0 the stem
            "norm_cfg": {"type": "BN", "requires_grad": model.batch_norm == "live"},
            "norm_eval": model.batch_norm == "frozen",
            "style": "pytorch",
        },
        "neck": {
            "type": "FPN",
            "in_channels": list(WIDTHS.get(model.depth, WIDE)),
            "out_channels": model.fpn_channels,
            "start_level": 1,
            "add_extra_convs": "on_input" if model.p6_source == "c5" else "on_output",
            "relu_before_extra_convs": True,
            "num_outs": 5,
        },
        "bbox_head": _mmdetection_head(config, num_classes),
        "train_cfg": {
            "assigner": {
                "type": "MaxIoUAssigner",
                "pos_iou_thr": config.matching.fg_iou_threshold,
                "neg_iou_thr": config.matching.bg_iou_threshold,
                "min_pos_iou": 0,
                "match_low_quality": config.matching.force_best_match,
                "ignore_iof_thr": -1,
            },
            "sampler": {"type": "PseudoSampler"},
            "allowed_border": -1,
            "pos_weight": -1,
            "debug": False,
        },
        "test_cfg": _mmdetection_test(config),
    }


def _mmdetection_head(config: Config, num_classes: int) -> dict[str, Any]:
    model, anchors, loss = config.model, config.anchors, config.loss
    overlap = loss.box_loss in ("giou", "diou", "ciou")
    names = {"giou": "GIoULoss", "diou": "DIoULoss", "ciou": "CIoULoss", "l1": "L1Loss", "smooth_l1": "SmoothL1Loss"}
    box_loss: dict[str, Any] = {"type": names[loss.box_loss], "loss_weight": loss.box_weight}
    if loss.box_loss == "smooth_l1":
        box_loss["beta"] = loss.smooth_l1_beta
    alpha, gamma = _focal(config)
    class_loss: dict[str, Any] = {"type": "FocalLoss", "use_sigmoid": True, "gamma": gamma, "alpha": alpha}
    if alpha < 0:
        class_loss = {"type": "CrossEntropyLoss", "use_sigmoid": True}
    norm = {"type": "GN", "num_groups": norm_groups(model.fpn_channels)} if model.head_norm == "group" else None
    return {
        "type": "RetinaHead",
        "num_classes": num_classes,
        "in_channels": model.fpn_channels,
        "stacked_convs": model.num_convs,
        "feat_channels": model.fpn_channels,
        "norm_cfg": norm,
        "anchor_generator": {
            "type": "AnchorGenerator",
            "base_sizes": list(anchors.sizes),
            "scales": list(anchors.scales),
            "ratios": list(anchors.ratios),
            "strides": list(STRIDES),
        },
        "bbox_coder": {
            "type": "DeltaXYWHBBoxCoder",
            "target_means": [0.0, 0.0, 0.0, 0.0],
            "target_stds": [1.0, 1.0, 1.0, 1.0],
        },
        "reg_decoded_bbox": overlap,
        "loss_cls": {**class_loss, "loss_weight": 1.0},
        "loss_bbox": box_loss,
        "init_cfg": {
            "type": "Normal",
            "layer": "Conv2d",
            "std": 0.01,
            "override": {"type": "Normal", "name": "retina_cls", "std": 0.01, "bias_prob": model.prior_probability},
        },
    }


def _mmdetection_test(config: Config) -> dict[str, Any]:
    inference = config.inference
    nms: dict[str, Any] = {"type": "nms", "iou_threshold": inference.nms_threshold}
    if inference.nms_kind == "soft":
        nms = {"type": "soft_nms", "method": "gaussian", "sigma": inference.soft_nms_sigma, "iou_threshold": 0.3}
    if inference.class_agnostic_nms:
        nms["class_agnostic"] = True
    return {
        "nms_pre": inference.topk_candidates,
        "min_bbox_size": 0,
        "score_thr": inference.score_threshold,
        "nms": nms,
        "max_per_img": inference.max_detections,
    }


# What each framework has no setting for: a path, and the values that it can express nevertheless.
KINDS = ("loss.kind", ("focal", "balanced_cross_entropy", "cross_entropy"))
NORMALISERS = {"torchvision": ("image",), "detectron2": ("moving_average",), "mmdetection": ("batch",)}
TORCHVISION_LACKS = (
    KINDS,
    ("anchors.convention", ("torchvision",)),
    ("loss.box_weight", (1.0,)),
    ("loss.normaliser", NORMALISERS["torchvision"]),
    ("inference.class_agnostic_nms", (False,)),
    ("inference.nms_kind", ("hard",)),
)
DETECTRON2_LACKS = (
    KINDS,
    ("anchors.convention", ("exact",)),
    ("model.p6_source", ("c5",)),
    ("matching.force_best_match", (True,)),
    ("loss.box_weight", (1.0,)),
    ("loss.normaliser", NORMALISERS["detectron2"]),
    ("inference.class_agnostic_nms", (False,)),
    ("inference.nms_kind", ("hard",)),
    ("training.optimizer", ("sgd",)),
    ("training.schedule", ("cosine", "multi_step")),
)
MMDETECTION_LACKS = (
    KINDS,
    ("anchors.convention", ("exact",)),
    ("loss.normaliser", NORMALISERS["mmdetection"]),
)


def _left_out(config: Config, lacks: Sequence[tuple[str, tuple]]) -> str:
    """Returns comment lines that name what cannot be carried over."""
    values = config.to_flat()
    missing = [path for path, can in lacks if values[path] not in can]
    if not missing:
        return ""
    lines = [f"#   {path} = {text_of(values[path])} ({knobs()[path].label})" for path in missing]
    return "\n".join(["# Not carried over, because there is no such setting:", *lines]) + "\n\n"


FORMATS: dict[str, Callable[[Config, int], str]] = {
    "settings as JSON": as_json,
    "command line": as_command,
    "torchvision": as_torchvision,
    "detectron2": as_detectron2,
    "mmdetection 3": as_mmdetection,
}

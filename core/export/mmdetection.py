"""Converts the settings to an mmdetection 3 configuration."""

from functools import partial
from pprint import pformat
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
    reset_idle,
)
from core.export.mmdetection_training import SCHEDULES, build_mmdetection_training
from core.retinanet.anchors import STRIDES
from core.retinanet.heads import norm_groups
from core.retinanet.preprocess import IMAGENET_MEAN, IMAGENET_STD, PAD_TO

SUPPORTED_VALUES: dict[str, tuple[object, ...]] = {
    WEIGHTS: ("random",),
    "anchors.convention": ("exact",),
    "matching.assigner": ("max_iou",),
    "loss.kind": LOSS_KINDS,
    "loss.class_weights": ("none",),
    "loss.normaliser": ("batch",),
    "inference.precision": ("fp32",),
    "inference.tile_size": (0,),
    "inference.test_time_flip": (False,),
    "inference.test_time_scales": ((1.0,),),
    "training.sampler": ("uniform",),  # its ClassBalancedDataset wraps the data set, which is not exported
    "training.accumulation": (1,),
    "inference.nms_kind": ("hard", "soft"),
    "training.schedule": SCHEDULES,
    "training.early_stopping": (0,),
    "training.scale_jitter": (0.0,),
    "training.crop_probability": (0.0,),
    "training.colour_jitter": (0.0,),
    "training.noise_jitter": (0.0,),
    "training.mosaic_probability": (0.0,),
    "training.copy_paste_probability": (0.0,),
}
HEAD = """\
# For MMDetection 3.3 and its fork onedl-mmdetection 3.5 (packages onedl-mmdetection, onedl-mmengine, onedl-mmcv), which
# is kept for newer versions of PyTorch: both are imported as mmdet, mmengine and mmcv. The fork visdet lacks RetinaNet.
# Add the data set: the base of your configuration file.
"""


def to_mmdetection(config: Config, num_classes: int) -> str:
    """Returns Python code that defines the model and the training of an mmdetection 3 configuration file."""
    build = partial(build_mmdetection_config, num_classes=num_classes)
    variables = build(config).items()
    lines = [f"{name} = {pformat(value, width=110, sort_dicts=False)}\n" for name, value in variables]
    return format_missing(config, Framework("mmdetection", build, SUPPORTED_VALUES)) + HEAD + "".join(lines)


def build_mmdetection_config(config: Config, num_classes: int) -> dict[str, Any]:
    """Returns the variables of an mmdetection 3 configuration file by their documented names."""
    config = reset_idle(config)  # the heads' assigner and the optimizer need values, also without effect
    return {
        "default_scope": "mmdet",  # without it, mmengine looks for the types among its own
        "model": build_mmdetection_model(config, num_classes),
        **build_mmdetection_training(config),
    }


def build_mmdetection_model(config: Config, num_classes: int) -> dict[str, Any]:
    """Returns the `model` of an mmdetection 3 configuration by its documented names."""
    return {
        "type": "RetinaNet",
        "data_preprocessor": {
            "type": "DetDataPreprocessor",
            "mean": [round(255 * mean, 3) for mean in IMAGENET_MEAN],
            "std": [round(255 * std, 3) for std in IMAGENET_STD],
            "bgr_to_rgb": True,
            "pad_size_divisor": PAD_TO,
        },
        "backbone": _build_backbone(config),
        "neck": _build_neck(config),
        "bbox_head": _build_head(config, num_classes),
        "train_cfg": _build_assignment(config),
        "test_cfg": _build_inference(config),
    }


def _build_backbone(config: Config) -> dict[str, Any]:
    model = config.model
    norm = {"type": "BN", "eps": model.norm_eps}
    live: dict[str, Any] = {"norm_cfg": norm}
    if acts(config, "model.batch_norm"):
        is_live = model.batch_norm == "live"
        live = {"norm_cfg": {**norm, "requires_grad": is_live}, "norm_eval": not is_live}
    return {
        "type": "ResNet",
        "depth": model.depth,
        "num_stages": 4,
        "out_indices": (0, 1, 2, 3),
        "frozen_stages": model.freeze_stages - 1,  # in mmdetection −1 freezes nothing and 0 the stem
        **live,
        "style": "pytorch",
    }


def _build_neck(config: Config) -> dict[str, Any]:
    model = config.model
    return {
        "type": "FPN",
        "in_channels": list(BASIC_WIDTHS.get(model.depth, BOTTLENECK_WIDTHS)),
        "out_channels": model.fpn_channels,
        "start_level": 1,
        "add_extra_convs": "on_input" if model.p6_source == "c5" else "on_output",
        "relu_before_extra_convs": True,
        "num_outs": 5,
    }


def _build_assignment(config: Config) -> dict[str, Any]:
    # Where every anchor is foreground, forcing changes nothing here, but mmdetection's would assign some anew.
    matching, acting = config.matching, acts(config, "matching.force_best_match")
    forced = {"match_low_quality": acting and matching.force_best_match} if matching.assigner == "max_iou" else {}
    return {
        "assigner": {
            "type": "MaxIoUAssigner",
            "pos_iou_thr": config.matching.fg_iou_threshold,
            "neg_iou_thr": config.matching.bg_iou_threshold,
            "min_pos_iou": 0,
            **forced,
            "ignore_iof_thr": -1,
        },
        "sampler": {"type": "PseudoSampler"},
        "allowed_border": -1,
        "pos_weight": -1,
        "debug": False,
    }


def _build_head(config: Config, num_classes: int) -> dict[str, Any]:
    model, anchors = config.model, config.anchors
    grouped = model.head_norm == "group" and acts(config, "model.head_norm")
    norm = {"type": "GN", "num_groups": norm_groups(model)} if grouped else None
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
        **_build_losses(config),
        "init_cfg": {
            "type": "Normal",
            "layer": "Conv2d",
            "std": 0.01,
            "override": {"type": "Normal", "name": "retina_cls", "std": 0.01, "bias_prob": model.prior_probability},
        },
    }


def _build_losses(config: Config) -> dict[str, Any]:
    loss = config.loss
    names = {"giou": "GIoULoss", "diou": "DIoULoss", "ciou": "CIoULoss", "l1": "L1Loss", "smooth_l1": "SmoothL1Loss"}
    kind = loss.box_loss if acts(config, "loss.box_loss") else "l1"  # the head needs one, and this has no settings
    box_loss: dict[str, Any] = {"type": names[kind], "loss_weight": loss.box_weight}
    if acts(config, "loss.smooth_l1_beta"):
        box_loss["beta"] = loss.smooth_l1_beta
    alpha, gamma = get_focal_parameters(config)
    class_loss: dict[str, Any] = {"type": "FocalLoss", "use_sigmoid": True, "gamma": gamma, "alpha": alpha}
    if alpha < 0:
        class_loss = {"type": "CrossEntropyLoss", "use_sigmoid": True}
    return {
        "reg_decoded_bbox": kind in ("giou", "diou", "ciou"),
        "loss_cls": {**class_loss, "loss_weight": 1.0},
        "loss_bbox": box_loss,
    }


def _build_inference(config: Config) -> dict[str, Any]:
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

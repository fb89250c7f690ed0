"""Converts the settings to a script for torchvision."""

from functools import partial

from core.config import Config, ConfigError, format_value
from core.export.framework_settings import (
    BASIC_WIDTHS,
    BOTTLENECK_WIDTHS,
    HEADS,
    LOSS_KINDS,
    WEIGHTS,
    Framework,
    acts,
    format_missing,
    get_focal_parameters,
)
from core.retinanet.anchors import STRIDES
from core.retinanet.backbone import NORM_EPS
from core.retinanet.heads import norm_groups, prior_logit

DEFAULT_FOCAL = (0.25, 2.0)  # α and γ of torchvision's RetinaNet
SUPPORTED_VALUES: dict[str, tuple[object, ...]] = {
    "matching.assigner": ("max_iou",),
    "loss.kind": LOSS_KINDS,
    "loss.class_weights": ("none",),
    "loss.box_weight": (1.0,),
    "loss.normaliser": ("image",),
    "inference.precision": ("fp32",),
    "inference.tile_size": (0,),
    "inference.test_time_flip": (False,),
    "inference.test_time_scales": ((1.0,),),
    "inference.class_agnostic_nms": (False,),
    "inference.nms_kind": ("hard",),
}
ARGUMENTS = {  # of settings that do not always act, by their paths
    "inference.topk_candidates": "topk_candidates",
    "inference.nms_threshold": "nms_thresh",
    "inference.max_detections": "detections_per_img",
    "matching.fg_iou_threshold": "fg_iou_thresh",
    "matching.bg_iou_threshold": "bg_iou_thresh",
}
# The code builds a network, into which weights are loaded; how it is trained is not part of it.
NOT_PART = (WEIGHTS, HEADS, "model.freeze_stages", "model.batch_norm", "training.")
EXACT_ANCHORS = f'''

class ExactAnchors(AnchorGenerator):
    """Anchors with fractions and fixed strides, where torchvision rounds the corners and fits the strides."""

    def generate_anchors(self, scales, aspect_ratios, dtype=torch.float32, device="cpu"):
        scales = torch.tensor(scales, dtype=dtype, device=device)
        root = torch.tensor(aspect_ratios, dtype=dtype, device=device).sqrt()
        width, height = ((1 / root)[:, None] * scales).flatten() / 2, (root[:, None] * scales).flatten() / 2
        return torch.stack([-width, -height, width, height], dim=1)

    def grid_anchors(self, grid_sizes, strides):
        device = self.cell_anchors[0].device
        return super().grid_anchors(grid_sizes, [[torch.tensor(stride, device=device)] * 2 for stride in {STRIDES}])


'''


def require_same_inference(config: Config) -> None:
    """Checks that torchvision's network can detect objects as this library does with these settings.

    Raises:
        ConfigError: It lacks one of the settings.
    """
    values = config.to_flat()
    for path, allowed in SUPPORTED_VALUES.items():
        if path.startswith("inference.") and values[path] not in allowed:
            raise ConfigError(
                f"{path} = {format_value(values[path])} is not supported by torchvision's RetinaNet: set it to "
                f"{format_value(allowed[0])}, or choose another format."
            )


def to_torchvision(config: Config, num_classes: int) -> str:
    """Returns Python code that builds torchvision's RetinaNet; exported weights load into it unchanged.

    Args:
        config: All settings.
        num_classes: Number of classes, K.
    """
    code = partial(_write_code, num_classes=num_classes)
    framework = Framework("torchvision's RetinaNet", code, SUPPORTED_VALUES, NOT_PART)
    return format_missing(config, framework) + code(config)


def _write_code(config: Config, num_classes: int) -> str:
    parts = (
        _write_imports(config),
        _write_backbone(config, num_classes),
        _write_anchors_and_head(config),
        _write_losses(config),
        _write_model(config),
    )
    return "\n".join(parts)


def _write_imports(config: Config) -> str:
    return f"""from functools import partial

import torch
from torch import nn
from torchvision.models import resnet{config.model.depth}
from torchvision.models.detection import RetinaNet, retinanet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import Conv2dNormActivation, sigmoid_focal_loss
from torchvision.ops.feature_pyramid_network import LastLevelP6P7
"""


def _write_backbone(config: Config, num_classes: int) -> str:
    model = config.model
    norm = "" if model.norm_eps == NORM_EPS else f", norm_layer=partial(nn.BatchNorm2d, eps={model.norm_eps!r})"
    widths = BASIC_WIDTHS.get(model.depth, BOTTLENECK_WIDTHS)
    source = widths[-1] if model.p6_source == "c5" else model.fpn_channels
    return f"""NUM_CLASSES = {num_classes}

# {"P6 comes from C5" if model.p6_source == "c5" else "P6 comes from P5"}.
extra_levels = LastLevelP6P7({source}, {model.fpn_channels})
extra_levels.use_P5 = {model.p6_source == "p5"}
backbone = BackboneWithFPN(
    resnet{model.depth}(weights=None{norm}),
    {{"layer2": "0", "layer3": "1", "layer4": "2"}},
    {list(widths[1:])},
    {model.fpn_channels},
    extra_blocks=extra_levels,
)"""


def _write_anchors_and_head(config: Config) -> str:
    model, anchors = config.model, config.anchors
    exact = anchors.convention == "exact"
    sizes = tuple(
        tuple(size * scale if exact else int(size * scale) for scale in anchors.scales) for size in anchors.sizes
    )
    grouped = model.head_norm == "group" and acts(config, "model.head_norm")
    norm = f"partial(nn.GroupNorm, {norm_groups(model)})" if grouped else "None"
    return f"""{EXACT_ANCHORS if exact else ""}anchors = {"ExactAnchors" if exact else "AnchorGenerator"}(
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
nn.init.constant_(head.classification_head.cls_logits.bias, {prior_logit(model.prior_probability)!r})"""


def _write_losses(config: Config) -> str:
    """Returns code that replaces torchvision's losses if needed: torchvision does not pass α, γ and β to them."""
    alpha, gamma = get_focal_parameters(config)
    lines = [f"head.regression_head._loss_type = {config.loss.box_loss!r}"] if acts(config, "loss.box_loss") else []
    if (alpha, gamma) != DEFAULT_FOCAL:
        lines.append(f"retinanet.sigmoid_focal_loss = partial(sigmoid_focal_loss, alpha={alpha!r}, gamma={gamma!r})")
    if acts(config, "loss.smooth_l1_beta"):
        beta = {"beta": config.loss.smooth_l1_beta}
        lines.append(f"retinanet._box_loss = partial(retinanet._box_loss, cnf={beta!r})")
    return "\n".join(lines)


def _write_model(config: Config) -> str:
    inference, matching, values = config.inference, config.matching, config.to_flat()
    sides = f"min_size={inference.image_size}, max_size={inference.max_image_size}"
    lines = "".join(f"    {name}={values[path]!r},\n" for path, name in ARGUMENTS.items() if acts(config, path))
    forced = ""
    if acts(config, "matching.force_best_match"):
        forced = f"model.proposal_matcher.allow_low_quality_matches = {matching.force_best_match}\n"
    return f"""model = RetinaNet(
    backbone,
    NUM_CLASSES,
    {sides},
    anchor_generator=anchors,
    head=head,
    score_thresh={inference.score_threshold!r},
{lines})
{forced}"""

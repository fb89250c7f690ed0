"""Conversions that the exports to torchvision, detectron2 and mmdetection share."""

from collections.abc import Sequence

from core.config import Config, format_value, knobs

BASIC_WIDTHS = {18: (64, 128, 256, 512), 34: (64, 128, 256, 512)}  # channels of C2 … C5
BOTTLENECK_WIDTHS = (256, 512, 1024, 2048)
LOSS_KINDS = ("loss.kind", ("focal", "balanced_cross_entropy", "cross_entropy"))  # supported by all frameworks


def get_focal_parameters(config: Config) -> tuple[float, float]:
    """Returns α and γ of the focal loss that equals the chosen loss; all frameworks read α = −1 as no weighting.

    The result for ohem and cutoff, which no framework supports, is the cross-entropy without their anchor selection.
    """
    loss = config.loss
    if loss.kind == "focal":
        return loss.alpha, loss.gamma
    return (loss.alpha if loss.kind in ("balanced_cross_entropy", "cutoff") else -1.0), 0.0


def format_unsupported(config: Config, supported: Sequence[tuple[str, tuple[object, ...]]]) -> str:
    """Returns comment lines that name the settings a framework does not support, "" if there are none.

    Args:
        config: The settings.
        supported: Settings that the framework lacks, by path, with the values that it implements nevertheless.
    """
    values = config.to_flat()
    missing = [path for path, allowed in supported if values[path] not in allowed]
    if not missing:
        return ""
    lines = [f"#   {path} = {format_value(values[path])} ({knobs()[path].label})" for path in missing]
    return "\n".join(["# Not exported, because there is no such setting:", *lines]) + "\n\n"

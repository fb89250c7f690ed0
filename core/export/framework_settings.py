"""What settings mean to other frameworks, whichever it is; each has a file of its own, `to_*.py`."""

from collections.abc import Sequence

from core.config import Config, format_value, knobs

WIDTHS = {18: (64, 128, 256, 512), 34: (64, 128, 256, 512)}  # of res2 … res5; the others are four times as wide
WIDE = (256, 512, 1024, 2048)
KINDS = ("loss.kind", ("focal", "balanced_cross_entropy", "cross_entropy"))  # that all frameworks can express


def focal_of(config: Config) -> tuple[float, float]:
    """Returns α and γ that make a focal loss the chosen one; α = −1 stands for no weighting, as in all frameworks.

    Of ohem and cutoff, which no framework has, it is the cross-entropy without their choice of what counts.
    """
    loss = config.loss
    if loss.kind == "focal":
        return loss.alpha, loss.gamma
    return (loss.alpha if loss.kind in ("balanced_cross_entropy", "cutoff") else -1.0), 0.0


def left_out(config: Config, lacks: Sequence[tuple[str, tuple]]) -> str:
    """Returns comment lines that name what cannot be carried over, "" where all can.

    Args:
        config: The settings.
        lacks: What a framework has no setting for: a path, and the values that it can express nevertheless.
    """
    values = config.to_flat()
    missing = [path for path, can in lacks if values[path] not in can]
    if not missing:
        return ""
    lines = [f"#   {path} = {format_value(values[path])} ({knobs()[path].label})" for path in missing]
    return "\n".join(["# Not carried over, because there is no such setting:", *lines]) + "\n\n"

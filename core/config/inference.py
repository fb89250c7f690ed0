"""From outputs to detections."""

from typing import Literal

from core.config.knob import Effect, Section, knob


class Inference(Section):
    """From outputs to detections (paper, section 4, "Inference")."""

    image_size: int = knob(
        256, label="Shorter side", effect=Effect.FORWARD, ge=32, le=1600, step=32, unit="px",
        help="The picture is scaled so that its shorter side has this length; larger finds smaller objects, slower.",
    )  # fmt: skip
    max_image_size: int = knob(
        1333, label="Longer side at most", effect=Effect.FORWARD, ge=32, le=2666, step=1, unit="px",
        help="Bound on the longer side, which wins over the shorter side; keeps panoramas affordable.",
    )  # fmt: skip
    score_threshold: float = knob(
        0.05, label="Score threshold", effect=Effect.SELECT, ge=0, le=1, step=0.01,
        help="Scores up to this are dropped first; raise it for fewer, surer boxes, keep it low to measure AP.",
    )  # fmt: skip
    topk_candidates: int = knob(
        1000, label="Top-K a level", effect=Effect.SELECT, ge=1, le=10000, step=1,
        help="Best-scored candidates taken from each pyramid level before NMS; it cuts silently in crowded pictures.",
    )  # fmt: skip
    nms_threshold: float = knob(
        0.5, label="NMS threshold", effect=Effect.SUPPRESS, ge=0, le=1, step=0.01,
        help="Keep the best box, drop those that overlap it more than this, repeat; raise it for crowds, "
        "lower it against duplicates.",
    )  # fmt: skip
    class_agnostic_nms: bool = knob(
        False, label="Class-agnostic NMS", effect=Effect.SUPPRESS,
        help="Lets a box suppress boxes of other classes too; good when one object gets two labels.",
    )  # fmt: skip
    nms_kind: Literal["hard", "soft"] = knob(
        "hard", label="NMS kind", effect=Effect.SUPPRESS,
        help="soft lowers the score of overlapping boxes by exp(−IoU²/σ) instead of dropping them (Soft-NMS, 2017).",
    )  # fmt: skip
    soft_nms_sigma: float = knob(
        0.5, label="Soft-NMS σ", effect=Effect.SUPPRESS, ge=0.05, le=2, step=0.05,
        help="How gently soft NMS lowers scores; larger keeps more overlapping boxes.",
    )  # fmt: skip
    max_detections: int = knob(
        100, label="Maximum detections", effect=Effect.SUPPRESS, ge=1, le=1000, step=1,
        help="Boxes kept after NMS, best first; raise it for pictures with more objects than this.",
    )  # fmt: skip

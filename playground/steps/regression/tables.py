"""The tables of box regression: encoding, decoding, and the loss of each delta, with formulas and numbers."""

import math

import torch
from markupsafe import Markup

from core.analysis.box_coding import DELTAS, CentreSize, l1, l2, smooth_l1
from core.config import Loss
from core.retinanet.boxes import MAX_LOG_SIZE, iou_matrix
from core.retinanet.losses import IOU_LOSSES, box_loss
from playground.components import html
from playground.steps.regression.example import Example

BOUND = f"log(1000/16) = {MAX_LOG_SIZE:.3f}"
WEIGHTS = (
    "RetinaNet does not weight the deltas (weights 1, 1, 1, 1). The second stage of Faster R-CNN, in torchvision and "
    "detectron2, multiplies them by 10, 10, 5, 5."
)


def encoding(example: Example) -> Markup:
    """Returns the deltas that the anchor has to predict, with their formulas."""
    box, anchor = CentreSize.of(example.target_box), CentreSize.of(example.anchor_box)
    numbers = (
        f"({box.x:.1f} − {anchor.x:.1f}) / {anchor.width:.1f}",
        f"({box.y:.1f} − {anchor.y:.1f}) / {anchor.height:.1f}",
        f"log({box.width:.1f} / {anchor.width:.1f})",
        f"log({box.height:.1f} / {anchor.height:.1f})",
    )
    formulas = ("(x − xₐ) / wₐ", "(y − yₐ) / hₐ", "log(w / wₐ)", "log(h / hₐ)")
    targets = (signed(each) for each in example.target.tolist())
    rows = tuple(zip(DELTAS, formulas, numbers, targets, strict=True))
    return html.table(
        html.Table("Encode: what the anchor has to predict", ("delta", "formula", "numbers", "target"), rows)
    )


def decoding(example: Example, height: int, width: int) -> Markup:
    """Returns the box that the predicted deltas give, and whether it is bounded or clipped."""
    anchor, (dx, dy, dw, dh) = CentreSize.of(example.anchor_box), example.predicted.tolist()
    box = CentreSize.of(example.decoded.box)
    low = (min(dw, MAX_LOG_SIZE), min(dh, MAX_LOG_SIZE))
    rows = (
        ("centre x", "xₐ + dx · wₐ", f"{anchor.x:.1f} {_add(dx)} · {anchor.width:.1f}", f"{box.x:.1f}"),
        ("centre y", "yₐ + dy · hₐ", f"{anchor.y:.1f} {_add(dy)} · {anchor.height:.1f}", f"{box.y:.1f}"),
        ("width", "wₐ · exp(dw)", f"{anchor.width:.1f} · exp({signed(low[0])})", f"{box.width:.1f}"),
        ("height", "hₐ · exp(dh)", f"{anchor.height:.1f} · exp({signed(low[1])})", f"{box.height:.1f}"),
    )
    text = html.table(html.Table("Decode: the box of the prediction", ("side", "formula", "numbers", "pixels"), rows))
    return text + html.paragraph(_explain_limits(example, height, width))


def _explain_limits(example: Example, height: int, width: int) -> str:
    """Returns whether a log size is bounded and whether the box is clipped to the picture."""
    bounded = [name for name, each in zip(DELTAS, example.decoded.bounded, strict=True) if each]
    limit = f"dw and dh count at most {BOUND}, so that a box is at most 62.5 times its anchor. "
    if bounded:
        verb, count = ("is", "counts") if len(bounded) == 1 else ("are", "count")
        limit = f"{' and '.join(bounded)} {verb} above {BOUND} and {count} as that: 62.5 times the anchor. "
    if torch.equal(example.decoded.box, example.decoded.clipped):
        return f"{limit}The box lies inside the picture, {width} × {height}: nothing is clipped."
    edges = ", ".join(f"{edge:.0f}" for edge in example.decoded.clipped.tolist())
    return f"{limit}It reaches beyond the picture, {width} × {height}, and is clipped to {edges}."


def losses(example: Example, loss: Loss) -> Markup:
    """Returns the loss of each delta under L1, L2 and smooth L1, and the box loss of the anchor."""
    errors = example.predicted - example.target
    smooth = smooth_l1(errors, loss.smooth_l1_beta)
    columns = zip(errors.tolist(), l1(errors).value.tolist(), l2(errors).value.tolist(), smooth.value.tolist(),
                  smooth.slope.tolist(), strict=True)  # fmt: skip
    rows: list[tuple[str, ...]] = [
        (name, signed(error), f"{one:.3f}", f"{two:.3f}", f"{value:.3f}", signed(slope))
        for name, (error, one, two, value, slope) in zip(DELTAS, columns, strict=True)
    ]
    sums = (l1(errors).value.sum(), l2(errors).value.sum(), smooth.value.sum())
    rows.append(("sum", "", *(f"{each.item():.3f}" for each in sums), ""))
    names = ("delta", "error", "L1", "L2", f"smooth L1, β = {loss.smooth_l1_beta:g}", "its slope")
    table = html.table(html.Table("The loss of each delta", names, tuple(rows)))
    return table + html.paragraph(_explain_loss(example, loss))


def _explain_loss(example: Example, loss: Loss) -> str:
    """Returns the box loss of this anchor under the settings, in sentences."""
    value = box_loss(example.predicted[None], example.target_box[None], example.anchor_box[None], loss).item()
    name = {"l1": "L1", "smooth_l1": "smooth L1"}.get(loss.box_loss, loss.box_loss)
    text = f"The box loss of this anchor is {value:.3f}: {name}"
    if loss.box_loss in IOU_LOSSES:
        text += ", which compares the two boxes by their overlap instead of the deltas"
    if loss.box_weight != 1:
        text += f", times its weight {loss.box_weight:g}"
    why = (
        "The slope is what training follows. That of L2 grows with the error, so that one bad anchor outweighs many; "
        "that of L1 is 1 however small the error, so that boxes jitter around their target. Smooth L1 avoids both."
    )
    return f"{text}. {why} {WEIGHTS}"


def overlaps(example: Example) -> Markup:
    """Returns how much anchor and prediction overlap the box to predict."""
    boxes = torch.stack([example.anchor_box, example.decoded.clipped])
    before, after = iou_matrix(boxes, example.target_box[None])[:, 0].tolist()
    return html.facts([("IoU of the anchor", f"{before:.2f}"), ("IoU of the prediction", f"{after:.2f}")])


def signed(value: float) -> str:
    """Formats a delta with a true minus sign and without −0."""
    return f"{value:.3f}".replace("-", "−") if abs(value) >= 0.0005 or math.isnan(value) else "0.000"


def _add(value: float) -> str:
    return f"{'−' if value < 0 else '+'} {abs(value):.3f}"

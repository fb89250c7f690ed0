"""Post-processing, matching, focal loss and anchors at the size of COCO, 800×1216 px and 91 classes.

No network is run: the logits are random, such that about 2% of the scores exceed the threshold.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torchvision.models.detection import RetinaNet
from torchvision.models.detection._utils import Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou, sigmoid_focal_loss

from benchmarks.clock import time_in_turn
from benchmarks.machine import measure_copy_rate
from benchmarks.memory import measure_peak_mib
from benchmarks.rows import Row, print_rows
from benchmarks.torchvision_detectors import retinanet
from core.config import Config
from core.retinanet.anchors import make_anchors
from core.retinanet.assigners.max_iou import match_anchors
from core.retinanet.focal_kernel import FocalWeights, fused_focal_loss
from core.retinanet.postprocess import select_candidates, select_detections

HEIGHT, WIDTH, CLASSES = 800, 1216, 91
# The paper's anchors and torchvision's defaults.
SETTINGS = {
    **{f"anchors.size_p{level}": 4 * 2**level for level in range(3, 8)},  # 32 … 512
    "anchors.convention": "torchvision",
    "inference.max_detections": 300,
}
CONFIG = Config.from_flat(SETTINGS)
GRID = make_anchors(CONFIG.anchors, HEIGHT, WIDTH)


def measure(repeats: int = 9) -> list[Row]:
    """Times all parts.

    Raises:
        RuntimeError: A part's result differs from torchvision's.
    """
    moved = measure_copy_rate()
    rows = [_post_processing(repeats, moved)]
    rows += [_matching(count, goal, repeats, moved) for count, goal in ((7, 5.0), (100, 12.0))]
    return [*rows, _focal_loss(repeats, moved), *_anchors(repeats, moved)]


def _row(work: str, works: Mapping[str, Callable[[], object]], goal: float, repeats: int, note: str) -> Row:
    seconds = time_in_turn(works, repeats=repeats)
    return Row(work, "torchvision", seconds["torchvision"], seconds["ours"], goal, note.format(seconds["ours"] * 1e3))


def _limit(values: int, moved: float) -> str:
    """Describes the least time for the necessary memory traffic at the copy rate; {} is replaced by our time."""
    return f"memory traffic: at least {4e3 * values / moved:.1f} ms of {{:.1f}}"


def _require_equal(is_equal: bool, name: str) -> None:
    if not is_equal:
        raise RuntimeError(f"{name}: the result differs from torchvision's, so the speeds cannot be compared.")


def _random(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _post_processing(repeats: int, moved: float) -> Row:
    theirs = retinanet(CONFIG, CLASSES)
    count = len(GRID.boxes)
    logits, deltas = _random((count, CLASSES)) - 5, 0.2 * _random((count, 4), 1)
    size, inference = (HEIGHT, WIDTH), CONFIG.inference
    above = int((logits.sigmoid() > inference.score_threshold).sum())
    levels = {
        "cls_logits": [each[None] for each in logits.split(GRID.counts)],
        "bbox_regression": [each[None] for each in deltas.split(GRID.counts)],
    }
    boxes = [list(GRID.boxes.split(GRID.counts))]

    @torch.inference_mode()
    def by_torchvision() -> tuple[Tensor, Tensor, Tensor]:
        found = RetinaNet.postprocess_detections(theirs, levels, boxes, [size])[0]
        return found["boxes"], found["scores"], found["labels"]

    @torch.inference_mode()
    def by_us() -> tuple[Tensor, Tensor, Tensor]:
        candidates = select_candidates(logits, deltas, GRID, size, inference)
        order, score, box = select_detections(candidates, inference)
        return box[order], score[order], candidates.label[order]

    same = all(torch.allclose(one, other, atol=1e-2) for one, other in zip(by_torchvision(), by_us(), strict=True))
    _require_equal(same, "post-processing")
    work = f"post-processing, {count:,} anchors, {above:,} scores above"
    return _row(work, {"torchvision": by_torchvision, "ours": by_us}, 8, repeats, _limit(logits.numel(), moved))


def _matching(objects: int, goal: float, repeats: int, moved: float) -> Row:
    dice = torch.Generator().manual_seed(0)
    centres = torch.rand(objects, 2, generator=dice) * torch.tensor([WIDTH, HEIGHT])
    sides = 20 * 20 ** torch.rand(objects, 2, generator=dice)  # from 20 to 400 pixels
    boxes = torch.cat([centres - sides / 2, centres + sides / 2], dim=1).clamp(min=0)
    matcher = Matcher(CONFIG.matching.fg_iou_threshold, CONFIG.matching.bg_iou_threshold, True)
    works = {
        "torchvision": lambda: matcher(box_iou(boxes, GRID.boxes)),
        "ours": lambda: match_anchors(GRID.boxes, boxes, CONFIG.matching),
    }
    theirs, ours = works["torchvision"](), works["ours"]()
    same = torch.equal(theirs >= 0, ours.foreground) and torch.equal(theirs[theirs >= 0], ours.object[theirs >= 0])
    _require_equal(same and torch.equal(theirs == -1, ours.label == 0), "matching")
    # Every anchor is read once; its label, object and IoU are written.
    limit = _limit(GRID.boxes.numel() + len(GRID.boxes) * 4, moved)
    return _row(f"matching, {objects} objects", works, goal, repeats, f"{limit}; {_memory(works)}")


def _focal_loss(repeats: int, moved: float) -> Row:
    logits = (_random((len(GRID.boxes), CLASSES)) - 5).requires_grad_()
    anchors = torch.arange(0, len(logits), 600)
    labels = anchors % CLASSES
    targets = torch.zeros(logits.shape)
    targets[anchors, labels] = 1
    weights = FocalWeights(0.25, 0.75, 2.0)

    def gradient(total: Callable[[], Tensor]) -> Tensor:
        logits.grad = None
        total().backward()
        return logits.grad

    works = {
        "torchvision": lambda: gradient(lambda: sigmoid_focal_loss(logits, targets, 0.25, 2.0, "sum")),
        "ours": lambda: gradient(lambda: fused_focal_loss(logits, anchors, labels, weights).sum()),
    }
    _require_equal(torch.allclose(works["torchvision"](), works["ours"](), atol=1e-6), "focal loss")
    # The logits are read and the gradients written.
    note = f"{_limit(2 * logits.numel(), moved)}; {_memory(works)}"
    return _row(f"focal loss and gradient, {CLASSES} classes", works, 4, repeats, note)


def _memory(works: Mapping[str, Callable[[], object]]) -> str:
    theirs, ours = (measure_peak_mib(works[name]) for name in ("torchvision", "ours"))
    return f"peak memory {ours:.0f} MiB, torchvision {theirs:.0f}"


def _anchors(repeats: int, moved: float) -> list[Row]:
    scales = CONFIG.anchors.scales
    sizes = tuple(tuple(int(size * scale) for scale in scales) for size in CONFIG.anchors.sizes)
    ratios = (CONFIG.anchors.ratios,) * len(sizes)
    generator = AnchorGenerator(sizes, ratios)
    pictures = ImageList(torch.zeros(1, 3, HEIGHT, WIDTH), [(HEIGHT, WIDTH)])
    maps = [torch.zeros(1, 1, rows, columns) for rows, columns in GRID.grids]
    make = make_anchors.__wrapped__
    cold = {
        "torchvision": lambda: AnchorGenerator(sizes, ratios)(pictures, maps)[0],
        "ours": lambda: make(CONFIG.anchors, HEIGHT, WIDTH),
    }
    again = {
        "torchvision": lambda: generator(pictures, maps)[0],
        "ours": lambda: make_anchors(CONFIG.anchors, HEIGHT, WIDTH),
    }
    _require_equal(torch.equal(cold["torchvision"](), GRID.boxes), "anchors")
    limit = _limit(GRID.boxes.numel(), moved)
    return [
        _row("anchors of a pyramid, first time", cold, 1, repeats * 5, limit),
        _row("anchors of a pyramid, again", again, 1, repeats * 5, "cached"),
    ]


if __name__ == "__main__":
    print_rows(measure())
